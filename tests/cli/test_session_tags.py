"""Whoever opens a session chooses its tags and source identity: what depends on them is never certain."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command

ESTATE = Path(__file__).parents[2] / "examples" / "who-can" / "estate.json"
PUSHER, USER = "arn:aws:iam::222222222222:role/ecr-warden/ecr-pusher", "arn:aws:iam::111111111111:user/push-user"
ENTERING: dict[str, Mapping[str, Any]] = {
    "a tag": {"StringEquals": {"aws:RequestTag/team": "shop"}},
    "no tag of a name": {"Null": {"aws:RequestTag/team": "true"}},
    "the names of tags": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
    "tags that are handed on": {"ForAnyValue:StringEquals": {"sts:TransitiveTagKeys": ["team"]}},
    "a source identity": {"StringEquals": {"sts:SourceIdentity": "anna"}},
}


def role_of(estate: dict[str, Any]) -> dict[str, Any]:
    entries = (role for one in estate["accounts"].values() for role in one["iam"]["RoleDetailList"])
    return next(role for role in entries if role["Arn"] == PUSHER)


def answer(command: Command, estate: dict[str, Any], path: Path) -> str:
    path.write_text(json.dumps(estate))
    ran = command("can-i", USER, "push", "shop/checkout", "--snapshot", str(path))
    return ran.out.split()[0]


@pytest.mark.parametrize("name", ENTERING)
def test_a_trust_policy_that_asks_for_it_is_a_condition(name: str, command: Command, tmp_path: Path) -> None:
    estate = json.loads(ESTATE.read_text())
    assert answer(command, estate, tmp_path / "estate.json") == "yes"
    role_of(estate)["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] = ENTERING[name]
    assert answer(command, estate, tmp_path / "estate.json") == "conditional"


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
