"""Who administers an account, and what it takes to find it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.administrators import administrators
from iam_access.who_can.decide import AccessDecision, Given, Permission
from iam_access.who_can.subject import Subject
from tests.snapshots import estate_from_text
from tests.tables import load
from tests.unit.access.snapshots import HOME, allow, document, managed, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)


ME = f"arn:aws:iam::{HOME}:user/me"
EVERYTHING = allow("*")
_MFA: dict[str, Any] = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
_LIMIT = managed("limit", document(allow("s3:*")))
_KEPT = {
    "Effect": "Deny",
    "Action": ["iam:Put*", "iam:Attach*", "iam:Delete*", "iam:CreatePolicyVersion"],
    "Resource": "*",
}
_NO_IAM = managed("no-iam", document(allow("*"), _KEPT))
_NO_ATTACHING = managed("no-attaching", document(allow("*"), {**_KEPT, "Action": "iam:Attach*"}))
_IDLE = user("idle", Tags=[{"Key": "team", "Value": "shop"}])
_BOUNDED = user("bounded", PermissionsBoundary={"PermissionsBoundaryArn": _LIMIT["Arn"]})
_BOSS = user("boss", EVERYTHING)


def _group(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}]
    return {"Arn": f"arn:aws:iam::{HOME}:group/{name}", "GroupName": name, "GroupPolicyList": policies}


CASES: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/access/administrators.yaml").read_text())[
    "administers"
]


def _identities(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The user and the role of a row."""
    may = row.get("may", [])
    within: dict[str, Any] = (
        {"PermissionsBoundary": {"PermissionsBoundaryArn": row["within"]}} if "within" in row else {}
    )
    made = [user("me", *(may if isinstance(may, list) else [may]), **within)]
    if "role" in row:
        trust = document(row["role"]["trusts"])
        own = [row["role"]["may"]] if "may" in row["role"] else []
        made.append(role("r", HOME, *own, AssumeRolePolicyDocument=trust))
    return made


@pytest.mark.parametrize("name", CASES)
def test_who_administers_and_whose_access_is_no_finding(name: str) -> None:
    groups = [_group("admins", EVERYTHING), _group("careful", allow("*", **_MFA)), _group("readers", allow("s3:*"))]
    others = _IDLE, _BOUNDED, _BOSS
    given = snapshot(*_identities(CASES[name]), *others, policies=[_LIMIT, _NO_IAM, _NO_ATTACHING], groups=groups)
    graph = RepositoryGraph(estate_from_text(json.dumps(given), at=NOW))
    found = administrators(graph, graph.estate.accounts[HOME])
    administers = CASES[name]["administers"]
    assert (ME in found.iam, ME in found.unlimited) == (administers is not False, administers == "without a limit")
    assert found.unlimited <= found.iam.keys()


class _Counting(RepositoryGraph):
    """A graph that counts its decisions."""

    decisions = 0

    def ask(self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None) -> AccessDecision:
        self.decisions += 1
        return super().ask(subject, permissions, given)


_ATTACHES = ["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy"]


def _only(policy: str) -> dict[str, Any]:
    return {"Condition": {"ArnLike": {"iam:PolicyARN": f"arn:aws:iam::{HOME}:policy/{policy}"}}}


# What each of many users and roles may do, and what they hold: there is a policy and a group for each of them.
MANY: dict[str, tuple[dict[str, Any], str]] = {
    "attach any policy": (allow(_ATTACHES), ""),
    "attach policies of a pattern": (allow(_ATTACHES, **_only("p*")), ""),
    "attach the one of their number": (allow(_ATTACHES, **_only("p{}")), ""),
    "write any version": (allow("iam:CreatePolicyVersion"), "AttachedManagedPolicies"),
    "put users into any group": (allow("iam:AddUserToGroup"), "GroupList"),
}


def _many(count: int, statement: dict[str, Any], holds: str) -> _Counting:
    policies, groups, people = [], [], []
    for number in range(count):
        about = document(allow("s3:*", f"arn:aws:s3:::of{number}"))
        team = {"Arn": f"arn:aws:iam::{HOME}:group/team{number}", "GroupName": f"team{number}"}
        policies.append(managed(f"p{number}", about))
        groups.append(team | {"GroupPolicyList": [{"PolicyName": "own", "PolicyDocument": about}]})
        held: dict[str, Any] = {
            "AttachedManagedPolicies": [{"PolicyArn": policies[number]["Arn"]}],
            "GroupList": [team["GroupName"]],
        }
        more = {holds: held[holds]} if holds else {}
        numbered = json.loads(json.dumps(statement).replace("{}", str(number)))
        says = allow("s3:GetObject", f"arn:aws:s3:::own{number}/*"), numbered
        people.append(user(f"u{number}", *says, **more))
        if holds != "GroupList":
            people.append(role(f"r{number}", {"Service": "lambda.amazonaws.com"}, *says, **more))
    given = snapshot(*people, policies=policies, groups=groups)
    return _Counting(estate_from_text(json.dumps(given), at=NOW))


@pytest.mark.parametrize("name", MANY)
def test_decisions_grow_with_who_is_there_and_not_with_their_pairs(name: str) -> None:
    decisions = []
    for count in (5, 10, 20):
        graph = _many(count, *MANY[name])
        administrators(graph, graph.estate.accounts[HOME])
        decisions.append(graph.decisions)
    few, some, many = decisions
    assert many - some <= 2 * (some - few), decisions
