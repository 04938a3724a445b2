"""The table of estates: each question has the answer that AWS's rules give."""

import json
from copy import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.answer_texts import because_of
from ecr_warden_cli.asking.access import (
    WhoCan,
    can_i,
    find_subject,
    question,
    question_of,
    reach,
    who_can,
    who_can_each,
)
from ecr_warden_cli.asking.snapshot import estate_of
from iam_access.inventory.inventory import Policy
from iam_access.who_can.subject import ALLOW_EVERYTHING
from local.testing.printed import complete
from tests import tables
from tests.counting import counted
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, document, role, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ESTATES = tables.load(Path("tests/cases/access/estates.yaml").read_text())
CASES = [
    pytest.param(estate, name, id=f"{estate['name']}: {name}") for estate in ESTATES for name in estate["questions"]
]


def _arn(text: str) -> str:
    account, _, rest = text.partition(":")
    return f"arn:aws:iam::{account}:{rest}" if account.isdigit() else text


@pytest.mark.parametrize(("estate", "name"), CASES)
def test_the_answer_follows_awss_rules(estate: dict[str, Any], name: str) -> None:
    asked = estate["questions"][name]
    graph = RepositoryGraph(
        estate_from_text(json.dumps(complete({"schema": 1, "accounts": estate["accounts"]})), at=NOW)
    )
    access, repository, principal = asked["ask"].split(" ")
    found = can_i(graph, find_subject(graph, _arn(principal)), question(graph, access, repository))
    assert found.answer == asked["answer"]
    if "docker" in asked:
        assert found.docker is not None
        assert found.docker.text == asked["docker"]
    if "chain" in asked:
        assert found.path is not None
        assert found.path.chain == (_arn(principal), *map(_arn, asked["chain"]))
    if "change" in asked:
        assert found.change is not None
        assert [edit.side for edit in found.change.edits] == asked["change"]


def test_a_list_reads_the_trust_policies_once_whatever_the_number_of_repositories() -> None:
    def work(number: int) -> int:
        given = snapshot(user("ann"), *(role(f"job{at}", {"Service": "ec2.amazonaws.com"}) for at in range(100)))
        given["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"] = [
            {
                "repositoryName": f"app{at}",
                "policy": document(
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"{100000000000 + at}"},
                        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    }
                ),
            }
            for at in range(number)
        ]
        graph = RepositoryGraph(estate_of(given, at=NOW))
        repositories, ann = list(graph.estate.repositories()), graph.subject(f"arn:aws:iam::{HOME}:user/ann")
        return counted(lambda: list(reach(graph, [ann], repositories, ("pull",))))[1]

    assert (work(30) - work(10)) / 20 < 1_000


def _letting_in(*more: str) -> dict[str, Any]:
    """A policy that lets an account push by API, with a statement for each further action."""
    allowed = ({"Effect": "Allow", "Principal": {"AWS": AWAY}, "Action": one} for one in ("ecr:PutImage", *more))
    return document(*allowed)


def _several(policies: list[dict[str, Any]]) -> RepositoryGraph:
    """Repositories with these policies, in a registry whose own policy lets somebody in."""
    given = snapshot(user("ann", TOKEN))
    registry = given["accounts"][HOME]["ecr"]["eu-central-1"]
    registry["repositories"] = [{"repositoryName": f"app{at}", "policy": one} for at, one in enumerate(policies)]
    everywhere = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:user/ann"}, "Action": "ecr:PutImage"}
    registry["registryPolicy"] = document(everywhere | {"Resource": "*"})
    registry["accountSettings"] = {"REGISTRY_POLICY_SCOPE": "V2"}
    return RepositoryGraph(estate_of(given, at=NOW))


def _said(found: WhoCan) -> list[object]:
    paths = (*found.identities, *found.classes)
    return [found.docker, *((path.chain, path.answer, path.conditions, because_of(path)) for path in paths)]


def test_each_of_many_repositories_has_the_answer_that_it_has_alone() -> None:
    more = ((), (), ("ecr:ListImages",), ("ecr:BatchCheckLayerAvailability",))
    graph = _several([_letting_in(*one) for one in more])
    questions = [question_of(graph, "push", one) for one in graph.estate.repositories()]
    each = [_said(found) for found in who_can_each(graph, questions)]
    assert each == [_said(who_can(graph, asked)) for asked in questions]
    assert len({str(said) for said in each}) == len(questions)  # the names of their policies, at least


def test_repositories_that_nothing_tells_apart_are_asked_about_once() -> None:
    def work(number: int) -> int:
        graph = _several([_letting_in()] * number)
        questions = [question_of(graph, "push", one) for one in graph.estate.repositories()]
        return counted(lambda: list(who_can_each(graph, questions)))[1]

    assert (work(30) - work(10)) / 20 < 300


def test_a_repository_with_another_policy_is_another_question() -> None:
    """As an audit asks of the same one with what the spec gives it."""
    graph = RepositoryGraph(estate_of(snapshot(user("ann")), at=NOW))
    [app] = graph.estate.repositories()
    opened = replace(app, policy=Policy("opened", ALLOW_EVERYTHING))
    asked = graph.permissions("pull", app), graph.permissions("pull", opened)
    assert asked[0] != asked[1]
    assert {policy.name for one in asked[1] for policy in one.resource.policies} == {"opened"}
