"""The three conditions of a repository, from what the hub remembers."""

from collections.abc import Mapping
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.finding import (
    AuditFailed,
    AuditRecord,
    Certainty,
    Condition,
    ConditionStatus,
    Finding,
    FindingKind,
    SeenFinding,
    UnreadCause,
    UnreadDocument,
)
from ecr_warden.audit.health import Health, Involved, longest_gap
from ecr_warden.collect.estate import StoredPiece
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.core.target import RoleTarget, Target, UserTarget
from ecr_warden.state.sweeps import SweepRecord
from ecr_warden.state.target_status import TargetStatus
from local.testing.seed import ACCEPTED, CHECKOUT, CI, HOME, NOW, PULL_USERS, PUSH_USER, PUSHER, compiled

REGISTRY = f"{HOME}/{CHECKOUT.region}"
PARTS = (CI, HOME, REGISTRY)
GAP = longest_gap("rate(15 minutes)")
INVOLVED = Involved(ACCEPTED)
MINUTE = timedelta(minutes=1)
SHADOW = f"arn:aws:iam::{HOME}:role/shadow"
EXTRA = Finding(FindingKind.EXTRA, str(CHECKOUT), "pull", SHADOW, (SHADOW,))
AUDITED = AuditRecord(NOW, ACCEPTED.version, {}, audited_at=NOW)


def with_findings(*findings: Finding) -> AuditRecord:
    return replace(AUDITED, findings=tuple(SeenFinding(finding, NOW - MINUTE) for finding in findings))


def status(target: Target, result: Result | None = Result.IN_SYNC) -> TargetStatus:
    last = None if result is None else LastSeen(NOW, "r1", result)
    return TargetStatus(str(target), last, None, None, trouble=False)


def health(
    record: AuditRecord | None = AUDITED,
    results: Mapping[str, Result | None] | None = None,
    kept: Mapping[str, StoredPiece] | None = None,
    after: timedelta = timedelta(0),
) -> Health:
    statuses = {target.key: status(target) for target in INVOLVED.of(CHECKOUT)}
    for key, result in (results or {}).items():
        statuses[key] = replace(statuses[key], last=LastSeen(NOW, "r1", result) if result else None)
    sweeps = {part: SweepRecord(part, NOW, ACCEPTED.version) for part in PARTS}
    every = {part: StoredPiece("tag", NOW) for part in PARTS}
    return Health(INVOLVED, statuses, record, sweeps, every if kept is None else kept, GAP, NOW + after)


def test_a_repository_involves_everybody_whom_its_grants_need() -> None:
    assert {*INVOLVED.of(CHECKOUT)} == {CHECKOUT, PUSHER, PUSH_USER, *PULL_USERS}


def test_a_role_is_involved_in_the_repositories_that_its_policies_name_by_pattern_and_in_no_others() -> None:
    policy = (
        '{Statement: {Effect: Allow, Action: "ecr:PutImage", Resource: ["*", "arn:aws:ecr:*:*:repository/shop/*"]}}'
    )
    text = f"""
version: 1
accounts: {{registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories: [{{name: shop/cart, account: registry, pull: [registry:user/anna]}},
  {{name: lib/base, account: registry, pull: [registry:user/anna]}}]
documents: [{{kind: identity-policy, account: registry, role: builder, name: push, document: {policy}}}]
"""
    found = Involved(compiled(text.encode()))
    cart, base = (replace(CHECKOUT, name=name) for name in ("shop/cart", "lib/base"))
    assert RoleTarget(HOME, "builder") in found.of(cart)
    assert RoleTarget(HOME, "builder") not in found.of(base)
    assert UserTarget(HOME, "anna") in found.of(base)


def test_a_condition_names_what_it_is_about() -> None:
    assert str(PUSH_USER) in health(results={PUSH_USER.key: Result.REPORTED}).of(CHECKOUT).in_sync.message
    assert ":role/shadow can pull" in health(with_findings(EXTRA)).of(CHECKOUT).audited.message


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({}, (ConditionStatus.TRUE, "InSync")),
        ({PUSH_USER.key: Result.REPORTED}, (ConditionStatus.FALSE, "Drifted")),
        ({PUSHER.key: Result.UNKNOWN}, (ConditionStatus.UNKNOWN, "Unreadable")),
        ({PUSHER.key: None}, (ConditionStatus.UNKNOWN, "NotYetRead")),
        ({PUSHER.key: Result.UNKNOWN, CHECKOUT.key: Result.FAILED}, (ConditionStatus.FALSE, "Drifted")),
    ],
    ids=["all", "a user differs", "its role is unreadable", "its role was never read", "drift is certain"],
)
def test_in_sync_is_of_the_repository_and_of_all_who_are_involved(
    results: Mapping[str, Result | None], expected: tuple[ConditionStatus, str]
) -> None:
    found = health(results=results).of(CHECKOUT).in_sync
    assert (found.status, found.reason) == expected


