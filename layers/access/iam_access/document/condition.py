"""The Condition element of a statement.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable
from iam_access.text.strict_json import DocumentError, wrong_type

_BASE = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
    *("NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan"),
    *("DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress"),
    *("NotIpAddress", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"),
)


CLOCKS = frozenset({"aws:currenttime", "aws:epochtime"})
"""The condition keys that hold the time of the request."""


class Quantifier(StrEnum):
    """How many of the key's values a clause applies to."""

    ONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


_QUANTIFIERS = ("", "ForAllValues:", "ForAnyValue:")
_OPERATORS = {f"{quantifier}Null".lower(): f"{quantifier}Null" for quantifier in _QUANTIFIERS} | {
    f"{quantifier}{name}{suffix}".lower(): f"{quantifier}{name}{suffix}"
    for name in _BASE
    for quantifier in _QUANTIFIERS
    for suffix in ("", "IfExists")
}


class Operator(NamedTuple):
    """A condition operator in its parts: `ForAnyValue:StringNotLikeIfExists` is a negated StringLike."""

    quantifier: Quantifier
    positive: str
    """Its name without quantifier, Not and IfExists."""
    negated: bool
    if_exists: bool


@cache
def parse_operator(name: str) -> Operator:
    """The parts of an operator as AWS spells it."""
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    positive = base.replace("Not", "")
    return Operator(Quantifier(quantifier), positive, positive != base, base != rest)


class Clause(NamedTuple):
    """One operator on one key with alternative values; the key as given, the operator as AWS spells it."""

    operator: str
    key: str
    values: tuple[str, ...]


class CanonicalClause(NamedTuple):
    """A clause with its key in lower case and its values as a set."""

    operator: str
    key: str
    values: frozenset[str]

    @property
    def negative(self) -> bool:
        """Whether more values make it hold less often, as for StringNotEquals."""
        return parse_operator(self.operator).negated


OPERATORS = tuple(_OPERATORS.values())
"""Every condition operator as AWS spells it, with its quantifier and IfExists."""


def parse_condition(raw: object, place: str) -> tuple[Clause, ...]:
    """Parse the value of Condition; empty blocks vanish; raises DocumentError."""
    if not isinstance(raw, dict):
        raise wrong_type(place, raw, "an object")
    clauses: list[Clause] = []
    seen: set[tuple[str, str]] = set()
    operators: set[str] = set()
    for name, block in raw.items():
        operator = _OPERATORS.get(ascii_lower(name))
        where = f"{place}.{printable(name, 40)}"
        if operator is None:
            raise DocumentError(
                "document-operator", where, "unknown condition operator", remedy="use one of IAM's operators"
            )
        if operator in operators:
            raise _repeated(where)
        operators.add(operator)
        if not isinstance(block, dict):
            raise wrong_type(where, block, "an object")
        for key, values in block.items():
            if (operator, ascii_lower(key)) in seen:
                raise _repeated(f"{where}.{printable(key, 60)}")
            seen.add((operator, ascii_lower(key)))
            clauses.append(Clause(operator, key, _values(values, where, key)))
    return tuple(clauses)


def canonical_clauses(clauses: Iterable[Clause]) -> frozenset[CanonicalClause]:
    """Clauses as a set, with keys in lower case (AWS ignores their case)."""
    return frozenset(
        CanonicalClause(operator, ascii_lower(key), frozenset(values)) for operator, key, values in clauses
    )


def _values(raw: object, place: str, key: str) -> tuple[str, ...]:
    if isinstance(raw, list):
        return tuple(
            entry if isinstance(entry, str) else _scalar(entry, f"{place}.{printable(key, 60)}[{index}]")
            for index, entry in enumerate(raw)
        )
    return (raw,) if isinstance(raw, str) else (_scalar(raw, f"{place}.{printable(key, 60)}"),)


def _scalar(raw: object, place: str) -> str:
    """A number or boolean as the string that IAM reads: quotes are optional around both."""
    if raw is True or raw is False:
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw)
    if isinstance(raw, float):
        if not math.isfinite(raw):
            raise DocumentError("document-number", place, "the number is too large", remedy="write it as a string")
        # Digits only: operators that compare numbers know no exponent.
        return format(Decimal(repr(raw)), "f")
    raise wrong_type(place, raw, "a string, a number or a boolean")


def _repeated(place: str) -> DocumentError:
    return DocumentError(
        "document-key-repeated", place, "given twice (case is ignored)", remedy="put the values in one list"
    )
