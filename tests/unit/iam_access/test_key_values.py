"""Values of one condition key with which given clauses hold and others fail: one for each way in which that can be."""

from typing import NamedTuple

import pytest

from iam_access.document.condition import CanonicalClause, Clause
from iam_access.document.steps import Steps
from iam_access.evaluate.condition_match import clause_holds
from iam_access.key_values.clauses import Predicates
from iam_access.key_values.predicates import Values


class Row(NamedTuple):
    """Clauses on a key as (operator, values), and requests that tell apart all that can be."""

    key: str
    clauses: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]


ROWS = {
    "numbers": Row(
        "s3:max-keys",
        (("NumericLessThan", "3"), ("NumericGreaterThan", "5"), ("NumericEquals", "4")),
        ("2", "3", "4", "4.5", "5", "6"),
    ),
    "the ends of numbers": Row(
        "s3:max-keys",
        (("NumericLessThanEquals", "3"), ("NumericGreaterThanEquals", "3"), ("NumericNotEquals", "3")),
        ("2", "3", "4"),
    ),
    "a number that is also read as a text": Row(
        "x:size",
        (("StringLike", "1*"), ("NumericLessThan", "100"), ("NumericGreaterThan", "30")),
        ("1", "2", "1x", "x", "50", "150", "200"),
    ),
    "a number of a key of numbers that is also read as a text": Row(
        "s3:max-keys",
        (("StringLike", "1*"), ("NumericLessThan", "100"), ("NumericGreaterThan", "30")),
        ("1", "2", "50", "150", "200"),
    ),
    "a number that is also read as an address": Row(
        "x:what",
        (("NumericEquals", "5"), ("IpAddress", "10.0.0.0/8")),
        ("5", "7", "10.0.0.1", "11.0.0.1", "x"),
    ),
    "seconds since 1970": Row(
        "aws:epochtime",
        (("NumericLessThan", "1767225600"), ("DateGreaterThan", "2025-01-01T00:00:00Z")),
        ("1767225500", "1", "1767225600", "1767225601"),
    ),
    "seconds since 1970 that would be a year as a date": Row("aws:epochtime", (("NumericLessThan", "2026"),), ("1",)),
    "an address that is also read as a text": Row(
        "x:from",
        (("IpAddress", "10.0.0.0/8"), ("StringLike", "10.1.*"), ("NotIpAddress", "10.1.2.0/24")),
        ("10.0.0.1", "10.1.0.1", "10.1.2.3", "11.0.0.1", "10.1.x", "x"),
    ),
    "several values": Row(
        "x:names",
        (("StringEquals", "a"), ("ForAllValues:StringEquals", "a"), ("ForAnyValue:StringEquals", "a")),
        ("a", "b", "a a", "a b", "b c"),
    ),
    "a key of several values, read as if it had one": Row(
        "aws:tagkeys",
        (("StringEquals", "a"), ("ForAnyValue:StringEquals", "b")),
        ("a", "b", "c", "a b"),
    ),
}


def vector(row: Row, values: Values) -> tuple[bool, ...]:
    return tuple(
        clause_holds(Clause(operator, row.key, (value,)), {row.key: values} if values else {}, variables=False)
        for operator, value in row.clauses
    )


@pytest.mark.parametrize("name", ROWS)
def test_each_way_in_which_clauses_hold_and_fail_has_its_values(name: str) -> None:
    row = ROWS[name]
    clauses = [CanonicalClause(operator, row.key, frozenset({value})) for operator, value in row.clauses]
    predicates = Predicates(clauses)
    read = [predicates.predicate(clause) for clause in clauses]
    for wanted in {vector(row, tuple(request.split())) for request in ("", *row.requests)}:
        values = predicates.key.find([*zip(read, wanted, strict=True)], Steps(100_000))
        assert values is not None
        assert vector(row, values) == wanted
