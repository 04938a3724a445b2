"""An account's users and roles as they are read, and which of them its member stack lets ecr-warden write."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from ecr_warden.repair.write_scope import WriteScope, scope_of
from local.testing.seed import CI, PUSH_USER
from tests.contracts.worlds import MemoryWorld, MotoWorld, World, read_of

OWNER, PATH = f"arn:aws:iam::{CI}:user/anna", f"arn:aws:iam::{CI}:user/ci/*"
LISTS = {"ManagedOwners": (OWNER,), "ManagedOwners3": (PATH, OWNER)}


def scope_in(world: World, account: str) -> WriteScope:
    return scope_of(read_of(world).listed(account))


def test_an_account_without_a_member_stack_has_no_lists(world: World) -> None:
    world.make(PUSH_USER)
    found = scope_in(world, CI)
    assert found.lists is None
    assert found.arns[PUSH_USER.key] == f"arn:aws:iam::{CI}:user/{PUSH_USER.name}"


@pytest.mark.parametrize("writes", [{}, {"Writes": ("identities",)}])
def test_the_lists_of_the_member_stack_are_read(world: World, writes: dict[str, tuple[str, ...]]) -> None:
    match world:
        case MemoryWorld():
            world.documents.lists[CI] = LISTS | writes
        case MotoWorld():
            _deploy(world, () if writes else (_statement("RepositoryPolicies", "*"),))
        case _:
            raise AssertionError
    assert scope_in(world, CI).lists == LISTS | writes


def _statement(sid: str, *resources: str, action: str = "iam:PutUserPolicy") -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": list(resources)}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _deploy(world: MotoWorld, more: Sequence[dict[str, Any]]) -> None:
    """The write role as its stack makes it: lists in managed policies, older ones inline; and a namesake elsewhere."""
    iam = world.iam(CI)
    trust = _document({"Effect": "Allow", "Principal": {"AWS": CI}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="ecr-warden-write", Path="/ecr-warden/", AssumeRolePolicyDocument=trust)
    inline = _document(_statement("OwnersInlinePolicies", OWNER), *more)
    iam.put_role_policy(RoleName="ecr-warden-write", PolicyName="write", PolicyDocument=inline)
    third = iam.create_policy(
        PolicyName="ecr-warden-owners-3",
        Path="/ecr-warden/",
        PolicyDocument=_document(_statement("OwnersInlinePolicies3", "*")),
    )["Policy"]["Arn"]
    current = _document(_statement("OwnersInlinePolicies3", PATH, OWNER))
    iam.create_policy_version(PolicyArn=third, PolicyDocument=current, SetAsDefault=True)
    iam.attach_role_policy(RoleName="ecr-warden-write", PolicyArn=third)
    # Not attached to the role: it opens nothing.
    iam.create_policy(PolicyName="roles", PolicyDocument=_document(_statement("NamedRoles", "*")))
