"""An interchangeable document changes no verdict, whatever the other policies say, by an oracle of its own."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_access.delta.relate import Differs, relate
from iam_access.document.condition import OPERATORS
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from tests import examples
from tests.property import iam_oracle, iam_requests, universe, wider
from tests.property.policy_documents import parsed, rewritten
from tests.property.policy_oracle import allowed, as_list

type Raw = dict[str, Any]


def _clauses_of_several_values(statement: Raw) -> Iterator[tuple[str, str]]:
    for operator, keys in statement.get("Condition", {}).items():
        yield from ((operator, key) for key, values in keys.items() if isinstance(values, list) and len(values) > 1)


@st.composite
def pairs(draw: st.DrawFn, *, principals: bool = True) -> tuple[Raw, Raw]:
    """A document, and one with a statement split, repeated, narrowed, widened, dropped, or added."""
    document = draw(iam_requests.documents(principals=principals))
    statements = [dict(statement) for statement in document["Statement"]]
    at = draw(st.integers(0, len(statements) - 1))
    chosen = statements[at]
    action = "NotAction" if "NotAction" in chosen else "Action"
    splits = "split", "split people", "split values"
    match draw(st.sampled_from((*splits, "narrower beside", "drop", "add", "void", "widen"))):
        case "split":
            statements[at : at + 1] = [chosen | {action: value} for value in as_list(chosen[action])]
        case "split people" if isinstance(chosen.get("Principal"), dict):
            named = [(kind, one) for kind, values in chosen["Principal"].items() for one in as_list(values)]
            statements[at : at + 1] = [chosen | {"Principal": {kind: one}} for kind, one in named]
        case "split values" if clauses := [*_clauses_of_several_values(chosen)]:
            operator, key = draw(st.sampled_from(clauses))
            condition = chosen["Condition"]
            statements[at : at + 1] = [
                chosen | {"Condition": condition | {operator: condition[operator] | {key: value}}}
                for value in condition[operator][key]
            ]
        case "narrower beside" if action == "Action":
            statements.append(chosen | {"Action": draw(st.sampled_from(iam_requests.ACTIONS))})
        case "drop" if len(statements) > 1:
            del statements[at]
        case "widen":
            return document, draw(wider.widened(document, principals=principals))
        case "void":
            statements.append({**chosen, "Effect": "Deny"})
        case _:
            statements.append(draw(iam_requests.statements(principals=principals)))
    return document, document | {"Statement": statements}


def _interchangeable(pair: tuple[Raw, Raw], kind: DocumentKind = DocumentKind.RESOURCE) -> bool:
    one, other = map(parse_document, pair)
    return not isinstance(relate(one, other, kind=kind), Differs)


@pytest.fixture(scope="module")
def questions() -> list[tuple[Raw, Raw]]:
    """Requests, each with the other policies; drawn once, because drawing costs much more than asking."""
    drawn: list[tuple[Raw, Raw]] = []

    @examples.of(300)
    @given(iam_requests.requests(), iam_requests.policies())
    def keep(request: Raw, policies: Raw) -> None:
        drawn.append((request, policies))

    keep()
    return drawn


_chances = st.randoms(use_true_random=False)
_ASKED = 30


@pytest.mark.thorough
@examples.of(80, 200)
@given(pairs(), _chances)
def test_no_verdict_changes(questions: list[tuple[Raw, Raw]], pair: tuple[Raw, Raw], chance: random.Random) -> None:
    if not _interchangeable(pair):
        return
    for request, policies in chance.sample(questions, _ASKED):
        others = {name: value for name, value in policies.items() if name != "trust"}
        asked_of = "trust" if request["action"].startswith("sts") else "resource"
        one, other = (iam_oracle.verdict(request, others | {asked_of: document}) for document in pair)
        assert one == other, (request, policies)


@examples.of(60, 150)
@given(pairs(principals=False), _chances, st.sampled_from(("identity", "boundary", "session")))
def test_no_verdict_changes_for_documents_of_the_caller(
    questions: list[tuple[Raw, Raw]], pair: tuple[Raw, Raw], chance: random.Random, place: str
) -> None:
    if not _interchangeable(pair, DocumentKind.IDENTITY):
        return
    for request, policies in chance.sample(questions, _ASKED):
        one, other = (
            iam_oracle.verdict(request, policies | {place: [document] if place == "identity" else document})
            for document in pair
        )
        assert one == other, (request, policies)


@examples.of(60, 150)
@given(pairs(), st.data())
def test_a_common_statement_keeps_documents_interchangeable(pair: tuple[Raw, Raw], data: st.DataObject) -> None:
    if not _interchangeable(pair):
        return
    more = data.draw(iam_requests.statements(principals=True)) | {"Effect": "Allow"}
    one, other = (document | {"Statement": [*document["Statement"], more]} for document in pair)
    assert _interchangeable((one, other))


@pytest.mark.thorough
def test_both_answers_are_common() -> None:
    seen = examples.seen(200, pairs(), by=lambda pair: [_interchangeable(pair)])
    assert min(seen[True], seen[False]) > 40, seen


_KINDS = {"repository": DocumentKind.RESOURCE, "trust": DocumentKind.TRUST, "identity": DocumentKind.IDENTITY}


def _are_interchangeable(kind: str, live: Raw, desired: Raw) -> bool:
    return not isinstance(relate(parsed(live), parsed(desired), kind=_KINDS[kind]), Differs)


_ASKED_OF_EACH = 60


@examples.of(120, 300)
@given(st.integers(0, 2**64))
def test_no_request_with_any_operator_on_any_key_tells_interchangeable_documents_apart(seed: int) -> None:
    kind, live, desired = universe.pair(seed)
    if _are_interchangeable(kind, live, desired):
        asked = universe.requests(seed, kind, live, desired, _ASKED_OF_EACH)
        assert all(allowed(live, ask) == allowed(desired, ask) for ask in asked)


def test_the_universe_is_wide_and_its_requests_tell_documents_apart() -> None:
    """Else the one above would prove nothing."""
    kinds: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    operators = set[str]()
    for seed in range(400):
        kind, live, desired = universe.pair(seed)
        kinds[kind] += 1
        operators.update(name for one in live["Statement"] for name in one.get("Condition", {}))
        requests = universe.requests(seed, kind, live, desired, 30)
        seen["told apart"] += any(allowed(live, request) != allowed(desired, request) for request in requests)
        seen["interchangeable"] += _are_interchangeable(kind, live, desired)
    assert min(kinds.values()) >= 40
    assert seen["told apart"] >= 100 and seen["interchangeable"] >= 10, seen
    assert len(operators) >= len(OPERATORS) // 2


@examples.of(40, 100)
@given(st.integers(0, 2**64), _chances)
def test_the_same_document_written_differently_is_interchangeable(seed: int, chance: random.Random) -> None:
    kind, live, _ = universe.pair(seed)
    assert _are_interchangeable(kind, live, rewritten(live, chance))


@examples.of(30, 75)
@given(st.integers(0, 2**64))
def test_splitting_a_list_into_statements_changes_nothing(seed: int) -> None:
    kind, live, _ = universe.pair(seed)
    split = [
        statement | {name: value}
        for statement in live["Statement"]
        for name in ("Action", "Resource")
        if isinstance(statement.get(name), list)
        for value in statement[name]
    ]
    kept = [one for one in live["Statement"] if not any(isinstance(one.get(n), list) for n in ("Action", "Resource"))]
    assert _are_interchangeable(kind, live | {"Statement": [*kept, *split]}, live)
