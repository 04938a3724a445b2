"""Somebody tampers with ecr-warden itself: it is reported at once, and not repaired."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.demo.places import REGISTRY
from local.testing.waiting import until
from tests.e2e.house import House

BOUNDARY = f"arn:aws:iam::{REGISTRY}:policy/ecr-warden/ecr-warden-boundary"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def _write_role(iam: Any) -> Callable[[], object]:
    iam.put_role_policy(RoleName="ecr-warden-write", PolicyName="more", PolicyDocument=ANYTHING)
    return lambda: iam.delete_role_policy(RoleName="ecr-warden-write", PolicyName="more")


def _boundary(iam: Any) -> Callable[[], object]:
    before = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["DefaultVersionId"]
    whole = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId=before)["PolicyVersion"]["Document"]
    made = iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=ANYTHING, SetAsDefault=True)

    def undo() -> None:  # ministack cannot make an earlier version the default
        iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=json.dumps(whole), SetAsDefault=True)
        for version in (before, made["PolicyVersion"]["VersionId"]):
            iam.delete_policy_version(PolicyArn=BOUNDARY, VersionId=version)

    return undo


@pytest.mark.parametrize(
    ("tamper", "thing", "call"),
    [
        (_write_role, "role ecr-warden-write", "iam:PutRolePolicy"),
        (_boundary, "policy ecr-warden-boundary", "iam:CreatePolicyVersion"),
    ],
    ids=["the write role may do anything", "the boundary allows anything"],
)
def test_tampering_with_ecr_warden_itself_is_reported_and_not_repaired(
    house: House, tamper: Callable[[Any], Callable[[], object]], thing: str, call: str
) -> None:
    since, title = house.now(), f"ecr-warden's own {thing} was changed by mallory"
    undo = tamper(house.stage.people.registry_admin.client("iam"))
    try:
        until(lambda: house.messages(since, title), what="the alert")
        [message] = house.messages(since, title)
        assert call in message.text
        assert "user/mallory" in message.text
        assert "docs/security.md" in message.text
        house.quiet.wait(since.mark)
        assert house.product_writes(since) == []
        assert house.is_right()
    finally:
        undo()
        house.quiet.wait(since.mark)
