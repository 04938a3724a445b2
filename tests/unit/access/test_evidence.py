"""Questions that look alike and are not: each answer is what the question has by itself, whatever was asked before."""

from datetime import UTC, datetime
from json import dumps
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.actions import Access
from iam_access.who_can.decide import AccessDecision, Answer, decide
from local.testing.printed import complete
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, allow, document, managed, role, user

type Json = dict[str, Any]

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
FROM = {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
IN_HOME = {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}}
OF_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
BOTH = ("app", "web")
ANN, BOB = user("ann", TOKEN, account=AWAY), user("bob", TOKEN, account=HOME)
ELSEWHERE = "333333333333"
OF_TWO_ACCOUNTS = [user("ann", allow(PULL), account=AWAY), user("cat", allow(PULL), account=ELSEWHERE)]
EMPTY: Json = {"PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{HOME}:policy/limit"}}
NOTHING: Json = {"PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{HOME}:policy/nothing"}}
LIMITS = [managed("limit", document(TOKEN)), managed("nothing", document(allow("s3:GetObject")))]


def named(*principals: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": PULL, **more}


def on(name: str, **more: Any) -> Json:
    return allow(PULL, f"arn:aws:ecr:eu-central-1:{HOME}:repository/{name}", **more)


def arn(name: str, *, kind: str = "user", account: str = HOME) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}"


def estate(
    people: list[Json],
    repositories: dict[str, Json | None],
    *,
    control: Json | None = None,
    guard: Json | None = None,
) -> Json:
    """HOME, AWAY, which is in an organization, and ELSEWHERE."""
    accounts: Json = {}
    for account in (HOME, AWAY, ELSEWHERE):
        mine = [one for one in people if f":{account}:" in one["Arn"]]
        iam = {
            "UserDetailList": [one for one in mine if ":user/" in one["Arn"]],
            "RoleDetailList": [one for one in mine if ":role/" in one["Arn"]],
            "Policies": LIMITS,
        }
        accounts[account] = {"iam": iam, "ecr": {}}
    for place, policy in repositories.items():
        region, _, name = place.rpartition(":")
        held = accounts[HOME]["ecr"].setdefault(region or "eu-central-1", {"repositories": []})
        held["repositories"].append({"repositoryName": name, "policy": policy})
    accounts[AWAY] |= {"organization": {"id": "o-a1b2c3d4e5"}}
    accounts[AWAY] |= {"serviceControlPolicies": [[control]]} if control else {}
    accounts[HOME] |= {"resourceControlPolicies": [[guard]]} if guard else {}
    return complete({"schema": 1, "accounts": accounts})