def _unread(place: str) -> AuditRecord:
    return replace(AUDITED, unread=(UnreadDocument(place, "", "all", UnreadCause.REFUSED, "denied"),))


WHOLE = Finding(FindingKind.REGISTRY, REGISTRY, "pull", "anyone")
RECORDS: dict[str, tuple[AuditRecord | None, tuple[ConditionStatus, str]]] = {
    "no findings": (AUDITED, (ConditionStatus.TRUE, "Audited")),
    "no audit yet": (None, (ConditionStatus.UNKNOWN, "NotAudited")),
    "an audit that failed": (
        replace(AUDITED, failure=AuditFailed("KeyError")),
        (ConditionStatus.UNKNOWN, "AuditFailed"),
    ),
    "an audit of another version": (replace(AUDITED, version="v0"), (ConditionStatus.UNKNOWN, "AnotherVersion")),
    "somebody who can": (with_findings(EXTRA), (ConditionStatus.FALSE, "ExtraAccess")),
    "somebody who may": (
        with_findings(replace(EXTRA, certainty=Certainty.UNKNOWN)),
        (ConditionStatus.UNKNOWN, "Undecided"),
    ),
    "another repository": (with_findings(replace(EXTRA, place=str(CHECKOUT) + "2")), (ConditionStatus.TRUE, "Audited")),
    "a registry policy": (with_findings(WHOLE), (ConditionStatus.FALSE, "RegistryPolicy")),
    "a registry policy for some": (with_findings(replace(WHOLE, scope="team/*")), (ConditionStatus.TRUE, "Audited")),
    "a registry policy for these": (
        with_findings(replace(WHOLE, scope="shop/*")),
        (ConditionStatus.FALSE, "RegistryPolicy"),
    ),
    "a registry policy elsewhere": (
        with_findings(replace(WHOLE, place=f"{HOME}/eu-west-1")),
        (ConditionStatus.TRUE, "Audited"),
    ),
    "an administrator": (with_findings(Finding(FindingKind.ADMINISTRATOR, HOME)), (ConditionStatus.TRUE, "Audited")),
    "a part that was not read": (
        _unread(CI),
        (ConditionStatus.UNKNOWN, "Unread"),
    ),
    "a part elsewhere": (
        _unread(f"{CI}/eu-west-1"),
        (ConditionStatus.TRUE, "Audited"),
    ),
    "more findings than are kept": (replace(AUDITED, left_out=1), (ConditionStatus.UNKNOWN, "TooManyFindings")),
}


@pytest.mark.parametrize("name", RECORDS)
def test_audited_is_what_the_last_audit_says_of_the_repository(name: str) -> None:
    record, expected = RECORDS[name]
    found = health(record).of(CHECKOUT).audited
    assert (found.status, found.reason) == expected


def test_fresh_until_the_oldest_part_is_overdue_and_false_since_then() -> None:
    assert health(after=GAP).of(CHECKOUT).fresh.status is ConditionStatus.TRUE
    late = health(after=GAP + MINUTE).of(CHECKOUT).fresh
    assert (late.status, late.reason, late.since) == (ConditionStatus.FALSE, "Overdue", NOW + GAP)
    missing = health(kept={HOME: StoredPiece("tag", NOW), REGISTRY: StoredPiece("tag", NOW)}).of(CHECKOUT).fresh
    assert (missing.status, missing.message) == (ConditionStatus.UNKNOWN, f"{CI} was never surveyed")


def test_access_that_was_audited_too_long_ago_is_unknown_and_a_finding_stays_one() -> None:
    assert health(after=GAP + MINUTE).access(CHECKOUT).status is ConditionStatus.UNKNOWN
    assert health(with_findings(EXTRA), after=GAP + MINUTE).access(CHECKOUT).status is ConditionStatus.FALSE
    assert health().access(CHECKOUT).status is ConditionStatus.TRUE


def test_a_condition_holds_since_its_status_changed_whatever_its_reason() -> None:
    earlier = NOW - timedelta(hours=1)
    first = health().of(CHECKOUT)
    known = replace(first, audited=Condition(ConditionStatus.FALSE, "MissingAccess", "another one", earlier))
    record = replace(with_findings(EXTRA), health={str(CHECKOUT): known})
    assert health(record).of(CHECKOUT).audited.since == earlier
    fine = replace(AUDITED, health={str(CHECKOUT): known})
    assert health(fine).of(CHECKOUT).audited.since == NOW
