"""Whoever opens a session chooses its tags and source identity: what depends on them is never certain."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command

ESTATE = Path(__file__).parents[2] / "examples" / "who-can" / "estate.json"
PUSHER, USER = "arn:aws:iam::222222222222:role/ecr-warden/ecr-pusher", "arn:aws:iam::111111111111:user/push-user"
RIGHTS = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
# name: a condition of the trust policy; the answer where sessions can neither have tags nor a source identity
ENTERING: dict[str, tuple[Mapping[str, Any], str]] = {
    "a tag": ({"StringEquals": {"aws:RequestTag/team": "shop"}}, "no"),
    "no tag of a name": ({"Null": {"aws:RequestTag/team": "true"}}, "yes"),
    "the names of tags": ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, "yes"),
    "tags that are handed on": ({"ForAnyValue:StringEquals": {"sts:TransitiveTagKeys": ["team"]}}, "no"),
    "a source identity": ({"StringEquals": {"sts:SourceIdentity": "anna"}}, "no"),
}


def role_of(estate: dict[str, Any]) -> dict[str, Any]:
    entries = (role for one in estate["accounts"].values() for role in one["iam"]["RoleDetailList"])
    return next(role for role in entries if role["Arn"] == PUSHER)


def answer(command: Command, estate: dict[str, Any], path: Path) -> str:
    path.write_text(json.dumps(estate))
    ran = command("can-i", "--as", USER, "push", "shop/checkout", "--snapshot", str(path))
    return ran.out.partition(":")[0]


def trust_of(estate: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = role_of(estate)["AssumeRolePolicyDocument"]["Statement"][0]
    return statement


def assuming_of(estate: dict[str, Any]) -> dict[str, Any]:
    users = (user for account in estate["accounts"].values() for user in account["iam"]["UserDetailList"])
    policies = next(user["UserPolicyList"] for user in users if user["Arn"] == USER)
    statements = (statement for policy in policies for statement in policy["PolicyDocument"]["Statement"])
    return next(statement for statement in statements if "sts:AssumeRole" in statement["Action"])


@pytest.mark.parametrize("name", ENTERING)
def test_what_a_trust_policy_asks_of_a_session_is_a_condition_where_the_session_can_have_it(
    name: str, command: Command, tmp_path: Path
) -> None:
    estate, path = json.loads(ESTATE.read_text()), tmp_path / "estate.json"
    assert answer(command, estate, path) == "yes"
    trust_of(estate)["Condition"], otherwise = ENTERING[name]
    assert answer(command, estate, path) == otherwise
    trust_of(estate)["Action"] = assuming_of(estate)["Action"] = list(RIGHTS)
    assert answer(command, estate, path) == "conditional"


@pytest.mark.parametrize(("action", "expected"), [("sts:TagSession", "conditional"), ("sts:SetSourceIdentity", "no")])
def test_a_tag_of_the_session_is_a_condition_where_it_may_be_tagged(
    action: str, expected: str, command: Command, tmp_path: Path
) -> None:
    estate = json.loads(ESTATE.read_text())
    role = role_of(estate)
    role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] = ["sts:AssumeRole", action]
    for statement in role["RolePolicyList"][0]["PolicyDocument"]["Statement"]:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "shop"}}
    assert answer(command, estate, tmp_path / "estate.json") == expected
