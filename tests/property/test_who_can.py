"""Who can, by the engine, is who can by brute force over every principal, chain and context."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec.render import PUSH_ACTIONS
from ecr_warden.audit.answer_texts import edit_to_json
from ecr_warden.core.estate import Estate
from ecr_warden_cli.asking.access import can_i, question, who_can
from iam_access.who_can.decide import Answer
from tests import examples
from tests.property import estates
from tests.property.holes import Hole, fills, hidden, holes
from tests.snapshots import estate_from_text

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BY_DOCKER = {"pull": (*estates.PULL, estates.TOKEN), "push": (*PUSH_ACTIONS, estates.TOKEN)}
"""What the change gives: docker has to be able to do it."""
ASKED = {"pull": estates.PULL, "push": ("ecr:PutImage",), "ecr:BatchGetImage": ("ecr:BatchGetImage",)}


def _who_can(snapshot: dict[str, Any], name: str, what: str) -> dict[str, str]:
    estate = _estate(snapshot)
    graph = RepositoryGraph(estate)
    repository = estate.accounts[estates.HOME].registries["eu-central-1"].repositories[name]
    paths = graph.who_can(graph.permissions(what, repository))
    found = {arn: str(path.answer) for arn, path in paths.items() if path.subject.identity is not None}
    for arn, subject in graph.subjects.items():
        assert str(getattr(graph.can(subject, graph.permissions(what, repository)), "answer", "no")) == found.get(
            arn, "no"
        )
    return found


@examples.of(30, 75)
@given(estates.estates(), st.sampled_from(estates.REPOSITORIES), st.sampled_from(sorted(ASKED)))
def test_who_can_equals_brute_force(snapshot: dict[str, Any], name: str, what: str) -> None:
    assert _who_can(snapshot, name, what) == estates.who_can(snapshot, name, ASKED[what])


@pytest.mark.thorough
def test_all_answers_are_drawn() -> None:
    seen = examples.seen(
        100, estates.estates(), by=lambda one: estates.who_can(one, "shop/app", ASKED["pull"]).values()
    )
    assert seen["yes"] > 20
    assert seen["conditional"] > 10


@examples.of(30, 75)
@given(estates.estates(), st.sampled_from(estates.REPOSITORIES), st.sampled_from(sorted(ASKED)), st.data())
def test_the_printed_change_gives_access_and_no_part_of_it_does(
    snapshot: dict[str, Any], name: str, what: str, data: st.DataObject
) -> None:
    graph = RepositoryGraph(_estate(snapshot))
    asked = question(graph, what, name)
    subject = graph.subjects[data.draw(st.sampled_from(sorted(graph.subjects)))]
    found = can_i(graph, subject, asked)
    if found.answer is not Answer.NO:
        assert found.change is None or (found.docker is not None and found.docker.lacking)
        return
    assert found.change is not None
    edits = [edit_to_json(edit) for edit in found.change.edits]
    assert _may(estates.applied(snapshot, edits), name, what, subject.arn)
    for left in edits:
        part = [edit for edit in edits if edit is not left]
        assert not _may(estates.applied(snapshot, part), name, what, subject.arn)


def _may(snapshot: dict[str, Any], name: str, what: str, arn: str) -> bool:
    return arn in estates.who_can(snapshot, name, BY_DOCKER.get(what, ASKED[what]))


@examples.of(20, 75)
@given(
    estates.estates(),
    holes() | holes(lacking=True),
    st.sampled_from(estates.REPOSITORIES),
    st.sampled_from(sorted(ASKED)),
)
def test_what_was_not_read_is_unknown_if_it_can_decide_and_only_then(
    snapshot: dict[str, Any], drawn: list[Hole], name: str, what: str
) -> None:
    """In each way to fill what was not read, brute force says who can: where they differ, that is the answer."""
    graph = RepositoryGraph(_estate(hidden(snapshot, drawn)))
    asked = question(graph, what, name)
    found = who_can(graph, asked)
    listed = {path.subject.arn: path.answer for path in found.identities if path.subject.identity is not None}
    ways = [estates.who_can(fill, name, ASKED[what]) for fill in fills(snapshot, drawn)]
    is_cut = any(one.identities and not one.is_listed for one in graph.estate.accounts.values())
    for arn, subject in graph.subjects.items():
        answer = can_i(graph, subject, asked, seeks_change=False).answer
        assert answer == listed.get(arn, Answer.NO)
        # Of an account of which some list lacks, those that are known to let nobody in do not show that no other does.
        doubted = {Answer.UNKNOWN} if is_cut else set()
        assert answer in _expected({way.get(arn, "no") for way in ways}) | doubted
    nobody_is_missed = all(way.keys() <= graph.subjects.keys() for way in ways)
    answers = {path.answer for path in (*found.identities, *found.classes)}
    assert bool(found.unread) is not (nobody_is_missed and Answer.UNKNOWN not in answers)


@pytest.mark.thorough
def test_what_was_not_read_decides_in_some_of_the_drawn_estates() -> None:
    def answers(snapshot: dict[str, Any], drawn: list[Hole]) -> Iterator[str]:
        ways = [estates.who_can(fill, "shop/app", ASKED["pull"]) for fill in fills(snapshot, drawn)]
        known = {one["Arn"] for one in estates.identities_of(hidden(snapshot, drawn))}
        yield from (min(_expected({way.get(arn, "no") for way in ways})) for arn in known)
        yield from examples.true(missed=any(not way.keys() <= known for way in ways))

    seen = examples.seen(60, estates.estates(), holes(), by=answers)
    assert seen["no"] > 50
    assert min(seen["unknown"], seen["yes"], seen["missed"]) > 5


def _expected(ways: set[str]) -> set[str]:
    """What a conditional path gives stays conditional, whatever another one may give."""
    return ways if len(ways) == 1 else {"unknown"} if "no" in ways else {"unknown", "conditional"}


def _estate(snapshot: dict[str, Any]) -> Estate:
    return estate_from_text(json.dumps(snapshot), at=NOW)
