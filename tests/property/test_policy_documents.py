"""What holds for every document: rewrites that AWS ignores keep it equivalent, one changed action does not."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iam_access.delta.relate import Differs, Interchangeable, relate
from iam_access.equivalent.canonical import canonical, canonical_document, digest, equivalent
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
