"""What holds for every document: rewrites that AWS ignores keep it equivalent, one changed action does not."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_access.delta.relate import Differs, Interchangeable, relate
from iam_access.document.document import DocumentError, parse_document
from iam_access.equivalent.canonical import canonical, canonical_document, digest, equivalent
from tests import examples
from tests.property.policy_documents import documents, parsed, rewritten

ACTION_OF_NOBODY = "ecr:ActionOfNobody"


@given(documents())
def test_the_canonical_form_is_idempotent(raw: dict[str, Any]) -> None:
    document = parsed(raw)
    written = canonical_document(document)
    assert canonical(written) == canonical(document)
    assert canonical_document(written) == written
    assert equivalent(written, document)


@given(documents(), st.randoms(use_true_random=False))
def test_rewrites_that_aws_ignores_keep_a_document_equivalent(raw: dict[str, Any], chance: random.Random) -> None:
    document, other = parsed(raw), parsed(rewritten(raw, chance))
    assert equivalent(document, other)
    assert canonical(document) == canonical(other)
    assert digest(document) == digest(other)


@given(documents(), st.randoms(use_true_random=False))
def test_one_changed_action_makes_documents_differ(raw: dict[str, Any], chance: random.Random) -> None:
    changed = rewritten(raw, chance)
    statements = changed["Statement"] if isinstance(changed["Statement"], list) else [changed["Statement"]]
    # Every copy of one statement, for a copy left alone would still stand for it.
    name = "Action" if "Action" in statements[0] else "NotAction"
    changed["Statement"] = [*statements, {**statements[0], name: [ACTION_OF_NOBODY]}]
    verdict = relate(parsed(raw), parsed(changed))
    assert isinstance(verdict, Interchangeable | Differs)
    assert verdict.reason.isprintable()


@given(documents(), documents(), documents(), st.randoms(use_true_random=False))
def test_equivalence_is_reflexive_symmetric_and_transitive(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any], chance: random.Random
) -> None:
    family = [
        parsed(raw) for raw in (one, two, three, rewritten(one, chance), rewritten(rewritten(one, chance), chance))
    ]
    equal = {(a, b): equivalent(family[a], family[b]) for a in range(len(family)) for b in range(len(family))}
    for a in range(len(family)):
        assert equal[a, a]
        for b in range(len(family)):
            assert equal[a, b] is equal[b, a]
            assert equal[a, b] is (digest(family[a]) == digest(family[b]))
            assert all(equal[a, c] for c in range(len(family)) if equal[a, b] and equal[b, c])


_KEYS = st.text(max_size=6) | st.sampled_from(
    [
        *("Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition", "StringEquals", "Bool", "AWS", "Service", "effect", "aws:SourceArn"),
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Allow", "Deny", "*", "2012-10-17", "ecr:*"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


_TEXTS = st.text(min_size=1, max_size=6) | st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3)
_STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": _TEXTS},
    optional={
        "Resource": _TEXTS,
        "Principal": st.just("*") | st.dictionaries(st.sampled_from(["AWS", "Service"]), _TEXTS, min_size=1),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "Bool", "NumericLessThan"]), st.dictionaries(_KEYS, _TEXTS, max_size=2)
        ),
        "Sid": JSON,
    },
)
_NEARLY = (
    JSON
    | st.fixed_dictionaries({"Statement": JSON | st.lists(JSON, max_size=3)})
    | st.fixed_dictionaries({"Statement": _STATEMENTS | st.lists(_STATEMENTS, min_size=1, max_size=3)})
    | documents()
)


@given(_NEARLY)
@examples.of(60, 150)
def test_any_json_is_a_document_or_a_named_error(value: Any) -> None:
    for source in (value, json.dumps(value)):
        try:
            document = parse_document(source)
        except DocumentError as error:
            assert error.code.startswith("document-")
            assert str(error).isprintable()
        else:
            assert parse_document(document.text) == document
            assert equivalent(document, document)
            canonical_document(document)


@pytest.mark.thorough
def test_some_of_it_is_a_document_and_some_is_not() -> None:
    def is_document(value: Any) -> list[bool]:
        try:
            parse_document(value)
        except DocumentError:
            return [False]
        return [True]

    seen = examples.seen(200, _NEARLY, by=is_document)
    assert min(seen[True], seen[False]) > 20, seen


@given(st.text() | st.binary())
def test_any_text_is_a_document_or_a_named_error(source: str | bytes) -> None:
    try:
        parse_document(source)
    except DocumentError as error:
        assert error.code.startswith("document-")
