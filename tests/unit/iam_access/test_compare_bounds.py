"""Comparisons of hard documents and of AWS's own: with bounded work, and almost always decided."""

import cProfile
import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from ecr_warden.core.ecr import ECR
from iam_access.compare import Comparison, Relation, compare
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from tests.property.policy_documents import rewritten
from tests.unit.iam_access.changes import changed
from tests.unit.iam_access.comparisons import MIRRORED
from tests.unit.iam_access.nasty import NASTY, SIZES, nasty_pair

MANAGED: dict[str, Any] = {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}
# Of functions: the same on every machine. The hardest documents take 5 million, about 0.7 s (the bench has that).
_CALLS = 10_000_000
_MEGABYTES = 40
_KINDS = {
    "repository": DocumentKind.RESOURCE,
    "trust": DocumentKind.TRUST,
    "identity": DocumentKind.IDENTITY,
    "role": DocumentKind.IDENTITY,
}
# The hardest of the first 300 of each kind, and some that are full of one thing.
_HARD = ((32, "role"), (38, "role"), (31, "repository"), (43, "identity"), (0, "role"), (1, "trust"))


def _bounded(live: Document, desired: Document, kind: DocumentKind) -> Comparison:
    with cProfile.Profile() as profile:
        found = compare(live, desired, service=ECR, kind=kind)
    assert sum(entry.callcount for entry in profile.getstats()) <= _CALLS
    assert bool(found.undecided) is (found.relation is Relation.UNDECIDED)
    return found


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_document_is_answered_with_bounded_work(name: str) -> None:
    live, desired = [parse_document({"Statement": statements}) for statements in NASTY[name]]
    _bounded(live, desired, DocumentKind.RESOURCE)


@pytest.mark.thorough
@pytest.mark.parametrize(("seed", "kind"), _HARD)
def test_a_nasty_document_as_large_as_can_be_is_answered_with_bounded_work(seed: int, kind: str) -> None:
    live, desired = map(parse_document, nasty_pair(seed, kind))
    found = _bounded(live, desired, _KINDS[kind])
    back = compare(desired, live, service=ECR, kind=_KINDS[kind])
    assert back.relation is MIRRORED.get(found.relation, found.relation)


@pytest.mark.thorough
@pytest.mark.parametrize(("seed", "kind"), _HARD)
def test_the_stored_form_of_a_nasty_document_is_small(seed: int, kind: str) -> None:
    documents = map(parse_document, nasty_pair(seed, kind))
    tracemalloc.start()
    try:
        compare(*documents, service=ECR, kind=_KINDS[kind])
        assert tracemalloc.get_traced_memory()[1] <= _MEGABYTES * 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.thorough
def test_the_generator_makes_documents_of_the_full_size() -> None:
    sizes = [len(parse_document(one).text) for seed in range(40) for one in nasty_pair(seed, "repository")]
    assert max(sizes) <= SIZES["repository"]
    assert sum(size > SIZES["repository"] // 2 for size in sizes) >= len(sizes) // 4


@pytest.mark.thorough
def test_managed_policies_equal_their_own_rewritings() -> None:
    chance = random.Random(4)
    for name, raw in MANAGED.items():
        found = compare(parse_document(raw), parse_document(rewritten(raw, chance)), kind=DocumentKind.IDENTITY)
        assert found.relation is Relation.EQUAL, name


@pytest.mark.thorough
def test_managed_policies_with_one_statement_changed_are_decided(tell: Callable[[str], None]) -> None:
    chance = random.Random(1)
    relations: Counter[Relation] = Counter()
    for raw in MANAGED.values():
        found = compare(parse_document(changed(raw, chance)), parse_document(raw), kind=DocumentKind.IDENTITY)
        relations[found.relation] += 1
    share = relations[Relation.UNDECIDED] / len(MANAGED)
    tell(f"undecided: {share:.2%} of {len(MANAGED)} changed managed policies")
    assert share <= 0.005
