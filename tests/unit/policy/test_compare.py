"""The table of comparisons, each way round."""

from collections.abc import Callable

import pytest
from ecr_warden.policy.compare import Relation, Witness
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.matching import document_verdict
from ecr_warden.policy.verdict import Allowed

from tests.unit.policy.comparisons import COMPARISONS, MIRRORED, comparison, document
from tests.unit.policy.tables import Case, name_of


@pytest.mark.parametrize("case", COMPARISONS, ids=name_of)
def test_comparison(case: Case) -> None:
    found = comparison(case)
    assert found.relation == case["relation"], found
    assert found.undecided == ()
    for name, witnesses in (("gained", found.gained), ("lost", found.lost)):
        if name in case:
            assert [witness.group for witness in witnesses] == case[name]


def test_no_row_of_the_table_is_undecided(tell: Callable[[str], None]) -> None:
    undecided = [name_of(case) for case in COMPARISONS if comparison(case).relation is Relation.UNDECIDED]
    tell(f"undecided: {len(undecided) / len(COMPARISONS):.2%} of {len(COMPARISONS)} rows of the table")
    assert undecided == []


@pytest.mark.parametrize("case", COMPARISONS, ids=name_of)
def test_the_other_way_round(case: Case) -> None:
    relation = Relation(case["relation"])
    assert comparison(case, mirrored=True).relation is MIRRORED.get(relation, relation)


@pytest.mark.parametrize("case", COMPARISONS, ids=name_of)
def test_each_witness_is_allowed_by_one_document_alone(case: Case) -> None:
    found = comparison(case)
    live, desired = document(case, "live"), document(case, "desired")

    def tried(witness: Witness) -> tuple[bool, bool]:
        kind = DocumentKind(case["kind"])
        verdicts = [document_verdict(one, witness.request, kind=kind) for one in (live, desired)]
        return isinstance(verdicts[0], Allowed), isinstance(verdicts[1], Allowed)

    assert all(tried(witness) == (True, False) for witness in found.gained)
    assert all(tried(witness) == (False, True) for witness in found.lost)
    assert bool(found.gained) == (found.relation in (Relation.MORE, Relation.DIFFERENT))
    assert bool(found.lost) == (found.relation in (Relation.LESS, Relation.DIFFERENT))
