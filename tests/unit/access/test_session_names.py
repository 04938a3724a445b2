"""A session's name is chosen by whoever opens it: the answer is conditional, and the same whoever is asked about."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden_cli.asking.access import can_i, find_subject, question, who_can
from iam_access.evaluate.request_principal import parse_request_principal
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import as_session
from iam_access.who_can.unread import can
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import HOME, TOKEN, allow, document, role, snapshot, user

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ACCOUNT = {"AWS": f"arn:aws:iam::{HOME}:root"}
BUILD = {"AWS": f"arn:aws:sts::{HOME}:assumed-role/job/build"}
NEXT = f"arn:aws:iam::{HOME}:role/next"
USER = user("ann", allow("sts:AssumeRole"))

type Json = dict[str, Any]


def let(principal: Json, action: Any = "sts:AssumeRole", **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def job(*own: Json, **more: Any) -> Json:
    return role("job", ACCOUNT, *own) | {"AssumeRolePolicyDocument": document(let(ACCOUNT, **more))}


def estate(*identities: Json, policy: Json | None = None) -> RepositoryGraph:
    made = snapshot(USER, *identities)
    made["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"][0]["policy"] = policy
    return RepositoryGraph(estate_from_text(json.dumps(made), at=datetime(2026, 11, 24, tzinfo=UTC)))


NAMED = 'the session is named "build"'
CASES: dict[str, tuple[tuple[Json, ...], Json | None, str]] = {
    "a trust policy that names a session": (
        (job(allow("sts:AssumeRole", NEXT)), role("next", BUILD, allow(PULL), TOKEN)),
        None,
        NAMED,
    ),
    "a repository policy that names a session": ((job(TOKEN),), document(let(BUILD, PULL)), NAMED),
    "a repository policy that names it beside a name that no session can have": (
        (job(TOKEN),),
        document(let({"AWS": [f"arn:aws:sts::{HOME}:assumed-role/job/", BUILD["AWS"]]}, PULL)),
        NAMED,
    ),
    "a condition on the ID of a session": (
        (job(allow(PULL, Condition={"StringEquals": {"aws:userid": "AROAJOB:build"}}), TOKEN),),
        None,
        'aws:userid is "AROAJOB:build"',
    ),
    "a name that is the caller's own": (
        (job(allow(PULL), TOKEN, Condition={"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}),),
        None,
        'sts:RoleSessionName is "${aws:username}"',
    ),
    "any name but the caller's own": (
        (job(allow(PULL), TOKEN, Condition={"StringNotEquals": {"sts:RoleSessionName": "${aws:username}"}}),),
        None,
        'sts:RoleSessionName is not "${aws:username}"',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_all_three_answers_are_conditional_and_say_what_aws_requires(case: str) -> None:
    identities, policy, condition = CASES[case]
    graph = estate(*identities, policy=policy)
    asked = question(graph, "pull", "app")
    listed = {path.subject.arn: path for path in who_can(graph, asked).identities}
    ann = graph.subjects[USER["Arn"]]
    (found, path) = can_i(graph, ann, asked), can(graph, ann, asked.ways[0])
    assert isinstance(path, AccessPath)
    assert found.path is not None
    for one in (found.path, path, listed[ann.arn]):
        assert (str(one.answer), one.conditions) == ("conditional", (condition,))


@pytest.mark.parametrize(("session", "answer"), [("build", "yes"), ("other", "no")])
@pytest.mark.parametrize("case", [case for case in CASES if "that is" not in case and "any name" not in case])
def test_of_one_session_the_answer_is_certain(case: str, session: str, answer: str) -> None:
    identities, policy, _ = CASES[case]
    graph = estate(*identities, policy=policy)
    arn = f"arn:aws:sts::{HOME}:assumed-role/job/{session}"
    assert can_i(graph, find_subject(graph, arn), question(graph, "pull", "app")).answer == answer


@pytest.mark.parametrize(("effect", "answer"), [("Deny", Answer.NO), ("Allow", Answer.CONDITIONAL)])
def test_a_session_has_keys_of_providers_only_where_a_statement_lets_them_begin_it(effect: str, answer: Answer) -> None:
    anybody = let({"AWS": "*"}, "sts:AssumeRoleWithWebIdentity") | {"Effect": effect}
    own = allow(PULL, Condition={"StringEquals": {"aws:FederatedProvider": "gitlab.com"}})
    asked = estate(job(own, TOKEN) | {"AssumeRolePolicyDocument": document(let(ACCOUNT), anybody)})
    found = can_i(asked, find_subject(asked, f"arn:aws:iam::{HOME}:role/job"), question(asked, "pull", "app"))
    assert found.answer is answer


@pytest.mark.parametrize(("service", "answer"), [("credentials.iot", Answer.CONDITIONAL), ("ec2", Answer.NO)])
def test_a_session_has_the_keys_of_the_service_that_begins_it(service: str, answer: Answer) -> None:
    begun = let({"Service": f"{service}.amazonaws.com"})
    own = allow(PULL, Condition={"StringEquals": {"credentials-iot:ThingTypeName": "builder"}})
    asked = estate(job(own, TOKEN) | {"AssumeRolePolicyDocument": document(begun)})
    found = can_i(asked, find_subject(asked, f"arn:aws:iam::{HOME}:role/job"), question(asked, "pull", "app"))
    assert found.answer is answer


def test_a_session_of_a_role_whose_id_was_not_read_may_have_any_id() -> None:
    """Nothing is concluded from a condition on it."""
    named = parse_request_principal(BUILD["AWS"])
    graph = estate(job(TOKEN), job(TOKEN) | {"Arn": f"arn:aws:iam::{HOME}:role/other", "RoleId": ""})
    known, unknown = (
        as_session(find_subject(graph, f"arn:aws:iam::{HOME}:role/{name}"), named) for name in ("job", "other")
    )
    assert known.keys["aws:userid"] == ("AROAJOB:build",)
    assert "aws:userid" not in unknown.keys
