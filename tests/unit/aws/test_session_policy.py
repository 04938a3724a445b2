"""A write session may do exactly what its plan does: the policy against the calls that the writer makes."""

import json
from copy import replace
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.failures import SessionPolicyTooLarge
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Present
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.aws_session_policy import session_policy
from iam_access.document.document import Document
from local.testing.seed import (
    BOUNDARY,
    CHECKOUT,
    CI,
    D3,
    D4,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    identity_document,
    repository_document,
    trust_document,
)
from tests.contracts.aws import Call
from tests.contracts.worlds import MotoWorld

POLICY, TRUST, SELF = repository_policy(CHECKOUT), trust_policy(PUSHER), role(PUSHER)
POWER = attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/Power")
POWER_OF_USER = attached_policy(PUSH_USER, f"arn:aws:iam::{CI}:policy/Power")
# Asked for besides the call itself: tags need iam:TagRole (IAM User Guide, id_tags_roles). Whether a boundary in
# CreateRole needs its own action too is unproven; allowing it gives nothing: the write role may put one boundary only.
IMPLIED = {"iam:CreateRole": {"iam:TagRole", "iam:PutRolePermissionsBoundary"}}

CASES: dict[str, tuple[Address, Document | RoleSettings | NewRole | None, bool]] = {
    "repository policy is made": (POLICY, repository_document(), False),
    "repository policy is replaced": (POLICY, repository_document(), True),
    "repository policy is deleted": (POLICY, None, True),
    "role is made": (SELF, NewRole(SETTINGS, trust_document()), False),
    "role is repaired": (SELF, SETTINGS, True),
    "role is deleted": (SELF, None, True),
    "trust policy is replaced": (TRUST, trust_document(), True),
    "role's policy is made": (D3, identity_document(), False),
    "role's policy is replaced": (D3, identity_document(), True),
    "role's policy is deleted": (D3, None, True),
    "policy is detached": (POWER, None, True),
    "policy is detached from a user": (POWER_OF_USER, None, True),
    "user's policy is made": (D4, identity_document(), False),
    "user's policy is deleted": (D4, None, True),
}


def furnish(world: MotoWorld, address: Address, *, is_there: bool) -> None:
    world.make_policy(BOUNDARY)
    world.make(CHECKOUT)
    world.make(PUSH_USER)
    if is_there or address != SELF:
        loose = replace(SETTINGS, max_session_duration=7200, boundary=None)
        world.make_role(PUSHER, loose, trust_document("mallory"), tagged=True)
    if not is_there or address in (SELF, TRUST):
        return
    if address in (POWER, POWER_OF_USER):
        world.attach(address)
    else:
        world.put(address, repository_document("mallory") if address == POLICY else identity_document("*"))


def planned(world: MotoWorld, address: Address, after: Document | RoleSettings | NewRole | None) -> Plan:
    spec = TargetSpec(address.target, Extent.WHOLE, {address: MustNotExist()})
    found = world.documents.read(spec).documents.get(address)
    digest = found.digest if isinstance(found, Present) else None
    operation = Operation.DELETE if after is None else Operation.UPDATE if digest else Operation.CREATE
    return Plan(address.target, "v1", changes=(Change(operation, address, None, digest, after),))


def statement(policy: str) -> dict[str, Any]:
    (only,) = json.loads(policy)["Statement"]
    assert only["Effect"] == "Allow"
    return dict(only)


@pytest.mark.parametrize("case", CASES)
def test_session_policy_allows_exactly_the_writer_s_calls(world: MotoWorld, case: str) -> None:
    address, after, is_there = CASES[case]
    furnish(world, address, is_there=is_there)
    plan = planned(world, address, after)
    writer = world.documents.writer(plan, "r1")
    world.wire.calls.clear()
    for change in plan.changes:
        writer.write(change)
    called = set(world.wire.actions)
    implied = set().union(*(IMPLIED.get(action, set()) for action in called))
    assert set(statement(session_policy(plan))["Action"]) == called | implied


def test_plan_of_many_changes_allows_the_actions_of_each_once() -> None:
    changes = tuple(
        Change(Operation.DELETE if after is None else Operation.UPDATE, address, None, None, after)
        for address, after, _ in CASES.values()
        if address.target == PUSHER
    )
    whole = statement(session_policy(Plan(PUSHER, "v1", changes=changes)))["Action"]
    assert whole == sorted(set(whole))
    for change in changes:
        part = statement(session_policy(Plan(PUSHER, "v1", changes=(change,))))["Action"]
        assert set(part) <= set(whole)


