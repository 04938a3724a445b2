"""Every difference between desired and observed, and nothing else."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, Address, attached_policy, identity_policy, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, TargetSpec
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.observed import Absent, LiveValue, Observation, Observed, TargetMissing
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions, denial_of
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.cutoff import FARTHEST_AHEAD
from ecr_warden.repair.diff import diff
from local.testing.seed import (
    ADMIN,
    ANNA,
    CHECKOUT,
    CI,
    CUTOFF,
    D1,
    D2,
    D4,
    EVERYTHING,
    HOME,
    MALLORY,
    MORE_TRUST,
    NOW,
    PUSH_USER,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    desired,
    document,
    reading,
    spec_of,
    unparseable,
    unreadable,
)

BOUND = "arn:aws:iam::222222222222:policy/ecr-warden/ecr-warden-boundary"
LEGACY = RoleTarget(HOME, "legacy")
NAMED = TargetSpec(LEGACY, Extent.NAMED, {trust_policy(LEGACY): desired(D2)})
NO_POLICY = replace(spec_of(CHECKOUT), documents={D1: MustNotExist()})


@dataclass(frozen=True, slots=True)
class Case:
    """A target of the seed, its live documents that differ, and its drift: address to kind and explanation."""

    name: str
    spec: TargetSpec
    live: Mapping[Address, Observed | LiveValue]
    drift: Mapping[Address, tuple[DriftKind, str]]


ROLE_SPEC, USER_SPEC, REPOSITORY_SPEC = spec_of(PUSHER), spec_of(PUSH_USER), spec_of(CHECKOUT)
X = "ecr-warden-x"
REVOKED = identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS)
CASES = (
    Case("all is right", ROLE_SPEC, {}, {}),
    Case("a repository's policy is missing", REPOSITORY_SPEC, {D1: Absent()}, {D1: (DriftKind.MISSING, "missing")}),
    Case(
        "an action more",
        REPOSITORY_SPEC,
        {D1: document(allow("ecr:*", who=ANNA))},
        {D1: (DriftKind.CHANGED, "statement 1")},
    ),
    Case("no policy is desired and none is there", NO_POLICY, {}, {}),
    Case("no policy is desired and the repository was deleted", NO_POLICY, {D1: TargetMissing()}, {}),
    Case(
        "no policy is desired and one is there",
        NO_POLICY,
        {D1: desired(D1)},
        {D1: (DriftKind.UNEXPECTED, "not in the spec")},
    ),
    Case(
        "no policy is desired and it cannot be read",
        NO_POLICY,
        {D1: unreadable()},
        {D1: (DriftKind.UNREADABLE, "denied")},
    ),
    Case(
        "no policy is desired and the live one cannot be parsed",
        NO_POLICY,
        {D1: unparseable()},
        {D1: (DriftKind.UNPARSEABLE, "a number")},
    ),
    Case(
        "the repository was deleted",
        REPOSITORY_SPEC,
        {D1: TargetMissing()},
        {D1: (DriftKind.TARGET_MISSING, "does not exist")},
    ),
    Case("it cannot be read", REPOSITORY_SPEC, {D1: unreadable()}, {D1: (DriftKind.UNREADABLE, "denied")}),
    Case("it cannot be parsed", REPOSITORY_SPEC, {D1: unparseable()}, {D1: (DriftKind.UNPARSEABLE, "a number")}),
    Case(
        "the boundary is off",
        ROLE_SPEC,
        {ROLE: replace(SETTINGS, boundary=None)},
        {ROLE: (DriftKind.CHANGED, f"permissions boundary is none, not {BOUND}")},
    ),
    Case(
        "sessions are longer and the path is another",
        ROLE_SPEC,
        {ROLE: replace(SETTINGS, path="/", max_session_duration=43200)},
        {ROLE: (DriftKind.CHANGED, "path is /, not /ecr-warden/; MaxSessionDuration is 43200 s, not 3600 s")},
    ),
    Case(
        "an exclusive role has policies of others",
        ROLE_SPEC,
        {identity_policy(PUSHER, "extra"): EVERYTHING, attached_policy(PUSHER, ADMIN): None},
        {
            identity_policy(PUSHER, "extra"): (DriftKind.UNEXPECTED, "not in the spec"),
            attached_policy(PUSHER, ADMIN): (DriftKind.UNEXPECTED, "not in the spec"),
        },
    ),
    Case(
        "a listing of an exclusive role cannot be read",
        ROLE_SPEC,
        {identity_policy(PUSHER, "*"): unreadable()},
        {identity_policy(PUSHER, "*"): (DriftKind.UNREADABLE, "denied")},
    ),
    Case("a user has policies of its own", USER_SPEC, {identity_policy(PUSH_USER, "work"): EVERYTHING}, {}),
    Case(
        "a user has an unknown ecr-warden policy",
        USER_SPEC,
        {identity_policy(PUSH_USER, X): EVERYTHING},
        {identity_policy(PUSH_USER, X): (DriftKind.UNEXPECTED, "not in the spec")},
    ),
    Case(
        "a role of literal documents has a policy with our name",
        NAMED,
        {identity_policy(LEGACY, X): EVERYTHING, attached_policy(LEGACY, ADMIN): None},
        {},
    ),
    Case("older sessions are denied", ROLE_SPEC, {CUTOFF: denial_of(Sessions(NOW))}, {}),
    Case(
        "a responder denies older sessions",
        ROLE_SPEC,
        {identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS): denial_of(Sessions(NOW))},
        {},
    ),
    Case(
        "a responder's clock is ahead",
        ROLE_SPEC,
        {REVOKED: denial_of(Sessions(NOW + FARTHEST_AHEAD))},
        {},
    ),
    Case(
        "a responder's policy denies all access for years",
        ROLE_SPEC,
        {REVOKED: denial_of(Sessions(NOW + timedelta(days=3650)))},
        {REVOKED: (DriftKind.UNEXPECTED, "it denies all access until 2036-11-21T10:00:00Z")},
    ),
    Case(
        "our policy denies all access for years",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW + timedelta(days=3650)))},
        {CUTOFF: (DriftKind.UNEXPECTED, "it denies all access until 2036-11-21T10:00:00Z")},
    ),
    Case(
        "an Allow hides under the name of a responder's",
        ROLE_SPEC,
        {identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS): EVERYTHING},
        {identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS): (DriftKind.UNEXPECTED, "not in the spec")},
    ),
    Case(
        "the policy with our name cannot be parsed",
        ROLE_SPEC,
        {CUTOFF: unparseable()},
        {CUTOFF: (DriftKind.UNPARSEABLE, "a number")},
    ),
    Case(
        "a role that is to go has a cut-off too",
        replace(ROLE_SPEC, documents={ROLE: MustNotExist()}),
        {ROLE: SETTINGS, CUTOFF: denial_of(Sessions(NOW))},
        {
            CUTOFF: (DriftKind.UNEXPECTED, "not in the spec"),
            ROLE: (DriftKind.UNEXPECTED, "not in the spec"),
        },
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_differs_is_drift_and_nothing_else(case: Case) -> None:
    found = diff(case.spec, reading(case.spec, case.live), now=NOW)
    assert {drift.address: drift.kind for drift in found} == {a: kind for a, (kind, _) in case.drift.items()}
    for drift in found:
        assert case.drift[drift.address][1] in drift.explain
    assert [drift.address for drift in found] == sorted(drift.address for drift in found)


def test_an_address_that_was_not_read_counts_as_absent() -> None:
    [drift] = diff(USER_SPEC, Observation(PUSH_USER), now=NOW)
    assert (drift.address, drift.kind) == (D4, DriftKind.MISSING)


@pytest.mark.parametrize(
    ("spec", "address", "live", "gained", "lost"),
    [
        (ROLE_SPEC, D2, MORE_TRUST, [MALLORY], []),
        (REPOSITORY_SPEC, D1, Absent(), [], [ANNA, f"{ANNA[:-1]}2"]),
        (NO_POLICY, D1, document(allow("ecr:PutImage", who=MALLORY)), [MALLORY], []),
    ],
    ids=["a principal more", "a missing policy", "a policy that is not wanted"],
)
def test_drift_says_what_the_live_document_gives_and_lacks(
    spec: TargetSpec, address: Address, live: Observed | LiveValue, gained: list[str], lost: list[str]
) -> None:
    [drift] = diff(spec, reading(spec, {address: live}), now=NOW)
    assert drift.change is not None
    for found, wanted in ((drift.change.gained, gained), (drift.change.lost, lost)):
        assert sorted({getattr(permission.principal, "value", "") for permission in found}) == wanted


USER = f"arn:aws:iam::{CI}:user/push-user"
RECREATED = Debts(recreated_principals=(USER,))


def test_a_document_that_differs_anyway_is_reported_as_changed() -> None:
    [drift] = diff(ROLE_SPEC, reading(ROLE_SPEC, {D2: MORE_TRUST}), now=NOW, debts=RECREATED)
    assert drift.kind is DriftKind.CHANGED


LATER = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("debts", "dated", "tampered"),
    [
        (None, LATER, False),
        (Debts(), LATER, True),
        (Debts(), NOW, False),
        (Debts(Sessions(LATER), sessions_ended=True), LATER, False),
        (Debts(Sessions(LATER), sessions_ended=True), LATER + timedelta(seconds=1), True),
        (Debts(Sessions(NOW - timedelta(hours=1)), sessions_ended=True), NOW, False),
    ],
    ids=[
        "a later one, without a record of what was written",
        "what is to come, where no run wrote any",
        "what has been, where no run wrote any",
        "as a run wrote it",
        "a second beyond what a run wrote",
        "moved on, to what has been",
    ],
)
def test_our_cut_off_is_not_later_than_a_run_wrote_it(debts: Debts | None, dated: datetime, tampered: bool) -> None:
    found = diff(ROLE_SPEC, reading(ROLE_SPEC, {CUTOFF: denial_of(Sessions(dated))}), now=NOW, debts=debts)
    assert [(drift.address, drift.kind) for drift in found] == [(CUTOFF, DriftKind.UNEXPECTED)] * tampered
