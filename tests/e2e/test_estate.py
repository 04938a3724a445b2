"""What an event reports besides targets is in the stored estate within the same run, and no target is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_warden.core.codec.compressed import decompress
from local.demo.places import ADMINISTRATOR, CI, REGION, REGISTRY, REPOSITORY
from local.testing.waiting import until
from tests.e2e.house import House

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
)
OUTSIDE = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{**OUTSIDE, "Action": "sts:AssumeRole"}]})
OPEN = json.dumps({"Version": "2012-10-17", "Statement": [{**OUTSIDE, "Action": "ecr:*", "Resource": "*"}]})
PART = f"{REGISTRY}/{REGION}"

type Undo = Callable[[], object]
type Seen = Callable[[Any], bool]


def piece(house: House, part: str) -> Any:
    """A kept piece, as its object in the state bucket has it."""
    s3 = house.stage.aws.client(CI, "s3", REGION)
    body = s3.get_object(Bucket=house.stage.hub["StateBucket"], Key=f"estate/{part}.json.gz")["Body"].read()
    return decompress(body)["entry"]


def named(entries: list[Any], key: str, name: str) -> Any:
    return next((one for one in entries if one[key] == name), {})


def _group(house: House) -> tuple[str, Undo, Seen]:
    iam = house.stage.people.ci_admin.client("iam")
    iam.create_group(GroupName="crew")
    iam.put_group_policy(GroupName="crew", PolicyName="all", PolicyDocument=EVERYTHING)

    def undo() -> None:
        iam.delete_group_policy(GroupName="crew", PolicyName="all")
        iam.delete_group(GroupName="crew")

    return (
        CI,
        undo,
        lambda seen: bool(named(seen["iam"]["GroupDetailList"], "GroupName", "crew").get("GroupPolicyList")),
    )


def _managed(house: House) -> tuple[str, Undo, Seen]:
    iam = house.stage.people.ci_admin.client("iam")
    iam.create_user(UserName="helper")
    iam.attach_user_policy(UserName="helper", PolicyArn=ADMINISTRATOR)

    def undo() -> None:
        iam.detach_user_policy(UserName="helper", PolicyArn=ADMINISTRATOR)
        iam.delete_user(UserName="helper")

    def seen(entry: Any) -> bool:
        attached = named(entry["iam"]["UserDetailList"], "UserName", "helper").get("AttachedManagedPolicies", [])
        # What was not read says that AWS's text of the policy is missing.
        return [one["PolicyArn"] for one in attached] == [ADMINISTRATOR] and "unread" not in entry

    return CI, undo, seen


def _role(house: House) -> tuple[str, Undo, Seen]:
    iam = house.stage.people.registry_admin.client("iam")
    iam.create_role(RoleName="shadow", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="shadow", PolicyName="all", PolicyDocument=EVERYTHING)

    def undo() -> None:
        iam.delete_role_policy(RoleName="shadow", PolicyName="all")
        iam.delete_role(RoleName="shadow")

    def seen(entry: Any) -> bool:
        return bool(named(entry["iam"]["RoleDetailList"], "RoleName", "shadow").get("RolePolicyList"))

    return REGISTRY, undo, seen


def _registry_policy(house: House) -> tuple[str, Undo, Seen]:
    ecr = house.stage.people.registry_admin.client("ecr")
    ecr.put_registry_policy(policyText=OPEN)
    return PART, ecr.delete_registry_policy, lambda seen: seen["registryPolicy"] == OPEN


def _repository(house: House) -> tuple[str, Undo, Seen]:
    ecr = house.stage.people.registry_admin.client("ecr")
    ecr.create_repository(repositoryName="lib/unnamed")

    def seen(entry: Any) -> bool:
        return bool(named(entry["repositories"], "repositoryName", "lib/unnamed"))

    return PART, lambda: ecr.delete_repository(repositoryName="lib/unnamed"), seen


DEEDS: dict[str, Callable[[House], tuple[str, Undo, Seen]]] = {
    "a group's policy": _group,
    "a managed policy on a user": _managed,
    "a new role that trusts another account": _role,
    "a registry policy": _registry_policy,
    "a repository that the spec does not name": _repository,
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_what_an_event_reports_is_in_the_kept_estate(house: House, deed: Callable[[House], Any]) -> None:
    since = house.now()
    part, undo, seen = deed(house)
    try:
        until(lambda: seen(piece(house, part)), what="the new piece")
        house.quiet.wait(since.mark)
        assert house.product_writes(since) == []
        assert house.is_right()
    finally:
        undo()
        until(lambda: not seen(piece(house, part)), what="the piece without it")
        house.quiet.wait(since.mark)


def test_a_sweep_keeps_every_part_with_nothing_unread(house: House) -> None:
    for part in (CI, REGISTRY, PART):
        assert "unread" not in piece(house, part)
    names = [one["repositoryName"] for one in piece(house, PART)["repositories"]]
    assert REPOSITORY in names
