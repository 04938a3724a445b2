"""Every difference between desired and observed, and nothing else."""

from copy import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, TargetSpec
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.observed import Absent, LiveValue, Observation, Observed
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions, denial_of
from ecr_warden.core.target import RoleTarget
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
)
from tests.tables import load
from tests.unit.repair.live import PLACES, live_of

LEGACY = RoleTarget(HOME, "legacy")
NAMED = TargetSpec(LEGACY, Extent.NAMED, {trust_policy(LEGACY): desired(D2)})
NO_POLICY = replace(spec_of(CHECKOUT), documents={D1: MustNotExist()})


ROLE_SPEC, USER_SPEC, REPOSITORY_SPEC = spec_of(PUSHER), spec_of(PUSH_USER), spec_of(CHECKOUT)
SPECS = {"role": ROLE_SPEC, "user": USER_SPEC, "repository": REPOSITORY_SPEC, "no policy": NO_POLICY}
ROWS: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/plans.yaml").read_text())["drift"]


@pytest.mark.parametrize("name", ROWS)
def test_what_differs_is_drift_and_nothing_else(name: str) -> None:
    row = ROWS[name]
    spec, expected = SPECS[row.get("of", "role")], {PLACES[place]: said for place, said in row["drift"].items()}
    found = diff(spec, reading(spec, live_of(row["live"])), now=NOW)
    assert {drift.address: drift.kind for drift in found} == {address: kind for address, (kind, _) in expected.items()}
    for drift in found:
        assert expected[drift.address][1] in drift.explain
    assert [drift.address for drift in found] == sorted(drift.address for drift in found)


def test_a_role_of_literal_documents_may_have_policies_with_our_name() -> None:
    others = {identity_policy(LEGACY, "ecr-warden-x"): EVERYTHING, attached_policy(LEGACY, ADMIN): None}
    assert diff(NAMED, reading(NAMED, others), now=NOW) == ()


def test_a_role_that_is_to_go_has_a_cut_off_too() -> None:
    gone = replace(ROLE_SPEC, documents={ROLE: MustNotExist()})
    found = diff(gone, reading(gone, {ROLE: SETTINGS, CUTOFF: denial_of(Sessions(NOW))}), now=NOW)
    assert {drift.address: (drift.kind, drift.explain) for drift in found} == dict.fromkeys(
        (CUTOFF, ROLE), (DriftKind.UNEXPECTED, "not in the spec")
    )


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


DATED = {
    "a later one, without a record of what was written": (None, LATER, False),
    "what is to come, where no run wrote any": (Debts(), LATER, True),
    "what has been, where no run wrote any": (Debts(), NOW, False),
    "as a run wrote it": (Debts(Sessions(LATER), sessions_ended=True), LATER, False),
    "a second more than a run wrote": (
        Debts(Sessions(LATER), sessions_ended=True),
        LATER + timedelta(seconds=1),
        True,
    ),
    "moved on, to what has been": (Debts(Sessions(NOW - timedelta(hours=1)), sessions_ended=True), NOW, False),
}


@pytest.mark.parametrize(("debts", "dated", "tampered"), DATED.values(), ids=DATED)
def test_our_cut_off_is_not_later_than_a_run_wrote_it(debts: Debts | None, dated: datetime, tampered: bool) -> None:
    found = diff(ROLE_SPEC, reading(ROLE_SPEC, {CUTOFF: denial_of(Sessions(dated))}), now=NOW, debts=debts)
    assert [(drift.address, drift.kind) for drift in found] == [(CUTOFF, DriftKind.UNEXPECTED)] * tampered
