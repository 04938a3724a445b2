"""Who can, by the engine, is who can by brute force over every principal, chain and context."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from ecr_warden.model.codec.snapshot import estate_from_text
from ecr_warden.model.estate import Estate
from ecr_warden.proof.access import Graph
from ecr_warden.proof.decide import Answer
from ecr_warden.proof.words import edit_to_json
from ecr_warden_cli.access import can_i, question
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property import estates

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ASKED = {"pull": (*estates.PULL, estates.TOKEN), "ecr:BatchGetImage": ("ecr:BatchGetImage",)}


def _who_can(snapshot: dict[str, Any], name: str, what: str) -> dict[str, str]:
    estate = _estate(snapshot)
    graph = Graph(estate)
    repository = estate.accounts[estates.HOME].registries["eu-central-1"].repositories[name]
    paths = graph.who_can(graph.permissions(what, repository))
    found = {arn: str(path.answer) for arn, path in paths.items() if path.subject.identity is not None}
    for arn, subject in graph.subjects.items():
        assert str(getattr(graph.can(subject, graph.permissions(what, repository)), "answer", "no")) == found.get(
            arn, "no"
        )
    return found


@settings(max_examples=75)
@given(estates.estates(), st.sampled_from(estates.REPOSITORIES), st.sampled_from(sorted(ASKED)))
def test_who_can_equals_brute_force(snapshot: dict[str, Any], name: str, what: str) -> None:
    assert _who_can(snapshot, name, what) == estates.who_can(snapshot, name, ASKED[what])


def test_all_answers_are_drawn() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=100, database=None, derandomize=True)
    @given(estates.estates())
    def draw(snapshot: dict[str, Any]) -> None:
        seen.update(estates.who_can(snapshot, "shop/app", ASKED["pull"]).values())

    draw()
    assert seen["yes"] > 20
    assert seen["conditional"] > 10


@settings(max_examples=75)
@given(estates.estates(), st.sampled_from(estates.REPOSITORIES), st.sampled_from(sorted(ASKED)), st.data())
def test_the_printed_change_gives_access_and_no_part_of_it_does(
    snapshot: dict[str, Any], name: str, what: str, data: st.DataObject
) -> None:
    graph = Graph(_estate(snapshot))
    asked = question(graph, what, name)
    subject = graph.subjects[data.draw(st.sampled_from(sorted(graph.subjects)))]
    found = can_i(graph, subject, asked)
    if found.answer is not Answer.NO:
        assert found.change is None
        return
    assert found.change is not None
    edits = [edit_to_json(edit) for edit in found.change.edits]
    assert _may(estates.applied(snapshot, edits), name, what, subject.arn)
    for left in edits:
        part = [edit for edit in edits if edit is not left]
        assert not _may(estates.applied(snapshot, part), name, what, subject.arn)


def _may(snapshot: dict[str, Any], name: str, what: str, arn: str) -> bool:
    return arn in estates.who_can(snapshot, name, ASKED[what])


def _estate(snapshot: dict[str, Any]) -> Estate:
    return estate_from_text(json.dumps(snapshot), at=NOW)
