"""What holds for every change of access, checked against requests that are simply tried one by one.

The oracle below shares no code with the engine: it knows four elements, `fnmatch`-like wildcards and no conditions.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_access.delta.delta import gained_and_lost, intersection
from iam_access.document.document import Effect
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import equivalent
from tests import examples
from tests.property import iam_requests, wider
from tests.property.policy_documents import changes, documents, parsed, rewritten, statements
from tests.property.policy_oracle import as_list

PEOPLE = (
    *("arn:aws:iam::111111111111:root", "arn:aws:iam::999999999999:root", "arn:aws:iam::111111111111:user/push-user"),
    *("AIDAQHBJ5XEXAMPLE0001", "lambda.amazonaws.com", "ecr.amazonaws.com", "somebody"),
)
REQUESTED = ("ecr:putimage", "ecr:batchgetimage", "ecr:puttag", "ecr:x", "sts:assumerole", "iam:x")
THINGS = ("repository/shop/checkout", "repository/shop/x", "repository/alice", "repository/out", "elsewhere")

type Change = tuple[dict[str, Any], dict[str, Any]]


@given(documents(), st.randoms(use_true_random=False))
def test_equal_documents_give_equal_access(raw: dict[str, Any], chance: Any) -> None:
    document, other = parsed(raw), parsed(rewritten(raw, chance))
    change = gained_and_lost(document, other)
    assert (change.gained, change.lost) == ((), ())
    assert gained_and_lost(None, document) == gained_and_lost(None, other)


@given(changes())
def test_the_gain_of_a_change_is_the_loss_of_its_reverse(change: Change) -> None:
    before, after = map(parsed, change)
    there, back = gained_and_lost(before, after), gained_and_lost(after, before)
    assert (there.gained, there.lost) == (back.lost, back.gained)


@given(changes() | st.tuples(documents(), documents()))
def test_the_intersection_gains_nothing_from_either_side(change: Change) -> None:
    a, b = map(parsed, change)
    between = intersection(a, b)
    if between is None:
        assert not any(statement.effect is Effect.DENY for document in (a, b) for statement in document.statements)
        return
    assert gained_and_lost(a, between).gained == ()
    assert gained_and_lost(b, between).gained == ()


@given(documents())
def test_the_intersection_of_a_document_with_itself_loses_nothing(raw: dict[str, Any]) -> None:
    document = parsed(raw)
    between = intersection(document, document)
    assert between is not None
    change = gained_and_lost(document, between)
    assert (change.gained, change.lost) == ((), ())


@given(documents(), st.data())
def test_an_added_allow_loses_nothing_and_an_added_deny_gains_nothing(raw: dict[str, Any], data: st.DataObject) -> None:
    principals = not {"Principal", "NotPrincipal"}.isdisjoint(raw["Statement"][0])
    added = data.draw(statements(principals=principals))
    change = gained_and_lost(parsed(raw), parsed({**raw, "Statement": [*raw["Statement"], added]}))
    assert (change.lost if added["Effect"] == "Allow" else change.gained) == ()


@examples.of(60, 150)
@given(st.data(), st.booleans())
def test_widening_a_document_is_no_loss(data: st.DataObject, principals: bool) -> None:
    narrow = data.draw(iam_requests.documents(principals=principals))
    wide = data.draw(wider.widened(narrow, principals=principals))
    for kind in (None, DocumentKind.RESOURCE, DocumentKind.TRUST) if principals else (None, DocumentKind.IDENTITY):
        assert gained_and_lost(parsed(narrow), parsed(wide), kind=kind).lost == ()
        assert gained_and_lost(parsed(wide), parsed(narrow), kind=kind).gained == ()


@pytest.mark.thorough
def test_widening_a_document_is_often_a_gain() -> None:
    def is_gain(data: st.DataObject) -> list[bool]:
        narrow = data.draw(iam_requests.documents(principals=True))
        wide = data.draw(wider.widened(narrow, principals=True))
        return [bool(gained_and_lost(parsed(narrow), parsed(wide)).gained)]

    seen = examples.seen(200, st.data(), by=is_gain)
    assert min(seen[True], seen[False]) > 30, seen


@given(changes(plain=True))
def test_no_request_is_newly_allowed_where_nothing_was_gained(change: Change) -> None:
    found = gained_and_lost(*map(parsed, change))
    before, after = map(_allowed, change)
    if not found.gained:
        assert after <= before
    if not found.lost:
        assert before <= after


@given(changes(plain=True))
def test_the_intersection_allows_no_request_that_one_side_refuses(change: Change) -> None:
    between = intersection(*map(parsed, change))
    if between is not None:
        assert _allowed(json.loads(between.text)) <= _allowed(change[0]) & _allowed(change[1])


@given(changes(plain=True))
def test_equivalent_documents_allow_the_same_requests(change: Change) -> None:
    if equivalent(*map(parsed, change)):
        assert _allowed(change[0]) == _allowed(change[1])


@pytest.mark.thorough
def test_the_examples_include_every_kind_of_change() -> None:
    def kinds(change: Change) -> Iterable[str]:
        one, other = map(parsed, change)
        before, after = map(_allowed, change)
        found, between = gained_and_lost(one, other), intersection(one, other)
        return examples.true(
            gained=after - before,
            lost=before - after,
            nothing_gained=not found.gained and after,
            nothing_lost=not found.lost and before,
            allowed_in_between=between is not None and _allowed(json.loads(between.text)),
            equivalent=equivalent(one, other) and before,
        )

    seen = examples.seen(200, changes(plain=True), by=kinds)
    assert len(seen) == 6
    assert min(seen.values()) > 10, seen


def _allowed(raw: dict[str, Any]) -> frozenset[tuple[str, str, str]]:
    allowed: set[tuple[str, str, str]] = set()
    denied: set[tuple[str, str, str]] = set()
    for statement in as_list(raw["Statement"]):
        matched = product(
            _whom(statement), _texts(statement, "Action", REQUESTED), _texts(statement, "Resource", THINGS)
        )
        (allowed if statement["Effect"].lower() == "allow" else denied).update(matched)
    return frozenset(allowed - denied)


def _whom(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", "*")
    named = ["*"] if principal == "*" else [name for names in principal.values() for name in as_list(names)]
    # An empty Principal is read as an absent one: AWS stores neither in a document that needs one.
    if not named:
        return list(PEOPLE)
    return [who for who in PEOPLE if any(name in ("*", who) or who == f"arn:aws:iam::{name}:root" for name in named)]


def _texts(statement: dict[str, Any], element: str, universe: tuple[str, ...]) -> list[str]:
    negated = f"Not{element}" in statement
    patterns = as_list(statement.get(element, statement.get(f"Not{element}", "*")))
    return [text for text in universe if any(_glob(pattern, text) for pattern in patterns) is not negated]


@cache
def _glob(pattern: str, text: str) -> bool:
    """Case is folded for resources too: none of the texts here differ by case alone."""
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE) is not None
