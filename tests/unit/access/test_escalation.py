"""Who could escalate: each way next to a twin that lacks one permission."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.escalation import Escalations
from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.administrators import administrators
from ecr_warden.audit.words import unread_text
from ecr_warden.core.codec.snapshot import estate_from_text
from ecr_warden_cli.access import question, reach, who_can
from ecr_warden_cli.access_text import names_of, show_reach, show_who_can
from ecr_warden_cli.console import Console
from ecr_warden_cli.context import Context
from iam_access.document.steps import Allowance
from iam_access.who_can.decide import AccessDecision, Given, Permission
from iam_access.who_can.subject import Subject
from local.testing.memory.hub import ManualClock
from tests.cli.command import Command
from tests.unit.access.snapshots import HOME, allow, document, managed, of_pieces, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_ME = f"arn:aws:iam::{HOME}:user/me"
_ADMIN = user("admin", allow("*"))
_NOBODY = user("nobody")
_PUSHER = role("pusher", {"Service": "ec2.amazonaws.com"}, allow("ecr:*"))
_OLD: dict[str, Any] = managed("shared", document(allow("s3:*")), document(allow("ecr:*")))
_SHARED: dict[str, Any] = {"AttachedManagedPolicies": [{"PolicyArn": _OLD["Arn"]}]}
_TEAM: dict[str, Any] = {"Arn": f"arn:aws:iam::{HOME}:group/team", "GroupName": "team", "GroupPolicyList": []}
_PUSHERS: dict[str, Any] = {
    "Arn": f"arn:aws:iam::{HOME}:group/pushers",
    "GroupName": "pushers",
    "GroupPolicyList": [{"PolicyName": "push", "PolicyDocument": document(allow("ecr:*"))}],
}
_LIMIT = managed("limit", document(allow("iam:*")))
_BOUNDED: dict[str, Any] = {"PermissionsBoundary": {"PermissionsBoundaryArn": _LIMIT["Arn"]}}
_WRITER = managed("writer", document(allow("iam:PutUserPolicy")))
_NARROW: dict[str, Any] = {"PermissionsBoundary": {"PermissionsBoundaryArn": _WRITER["Arn"]}}


def _mine(action: str, resource: str = _ME, **more: Any) -> dict[str, Any]:
    return user("me", allow(action, resource), **more)


def _federating(name: str) -> dict[str, Any]:
    every = f"arn:aws:sts::{HOME}:federated-user/"
    ops = {"ArnEquals": {"aws:PrincipalArn": f"{every}ops"}}
    return user("me", allow("sts:GetFederationToken", f"{every}{name}"), allow("ecr:*", Condition=ops))


CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "writes a policy of their own": (_mine("iam:PutUserPolicy"), True),
    "writes a policy of somebody else": (_mine("iam:PutUserPolicy", f"{_ME}-too"), False),
    "attaches a policy to themselves": (_mine("iam:AttachUserPolicy"), True),
    "detaches one only": (_mine("iam:DetachUserPolicy"), False),
    "makes a key for an administrator": (_mine("iam:CreateAccessKey", _ADMIN["Arn"]), True),
    "makes a key for a user who cannot": (_mine("iam:CreateAccessKey", _NOBODY["Arn"]), False),
    "sets an administrator's password": (_mine("iam:UpdateLoginProfile", _ADMIN["Arn"]), True),
    "reads an administrator's password policy only": (_mine("iam:GetLoginProfile", _ADMIN["Arn"]), False),
    "opens a role that can to themselves": (_mine("iam:UpdateAssumeRolePolicy", _PUSHER["Arn"]), True),
    "changes such a role's description only": (_mine("iam:UpdateRole", _PUSHER["Arn"]), False),
    "writes the policy of a role that they cannot assume": (_mine("iam:PutRolePolicy", _PUSHER["Arn"]), False),
    "writes a new version of their policy": (_mine("iam:CreatePolicyVersion", _OLD["Arn"], **_SHARED), True),
    "writes a new version of a policy that they have not": (_mine("iam:CreatePolicyVersion", _OLD["Arn"]), False),
    "sets an older version of their policy": (_mine("iam:SetDefaultPolicyVersion", _OLD["Arn"], **_SHARED), True),
    "lists the versions of their policy only": (_mine("iam:ListPolicyVersions", _OLD["Arn"], **_SHARED), False),
    "joins a group that can": (_mine("iam:AddUserToGroup", _PUSHERS["Arn"]), True),
    "joins a group that cannot": (_mine("iam:AddUserToGroup", _TEAM["Arn"]), False),
    "writes the policy of their group": (_mine("iam:PutGroupPolicy", _TEAM["Arn"], GroupList=["team"]), True),
    "writes the policy of another group": (_mine("iam:PutGroupPolicy", _TEAM["Arn"]), False),
    "writes a policy within a boundary that does not allow it": (_mine("iam:PutUserPolicy", **_NARROW), False),
    "writes a policy within a boundary by which they take over somebody": (
        _mine("iam:PutUserPolicy", **_BOUNDED),
        True,
    ),
    "and takes the boundary off": (_mine("iam:*User*", **_BOUNDED), True),
    "opens a federated user's session of the name that may": (_federating("ops"), True),
    "opens one of another name": (_federating("dev"), False),
    "writes the repository's policy": (
        user("me", allow(["ecr:SetRepositoryPolicy", "ecr:GetAuthorizationToken"])),
        True,
    ),
    "writes the repository's policy and gets no token, which docker alone needs": (
        _mine("ecr:SetRepositoryPolicy", "*"),
        True,
    ),
}


@pytest.mark.parametrize("kept", [False, True], ids=["of a snapshot", "of kept pieces"])
@pytest.mark.parametrize("name", CASES)
def test_who_could_escalate(name: str, kept: bool) -> None:
    me, could = CASES[name]
    given = snapshot(me, _ADMIN, _NOBODY, _PUSHER, policies=[_OLD, _LIMIT, _WRITER], groups=[_TEAM, _PUSHERS])
    graph = RepositoryGraph(of_pieces(given, NOW) if kept else estate_from_text(json.dumps(given), at=NOW))
    found = who_can(graph, question(graph, "push", "app"), Escalations(graph))
    assert _ME not in {path.subject.arn for path in found.identities}
    assert (_ME in {one.arn for one in found.escalations}) is could


def test_a_way_over_two_roles_is_named_step_by_step() -> None:
    middle = role("middle", {"AWS": _ME}, allow("iam:PutRolePolicy", f"arn:aws:iam::{HOME}:role/last"))
    last = role("last", {"AWS": f"arn:aws:iam::{HOME}:role/middle"})
    graph = RepositoryGraph(estate_from_text(json.dumps(snapshot(user("me"), middle, last)), at=NOW))
    found = who_can(graph, question(graph, "push", "app"), Escalations(graph))
    steps = {one.arn: one.steps for one in found.escalations}
    assert steps[_ME] == (
        f"assume arn:aws:iam::{HOME}:role/middle",
        f"assume arn:aws:iam::{HOME}:role/last",
        f"iam:PutRolePolicy on arn:aws:iam::{HOME}:role/last",
    )


@pytest.mark.parametrize(("action", "could"), [("iam:UntagRole", True), ("iam:ListRoleTags", False)])
def test_whoever_takes_a_tag_from_a_role_enters_it_where_the_tag_keeps_them_out(action: str, could: bool) -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": _ME}, "Action": "sts:AssumeRole"}
    trust = document(trusted | {"Condition": {"Null": {"aws:ResourceTag/frozen": "true"}}})
    tags = [{"Key": "frozen", "Value": "yes"}]
    frozen = role("frozen", _ME, allow("ecr:*"), AssumeRolePolicyDocument=trust, Tags=tags)
    given = snapshot(_mine(action, frozen["Arn"]), frozen)
    graph = RepositoryGraph(estate_from_text(json.dumps(given), at=NOW))
    found = who_can(graph, question(graph, "push", "app"), Escalations(graph))
    assert _ME not in {path.subject.arn for path in found.identities}
    assert (_ME in {one.arn for one in found.escalations}) is could


def test_whoever_writes_policies_could_where_nobody_can_and_the_repository_stays_as_it_is() -> None:
    given = snapshot(_mine("iam:PutUserPolicy"))
    denied = {"Effect": "Deny", "NotAction": ["iam:PutUserPolicy", "ecr:PutImage"], "Resource": "*"}
    given["accounts"][HOME]["serviceControlPolicies"] = [[document(allow("*"), denied)]]
    graph = RepositoryGraph(estate_from_text(json.dumps(given), at=NOW))
    found = who_can(graph, question(graph, "push", "app"), Escalations(graph))
    assert [one.arn for one in found.escalations] == [_ME]


class _Counting(RepositoryGraph):
    """A graph that counts its decisions."""

    decisions = 0

    def ask(self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None) -> AccessDecision:
        self.decisions += 1
        return super().ask(subject, permissions, given)


_ATTACHES = ["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy"]


def _only(policy: str) -> dict[str, Any]:
    return {"Condition": {"ArnLike": {"iam:PolicyARN": f"arn:aws:iam::{HOME}:policy/{policy}"}}}


def _numbered(about: Any, number: int) -> Any:
    return json.loads(json.dumps(about).replace("{}", str(number)))


_BUCKETS = allow("s3:*", "arn:aws:s3:::of{}")
_OTHERS = allow("ecr:PutImage", "arn:aws:ecr:*:*:repository/of{}")
_MANAGES = ["iam:AttachUserPolicy", "iam:AttachRolePolicy"]
# What each of many users and roles may do, what they hold of the policies and groups of which there is one for each,
# and what these allow.
MANY: dict[str, tuple[Any, ...]] = {
    "attach any policy": (allow(_ATTACHES),),
    "attach policies of a pattern": (allow(_ATTACHES, **_only("p*")),),
    "attach policies about other repositories": (allow(_MANAGES, **_only("p*")), "", _OTHERS),
    "attach the one of their number": (allow(_ATTACHES, **_only("p{}")),),
    "pass any role": (allow(["iam:PassRole", "lambda:*", "ec2:RunInstances"]),),
    "write any version": (allow("iam:CreatePolicyVersion"), "AttachedManagedPolicies"),
    "put users into any group": (allow("iam:AddUserToGroup"), "GroupList"),
}


def _many(count: int, statement: dict[str, Any], holds: str = "", gives: Any = _BUCKETS) -> _Counting:
    policies, groups, people = [], [], []
    for number in range(count):
        about = document(_numbered(gives, number))
        team = {"Arn": f"{_TEAM['Arn']}{number}", "GroupName": f"team{number}"}
        policies.append(managed(f"p{number}", about))
        groups.append(team | {"GroupPolicyList": [{"PolicyName": "own", "PolicyDocument": about}]})
        held: dict[str, Any] = {
            "AttachedManagedPolicies": [{"PolicyArn": policies[number]["Arn"]}],
            "GroupList": [team["GroupName"]],
        }
        more = {holds: held[holds]} if holds else {}
        says = allow("s3:GetObject", f"arn:aws:s3:::own{number}/*"), _numbered(statement, number)
        people.append(user(f"u{number}", *says, **more))
        if holds != "GroupList":
            people.append(role(f"r{number}", {"Service": "lambda.amazonaws.com"}, *says, **more))
    given = snapshot(*people, _PUSHER, policies=policies, groups=groups)
    return _Counting(estate_from_text(json.dumps(given), at=NOW))


@pytest.mark.parametrize("name", MANY)
def test_decisions_grow_with_who_is_there_and_not_with_their_pairs(name: str) -> None:
    for_escalations, for_administrators = [], []
    for count in (5, 10, 20):
        graph = _many(count, *MANY[name])
        who_can(graph, question(graph, "push", "app"), Escalations(graph))
        for_escalations.append(graph.decisions)
        graph = _many(count, *MANY[name])
        administrators(graph, graph.estate.accounts[HOME])
        for_administrators.append(graph.decisions)
    for few, some, many in (for_escalations, for_administrators):
        assert many - some <= 2 * (some - few), (few, some, many)


def test_whoever_has_more_ways_than_are_tried_is_unknown() -> None:
    graph = _many(5, *MANY["attach policies about other repositories"])
    asked = question(graph, "push", "app")
    assert who_can(graph, asked, Escalations(graph)).escalations == ()
    few = Escalations(graph, lambda: Allowance(-4_900))  # a hundred steps for each
    found = who_can(graph, asked, few)
    assert {one.answer for one in found.escalations} == {"unknown"}
    assert len(found.escalations) == len(graph.subjects) - len(found.identities)
    assert [*map(unread_text, found.unread)] == ["escalation: there are more ways than are tried"]
    arn = found.escalations[0].arn
    rows = [*reach(graph, [graph.subjects[arn]], [asked.repository], ["push"], few)]
    out = io.StringIO()
    context = Context(io.BytesIO(), Console(out, io.StringIO(), {}, 200), ManualClock(), Command, lambda _: None)
    show_who_can(found, asked, None, (graph.estate, names_of(graph.estate)), context)
    show_reach(rows, [], arn, graph.estate, context)
    *_, who, why, counted, what, _ = out.getvalue().splitlines()
    assert (who.split(), what.split()) == (["unknown", "role/r4"], ["unknown", "push", "app"])
    assert why.split(maxsplit=1) == ["unknown", "escalation: there are more ways than are tried"]
    assert counted.startswith("it is unknown who can push app: 1 can, 10 may,")


# Of two users who say about the same only the second gains: what is found of one is not the other's.
_PUTS = allow("iam:PutUserPolicy")
_FROZEN = f"arn:aws:iam::{HOME}:role/frozen"
_BUT_IT = {"ArnNotEquals": {"aws:PrincipalArn": _FROZEN}}
_DENIED = (
    {"Effect": "Deny", "NotAction": ["iam:UntagRole", "sts:AssumeRole", "ecr:*"], "Resource": "*"},
    {"Effect": "Deny", "Action": "*", "NotResource": _FROZEN, "Condition": _BUT_IT},
)
APART: dict[str, tuple[dict[str, Any], ...]] = {
    "who may attach only what does not help": (
        user("one", allow("iam:AttachUserPolicy", **_only("none"))),
        user("two", allow("iam:AttachUserPolicy", **_only("pushes"))),
    ),
    "whom a variable does not mean": (
        user("one", allow("iam:PutUserPolicy", "arn:aws:iam::*:user/z${aws:username}")),
        user("two", allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}")),
    ),
    "whose name a condition does not have": (
        user("one", {**_PUTS, "Condition": {"StringEquals": {"aws:username": "two"}}}),
        user("two", {**_PUTS, "Condition": {"StringEquals": {"aws:username": "two"}}}),
    ),
    "who has a boundary": (
        user("one", _PUTS, PermissionsBoundary={"PermissionsBoundaryArn": _WRITER["Arn"]}),
        user("two", _PUTS),
    ),
    "whom no trust policy names": (
        user("one", allow("iam:UntagRole")),
        user("two", allow("iam:UntagRole")),
    ),
    "whom no trust policy names, where the organization alone keeps them from anything": (
        user("one", allow("*")),
        user("two", allow("*")),
        *_DENIED,
    ),
}


@pytest.mark.parametrize("is_first", [True, False], ids=["asked first", "asked last"])
@pytest.mark.parametrize("name", APART)
def test_what_one_could_do_is_not_said_of(name: str, is_first: bool) -> None:
    one, two, *denied = APART[name]
    trusted = {"Effect": "Allow", "Principal": {"AWS": _ME.replace("me", "two")}, "Action": "sts:AssumeRole"}
    trust = document(trusted | {"Condition": {"Null": {"aws:ResourceTag/frozen": "true"}}})
    tags = [{"Key": "frozen", "Value": "yes"}]
    frozen = role("frozen", _ME, allow("ecr:*"), AssumeRolePolicyDocument=trust, Tags=tags)
    policies = [managed("pushes", document(allow("ecr:*"))), managed("writer", document(allow("iam:PutUserPolicy")))]
    given = snapshot(*((one, two) if is_first else (two, one)), frozen, policies=policies)
    given["accounts"][HOME]["serviceControlPolicies"] = [[document(allow("*"), *denied)]]
    graph = RepositoryGraph(estate_from_text(json.dumps(given), at=NOW))
    found = who_can(graph, question(graph, "push", "app"), Escalations(graph))
    assert [one.arn.rpartition("/")[2] for one in found.escalations] == ["two"]