@pytest.mark.parametrize(
    ("target", "resources"),
    [
        (CHECKOUT, [f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout"]),
        (PUSHER, [f"arn:aws:iam::{HOME}:role/ecr-pusher", f"arn:aws:iam::{HOME}:role/*/ecr-pusher"]),
        (PUSH_USER, [f"arn:aws:iam::{CI}:user/push-user", f"arn:aws:iam::{CI}:user/*/push-user"]),
    ],
)
def test_session_policy_names_the_plan_s_target_alone(target: Target, resources: list[str]) -> None:
    assert statement(session_policy(Plan(target, "v1")))["Resource"] == resources


@pytest.mark.parametrize(
    "target",
    [
        RepositoryTarget(HOME, "ap-southeast-4", "a" * 256),
        RoleTarget(HOME, "r" * 64),
        UserTarget(CI, "u" * 64),
    ],
)
def test_session_policy_of_the_longest_names_fits(target: RepositoryTarget | RoleTarget | UserTarget) -> None:
    changes: list[Change] = []
    for address, after, _ in CASES.values():
        if type(address.target) is type(target):
            operation = Operation.DELETE if after is None else Operation.UPDATE
            long = replace(address, target=target, name=address.name and "p" * 128)
            changes.append(Change(operation, long, None, None, after))
    text = session_policy(Plan(target, "v1", changes=tuple(changes)))
    assert len(text) <= 2048
    assert len(changes) >= 2


def sts_that_packs(world: MotoWorld, most: int) -> list[list[str]]:
    """Have STS refuse a session policy of more than so many actions, and keep the actions of those that it accepts."""
    accepted: list[list[str]] = []

    def packed(call: Call) -> tuple[str, str, int] | None:
        actions = statement(call.parameters["Policy"])["Action"]
        if len(actions) > most:
            percent = 100 * len(actions) // most
            return "PackedPolicyTooLarge", f"Packed policy consumes {percent}% of allotted space", 400
        accepted.append(actions)
        return None

    world.wire.faults["sts:AssumeRole"] = packed
    return accepted


REPAIR = ((SELF, SETTINGS), (TRUST, trust_document()), (D3, identity_document()), (POWER, None))
OF_THE_REPAIR = (
    ["iam:GetRole", "iam:PutRolePermissionsBoundary", "iam:UpdateRole"],
    ["iam:GetRole", "iam:UpdateAssumeRolePolicy"],
    ["iam:GetRolePolicy", "iam:PutRolePolicy"],
    ["iam:DetachRolePolicy"],
)


@pytest.mark.parametrize(
    ("most", "sessions"),
    [
        (7, [{0, 1, 2, 3}]),
        (6, [{0, 1}, {2, 3}]),
        (3, [{0}, {1}, {2, 3}]),
    ],
)
def test_a_policy_that_sts_finds_too_large_is_split_in_the_order_of_the_plan(
    world: MotoWorld, most: int, sessions: list[set[int]]
) -> None:
    furnish(world, D3, is_there=True)
    world.attach(POWER)
    changes = tuple(change for address, after in REPAIR for change in planned(world, address, after).changes)
    accepted = sts_that_packs(world, most)
    writer = world.documents.writer(Plan(PUSHER, "v1", changes=changes), "r1")
    assert accepted == [sorted({action for one in part for action in OF_THE_REPAIR[one]}) for part in sessions]
    for change in changes:
        writer.write(change)
    spec = TargetSpec(PUSHER, Extent.WHOLE, dict.fromkeys((address for address, _ in REPAIR), MustNotExist()))
    found = world.documents.read(spec).documents
    assert {address: one.value for address, one in found.items() if isinstance(one, Present)} == dict(REPAIR[:3])
    assert len(accepted) == len(sessions), "every session is open before the first write"


def test_a_change_that_is_too_large_by_itself_writes_nothing_and_says_so(world: MotoWorld) -> None:
    furnish(world, D3, is_there=True)
    changes = tuple(change for address, after in REPAIR[:3] for change in planned(world, address, after).changes)
    sts_that_packs(world, 2)
    world.wire.calls.clear()
    with pytest.raises(SessionPolicyTooLarge, match="Packed policy consumes 150%") as caught:
        world.documents.writer(Plan(PUSHER, "v1", changes=changes), "r1")
    assert not caught.value.retryable
    assert set(world.wire.actions) == {"sts:AssumeRole"}
