"""Documents.fence: who is there, and whom the member stack lets ecr-warden write."""

import json
from typing import Any

import pytest
from ecr_warden.adapters.aws.documents import AwsDocuments
from ecr_warden.ports.errors import AccountUnreachable

from tests.contracts.seed import CI, USER
from tests.contracts.worlds import MemoryWorld, MotoWorld, World

OWNER, PATH = f"arn:aws:iam::{CI}:user/anna", f"arn:aws:iam::{CI}:user/ci/*"
LISTS = {"ManagedOwners": (OWNER,), "ManagedOwners3": (PATH, OWNER)}


def test_an_account_without_a_member_stack_has_no_lists(world: World) -> None:
    world.make(USER)
    found = world.documents.write_scope(CI)
    assert found.lists is None
    assert found.arns[USER.key] == f"arn:aws:iam::{CI}:user/{USER.name}"


def test_an_account_that_lets_nobody_in_is_said_to(world: World) -> None:
    world.close(CI)
    with pytest.raises(AccountUnreachable):
        world.documents.write_scope(CI)


def test_the_lists_are_read_as_they_stand(world: World) -> None:
    match world:
        case MemoryWorld():
            world.documents.lists[CI] = LISTS
        case MotoWorld():
            _deploy(world)
        case _:
            raise AssertionError
    assert world.documents.write_scope(CI).lists == LISTS


def _statement(sid: str, *resources: str, action: str = "iam:PutUserPolicy") -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": list(resources)}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _deploy(world: MotoWorld) -> None:
    """The write role as its stack makes it: lists in managed policies, older ones inline; and a namesake elsewhere."""
    assert isinstance(world.documents, AwsDocuments)
    iam = world.iam(CI)
    trust = _document({"Effect": "Allow", "Principal": {"AWS": CI}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="ecr-warden-write", Path="/ecr-warden/", AssumeRolePolicyDocument=trust)
    inline = _document(_statement("OwnersInlinePolicies", OWNER), _statement("TakeAwayFromOwnRoles", "*"))
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
