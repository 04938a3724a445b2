"""Comparisons of hard documents and of AWS's own: with bounded work, and almost always decided."""

import cProfile
import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ecr_warden.policy.compare import Relation, compare
from ecr_warden.policy.document import DocumentKind, parse_document
from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.property.policy_documents import rewritten
from tests.unit.policy.changes import changed
from tests.unit.policy.nasty import NASTY

MANAGED: dict[str, Any] = {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}
# Of functions: the same on every machine. The hardest document takes 15 million, about a second (the bench has that).
_CALLS = 20_000_000
_MEGABYTES = 64


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_document_is_answered_with_bounded_work(name: str) -> None:
    documents = [parse_document({"Statement": statements}) for statements in NASTY[name]]
    with cProfile.Profile() as profile:
        found = compare(*documents, kind=DocumentKind.REPOSITORY)
    assert sum(entry.callcount for entry in profile.getstats()) <= _CALLS
    assert bool(found.undecided) is (found.relation is Relation.UNDECIDED)


def test_what_grows_most_stays_small() -> None:
    """The walk over automata that ends in "undecided" is the one that keeps most."""
    documents = [parse_document({"Statement": statements}) for statements in NASTY["many Not-elements"]]
    tracemalloc.start()
    try:
        compare(*documents, kind=DocumentKind.REPOSITORY)
        assert tracemalloc.get_traced_memory()[1] <= _MEGABYTES * 1_000_000
    finally:
        tracemalloc.stop()


def test_managed_policies_equal_themselves_in_other_words() -> None:
    chance = random.Random(4)
    for name, raw in MANAGED.items():
        found = compare(parse_document(raw), parse_document(rewritten(raw, chance)), kind=DocumentKind.IDENTITY)
        assert found.relation is Relation.EQUAL, name


def test_managed_policies_with_one_statement_changed_are_decided(tell: Callable[[str], None]) -> None:
    chance = random.Random(1)
    relations: Counter[Relation] = Counter()
    for raw in MANAGED.values():
        found = compare(parse_document(changed(raw, chance)), parse_document(raw), kind=DocumentKind.IDENTITY)
        relations[found.relation] += 1
    share = relations[Relation.UNDECIDED] / len(MANAGED)
    tell(f"undecided: {share:.2%} of {len(MANAGED)} changed managed policies")
    assert share <= 0.005
