"""What holds for every change of access, checked against requests that are simply tried one by one.

The oracle below shares no code with the engine: it knows four elements, `fnmatch`-like wildcards and no conditions.
"""

import json
import re
from itertools import product
from typing import Any

from ecr_warden.policy.access import access, gained_and_lost, intersection
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.policy.equivalence import Equivalent, equivalent
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.property.policy_documents import documents, rewritten, statements

PEOPLE = (
    *("arn:aws:iam::111111111111:root", "arn:aws:iam::999999999999:root", "arn:aws:iam::111111111111:user/push-user"),
    *("AIDAQHBJ5XEXAMPLE0001", "lambda.amazonaws.com", "ecr.amazonaws.com", "somebody"),
)
REQUESTED = ("ecr:putimage", "ecr:batchgetimage", "ecr:puttag", "ecr:x", "sts:assumerole", "iam:x")
THINGS = ("repository/shop/checkout", "repository/shop/x", "repository/alice", "repository/out", "elsewhere")


def _parse(raw: dict[str, Any]) -> Document:
    return parse_document(json.dumps(raw))


@given(documents(), st.randoms(use_true_random=False))
def test_equal_documents_give_equal_access(raw: dict[str, Any], chance: Any) -> None:
    document, other = _parse(raw), _parse(rewritten(raw, chance))
    change = gained_and_lost(document, other)
    assert (change.gained, change.lost) == ((), ())
    assert access(document) == access(other)


@given(documents(), documents())
def test_what_one_way_gains_the_other_way_loses(one: dict[str, Any], two: dict[str, Any]) -> None:
    there, back = gained_and_lost(_parse(one), _parse(two)), gained_and_lost(_parse(two), _parse(one))
    assert (there.gained, there.lost) == (back.lost, back.gained)


@given(documents(), documents())
def test_the_document_in_between_gives_neither_side_anything(one: dict[str, Any], two: dict[str, Any]) -> None:
    a, b = _parse(one), _parse(two)
    between = intersection(a, b)
    denies = any(statement["Effect"] == "Deny" for raw in (one, two) for statement in raw["Statement"])
    if between is None:
        assert not denies
        return
    assert gained_and_lost(a, between).gained == ()
    assert gained_and_lost(b, between).gained == ()


@given(documents())
def test_the_document_between_a_document_and_itself_is_no_less(raw: dict[str, Any]) -> None:
    document = _parse(raw)
    between = intersection(document, document)
    assert between is not None
    change = gained_and_lost(document, between)
    assert (change.gained, change.lost) == ((), ())


@given(documents(), st.data())
def test_another_allow_takes_nothing_and_another_deny_gives_nothing(raw: dict[str, Any], data: st.DataObject) -> None:
    principals = not {"Principal", "NotPrincipal"}.isdisjoint(raw["Statement"][0])
    added = data.draw(statements(principals=principals))
    change = gained_and_lost(_parse(raw), _parse({**raw, "Statement": [*raw["Statement"], added]}))
    assert (change.lost if added["Effect"] == "Allow" else change.gained) == ()


@given(documents(), documents())
def test_no_request_is_newly_allowed_where_nothing_was_gained(one: dict[str, Any], two: dict[str, Any]) -> None:
    assume(not _beyond_the_oracle(one) and not _beyond_the_oracle(two))
    change = gained_and_lost(_parse(one), _parse(two))
    before, after = _allowed(one), _allowed(two)
    if not change.gained:
        assert after <= before
    if not change.lost:
        assert before <= after


@given(documents(), documents())
def test_no_request_is_allowed_in_between_that_one_side_refuses(one: dict[str, Any], two: dict[str, Any]) -> None:
    assume(not _beyond_the_oracle(one) and not _beyond_the_oracle(two))
    between = intersection(_parse(one), _parse(two))
    if between is not None:
        assert _allowed(json.loads(between.text)) <= _allowed(one) & _allowed(two)


@given(documents(), documents())
def test_equivalent_documents_allow_the_same_requests(one: dict[str, Any], two: dict[str, Any]) -> None:
    assume(not _beyond_the_oracle(one) and not _beyond_the_oracle(two))
    if isinstance(equivalent(_parse(one), _parse(two)), Equivalent):
        assert _allowed(one) == _allowed(two)


def _beyond_the_oracle(raw: dict[str, Any]) -> bool:
    """Conditions and variables are, and NotPrincipal, whose meaning AWS does not spell out."""
    return any("Condition" in s or "NotPrincipal" in s or "${" in json.dumps(s) for s in raw["Statement"])


def _allowed(raw: dict[str, Any]) -> frozenset[tuple[str, str, str]]:
    requests = set(product(PEOPLE, REQUESTED, THINGS))
    matched = [(s["Effect"], {request for request in requests if _matches(s, request)}) for s in raw["Statement"]]
    allowed = set().union(*(found for effect, found in matched if effect == "Allow"))
    return frozenset(allowed.difference(*(found for effect, found in matched if effect == "Deny")))


def _matches(statement: dict[str, Any], request: tuple[str, str, str]) -> bool:
    who, action, resource = request
    if "Principal" in statement:
        principal = statement["Principal"]
        named = ["*"] if principal == "*" else [name for names in principal.values() for name in names]
        # An empty Principal is read as an absent one: AWS stores neither in a document that needs one.
        if named and not any(name in ("*", who) or who == f"arn:aws:iam::{name}:root" for name in named):
            return False
    actions = statement.get("Action", statement.get("NotAction"))
    if any(_glob(pattern.lower(), action) for pattern in actions) is ("NotAction" in statement):
        return False
    resources = statement.get("Resource", statement.get("NotResource", ["*"]))
    return any(_glob(pattern, resource) for pattern in resources) is not ("NotResource" in statement)


def _glob(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text) is not None