CASES = {
    "let in by the repository, and by an own policy": estate(
        [role("one", {"AWS": HOME}, TOKEN), role("two", {"AWS": HOME}, TOKEN, on("web"))],
        {"app": document(named(arn("else")), named(arn("one", kind="role"))), "web": None},
    ),
    "by statements with other names": estate([BOB], {name: document(named(arn("bob"), Sid=name)) for name in BOTH}),
    "by the first statement, and by the second": estate(
        [BOB], {"app": document(named(arn("bob"))), "web": document(named(arn("else")), named(arn("bob")))}
    ),
    "by the first policy, and by the second": estate(
        [user("bob", UserPolicyList=[{"PolicyName": one, "PolicyDocument": document(on(one), TOKEN)} for one in BOTH])],
        dict.fromkeys(BOTH),
    ),
    "allowed, and denied": estate(
        [user("bob", allow([*PULL, "ecr:GetAuthorizationToken"]))],
        {"app": document(named(arn("bob"))), "web": document({**named(arn("bob")), "Effect": "Deny"})},
    ),
    "as anybody": estate([BOB], {"app": document(named("*")), "web": None}),
    "where a resource control policy denies it": estate(
        [user("bob", allow("ecr:*"))],
        dict.fromkeys(BOTH),
        guard=document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*:repository/web"}),
    ),
    "where a resource control policy denies it in one way, and in another": estate(
        [user("bob", allow("ecr:*"))],
        dict.fromkeys(BOTH),
        guard=document(
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*:repository/web"},
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*:repository/app", "Condition": OF_MFA},
        ),
    ),
    "by an account that is called like the caller": estate(
        [
            user(name, on("app", Condition={"StringEquals": {"aws:PrincipalAccount": "${aws:username}"}}), TOKEN)
            for name in (HOME, "bob")
        ],
        {"app": None},
    ),
    "under a condition": estate(
        [BOB], {"app": document(named(arn("bob"))), "web": document(named(arn("bob"), **FROM))}
    ),
    "under a condition of an own policy": estate(
        [user("bob", on("app"), on("web", **FROM), TOKEN)], {"app": None, "web": None}
    ),
    "in one region alone": estate(
        [BOB], {name: document(named(arn("bob"), **IN_HOME)) for name in ("app", "us-east-1:app")}
    ),
    "by its own name, and by its account's": estate(
        [BOB], {"app": document(named(arn("bob"))), "web": document(named(HOME))}
    ),
    "from inside, and from outside": estate(
        [user("bob", TOKEN), user("bob", TOKEN, account=AWAY)],
        {"app": document(named(arn("bob"), arn("bob", account=AWAY)))},
    ),
    "a user whom a boundary leaves alone, and a role that it limits": estate(
        [user("one", TOKEN, **EMPTY), role("two", {"AWS": HOME}, TOKEN, **EMPTY)],
        {"app": document(named(arn("one"), arn("two", kind="role")))},
    ),
    "with a boundary that says nothing of it": estate(
        [user("one", on("app"), TOKEN), user("two", on("app"), TOKEN, **NOTHING)], {"app": None}
    ),
    "by an action and all actions": estate(
        [BOB], {"app": document(named(arn("bob"))), "web": document({**named(arn("bob")), "Action": PULL[:1]})}
    ),
    "by the caller's name in a variable": estate(
        [
            user(name, allow(PULL, f"arn:aws:ecr:*:{HOME}:repository/${{aws:username}}"), TOKEN)
            for name in ("app", "web")
        ],
        {"app": None, "web": None},
    ),
    "by the caller's name in a condition": estate(
        [user(name, on("app", Condition={"StringEquals": {"aws:username": "app"}}), TOKEN) for name in ("app", "web")],
        {"app": None},
    ),
    "by everything but one repository": estate(
        [user("bob", {"Effect": "Allow", "Action": PULL, "NotResource": on("app")["Resource"]}, TOKEN)],
        {"app": None, "web": None},
    ),
    "where everybody is denied but one": estate(
        [BOB],
        {
            "app": document(named("*")),
            "web": document(named("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [AWAY]}, "Action": PULL}),
        },
    ),
    "behind a service control policy that allows nothing of it": estate(
        [ANN, user("bob", TOKEN)],
        {"app": document(named(arn("ann", account=AWAY), arn("bob")))},
        control=document(TOKEN),
    ),
    "from another account, and from one whose service control policy allows nothing of it": estate(
        OF_TWO_ACCOUNTS, {"app": document(named("*"))}, control=document(TOKEN)
    ),
    "from the account that a condition names, and from another": estate(
        OF_TWO_ACCOUNTS,
        {"app": document(named("*", Condition={"StringEquals": {"aws:PrincipalAccount": AWAY}}))},
    ),
    "from an account of the organization, and from another": estate(
        OF_TWO_ACCOUNTS,
        {"app": document(named("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}))},
    ),
}


def rests_on(found: AccessDecision) -> tuple[object, ...]:
    return found.answer, found.because, found.conditions, found.unread


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_question_has_its_own_answer(case: Json) -> None:
    read = estate_from_text(dumps(case), at=datetime(2026, 11, 24, tzinfo=UTC))
    graph = RepositoryGraph(read)
    questions = [
        (subject, graph.permissions(access, repository))
        for subject in graph.subjects.values()
        for repository in read.repositories()
        for access in (Access.PULL, Access.PUSH)
    ]
    alone = [rests_on(decide(subject, permissions)) for subject, permissions in questions]
    assert len(set(alone)) > 1
    for order in (questions, questions[::-1]):
        fresh = RepositoryGraph(read)
        found = [rests_on(fresh.decide(fresh.subjects[one.arn], fresh.translate(needed))) for one, needed in order]
        assert found == (alone if order is questions else alone[::-1])


def test_a_repository_is_not_in_the_organization_of_whoever_asks() -> None:
    """What has no resource is: signing in to a registry is a request on the caller's own account."""
    inside = {"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}
    case = estate(
        [user("ann", allow([*PULL, TOKEN["Action"]], Condition=inside), account=AWAY)], {"app": document(named(AWAY))}
    )
    graph = RepositoryGraph(estate_from_text(dumps(case), at=datetime(2026, 11, 24, tzinfo=UTC)))
    ann, [app] = graph.subjects[arn("ann", account=AWAY)], graph.estate.repositories()
    answers = [decide(ann, graph.permissions(action, app)).answer for action in (TOKEN["Action"], PULL[0])]
    assert answers == [Answer.YES, Answer.CONDITIONAL]
