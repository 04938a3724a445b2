"""Who administers an account, and what it takes to find it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.administrators import administrators
from ecr_warden.core.codec.snapshot import estate_from_text
from iam_access.who_can.decide import AccessDecision, Given, Permission
from iam_access.who_can.subject import Subject
from tests.unit.access.snapshots import HOME, allow, document, managed, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)


ME = f"arn:aws:iam::{HOME}:user/me"
EVERYTHING = allow("*")
_MFA: dict[str, Any] = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
_LIMIT = managed("limit", document(allow("s3:*")))
_KEPT = {"Effect": "Deny", "Action": ["iam:Put*", "iam:Attach*"], "Resource": "*"}
_NO_IAM = managed("no-iam", document(allow("*"), _KEPT))
_IDLE = user("idle", Tags=[{"Key": "team", "Value": "shop"}])
_BOUNDED = user("bounded", PermissionsBoundary={"PermissionsBoundaryArn": _LIMIT["Arn"]})
_BOSS = user("boss", EVERYTHING)


def _when(action: str | list[str], operator: str, key: str, value: str) -> dict[str, Any]:
    return allow(action, Condition={operator: {key: value}})


def _group(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}]
    return {"Arn": f"arn:aws:iam::{HOME}:group/{name}", "GroupName": name, "GroupPolicyList": policies}


def _joins(group: str) -> dict[str, Any]:
    return allow("iam:AddUserToGroup", f"arn:aws:iam::{HOME}:group/{group}")


def _trusting(statement: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"AWS": ME}, "Action": "sts:AssumeRole"}
    return role("entered", ME, EVERYTHING, AssumeRolePolicyDocument=document(trust | statement))


# What somebody may do, and whether they administer the account; whether their access is no finding then.
CASES: dict[str, tuple[list[dict[str, Any]], bool, bool]] = {
    "writes any policy": ([user("me", allow("iam:PutUserPolicy"))], True, True),
    "attaches any policy": ([user("me", allow("iam:AttachUserPolicy"))], True, True),
    "writes with MFA": ([user("me", allow("iam:PutUserPolicy", **_MFA))], True, False),
    "attaches some policies": (
        [user("me", _when("iam:AttachUserPolicy", "ArnLike", "iam:PolicyARN", "arn:aws:iam::*:policy/*"))],
        True,
        False,
    ),
    "writes where nothing is attached": (
        [user("me", _when("iam:PutUserPolicy", "ArnLike", "iam:PolicyARN", "arn:aws:iam::*:policy/*"))],
        False,
        False,
    ),
    "writes what has a tag that somebody has": (
        [user("me", _when("iam:PutUserPolicy", "StringEquals", "iam:ResourceTag/team", "shop"))],
        True,
        False,
    ),
    "writes what has a tag that nobody has": (
        [user("me", _when("iam:PutUserPolicy", "StringEquals", "aws:ResourceTag/team", "web"))],
        False,
        False,
    ),
    "writes what has the tag that they have": (
        [user("me", _when("iam:PutUserPolicy", "StringEquals", "iam:ResourceTag/team", "${aws:PrincipalTag/team}"))],
        False,
        False,
    ),
    "writes within a boundary that somebody has": (
        [user("me", _when("iam:PutUserPolicy", "ArnEquals", "iam:PermissionsBoundary", _LIMIT["Arn"]))],
        True,
        False,
    ),
    "writes within a boundary that nobody has": (
        [user("me", _when("iam:PutUserPolicy", "ArnEquals", "iam:PermissionsBoundary", _NO_IAM["Arn"]))],
        False,
        False,
    ),
    "sets a boundary that nobody has": (
        [user("me", _when("iam:PutUserPermissionsBoundary", "ArnEquals", "iam:PermissionsBoundary", _NO_IAM["Arn"]))],
        True,
        False,
    ),
    "makes keys of their own": (
        [user("me", allow(["iam:CreateAccessKey", "iam:UpdateLoginProfile"], "arn:aws:iam::*:user/${aws:username}"))],
        False,
        False,
    ),
    "makes keys of an administrator": ([user("me", allow("iam:CreateAccessKey", _BOSS["Arn"]))], True, True),
    "makes keys of somebody with little": ([user("me", allow("iam:CreateAccessKey", _IDLE["Arn"]))], True, False),
    "makes keys of whoever has a tag that no administrator has": (
        [user("me", _when("iam:CreateAccessKey", "StringEquals", "iam:ResourceTag/team", "shop"))],
        True,
        False,
    ),
    "opens a role with little": ([user("me", allow("iam:UpdateAssumeRolePolicy")), role("r", HOME)], True, False),
    "opens a role with everything": (
        [user("me", allow("iam:UpdateAssumeRolePolicy")), role("r", "111111111111", EVERYTHING)],
        True,
        True,
    ),
    "assumes an administrator's role": ([user("me"), _trusting({})], True, True),
    "assumes it with MFA": ([user("me"), _trusting(_MFA)], True, True),
    "joins administrators": ([user("me", _joins("admins"))], True, True),
    "joins those who administer with MFA": ([user("me", _joins("careful"))], True, False),
    "joins those with little": ([user("me", _joins("readers"))], True, False),
    "joins administrators within a boundary that leaves no policy to write": (
        [user("me", _joins("admins"), PermissionsBoundary={"PermissionsBoundaryArn": _NO_IAM["Arn"]})],
        True,
        False,
    ),
    "creates users, and passes roles": ([user("me", allow(["iam:CreateUser", "iam:PassRole"]))], False, False),
    "reads": ([user("me", allow("iam:Get*"))], False, False),
}


@pytest.mark.parametrize("name", CASES)
def test_who_administers_and_whose_access_is_no_finding(name: str) -> None:
    identities, named, unlimited = CASES[name]
    groups = [_group("admins", EVERYTHING), _group("careful", allow("*", **_MFA)), _group("readers", allow("s3:*"))]
    given = snapshot(*identities, _IDLE, _BOUNDED, _BOSS, policies=[_LIMIT, _NO_IAM], groups=groups)
    graph = RepositoryGraph(estate_from_text(json.dumps(given), at=NOW))
    found = administrators(graph, graph.estate.accounts[HOME])
    assert (ME in found.iam, ME in found.unlimited) == (named, unlimited)
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
