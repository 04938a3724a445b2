"""Are two documents the same in AWS's eyes, by structure; and if not, where do they first differ?"""

from collections.abc import Iterable

from msgspec import Struct

from ecr_warden.policy.action import spelled
from ecr_warden.policy.canonical import (
    CanonicalPatterns,
    CanonicalPrincipals,
    CanonicalStatement,
    canonical,
    canonical_statements,
    has_account_ids,
    shared_partition,
)
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.printable import printable


class Equivalent(Struct, frozen=True):
    """AWS reads both documents as the same."""


class NotEquivalent(Struct, frozen=True):
    """AWS reads them differently; `reason` names the first difference, harmless to print."""

    reason: str


type Equivalence = Equivalent | NotEquivalent

_EQUIVALENT = Equivalent()


type Names = tuple[str, str]
"""What a reason calls the two documents."""


def equivalent(
    a: Document, b: Document, *, kind: DocumentKind | None = None, names: Names = ("the first", "the second")
) -> Equivalence:
    """Compare two documents by their canonical form (structure, not access: `ecr:*` and `ecr:PutImage` twice differ).

    Account ids are read in the partition that the ARNs of the two documents name between them (see `canonical`).
    """
    if a == b or canonical(a, kind=kind) == canonical(b, kind=kind):
        return _EQUIVALENT
    partition = None
    if has_account_ids(a) or has_account_ids(b):
        partition = shared_partition(a, b)
        if canonical(a, kind=kind, partition=partition) == canonical(b, kind=kind, partition=partition):
            return _EQUIVALENT
    first = canonical_statements(a, kind=kind, partition=partition)
    second = canonical_statements(b, kind=kind, partition=partition)
    return NotEquivalent(_first_difference(first, second, (a.version, b.version), names))


def _first_difference(
    first: tuple[CanonicalStatement, ...],
    second: tuple[CanonicalStatement, ...],
    versions: tuple[str, str],
    names: Names,
) -> str:
    mine, theirs = set(first), set(second)
    only_first = [(index, entry) for index, entry in enumerate(first) if entry not in theirs]
    only_second = [(index, entry) for index, entry in enumerate(second) if entry not in mine]
    if not only_first:
        return f"statement {only_second[0][0] + 1} of {names[1]} is missing in {names[0]}"
    index, one = only_first[0]
    if not only_second:
        return f"statement {index + 1} is only in {names[0]}"
    other_index, other = max(only_second, key=lambda entry: (_likeness(one, entry[1]), -abs(entry[0] - index)))
    if _likeness(one, other) == 0:
        return f"statement {index + 1} is only in {names[0]}"
    where = (
        f"statement {index + 1}" if index == other_index else f"statement {index + 1} ({other_index + 1} in {names[1]})"
    )
    if versions[0] != versions[1] and _uses_variables(one):
        return f"{where}: policy variables, and Version {versions[0]} in {names[0]} but {versions[1]} in {names[1]}"
    return f"{where}: {_statement_difference(one, other, names)}"


def _likeness(a: CanonicalStatement, b: CanonicalStatement) -> int:
    """How many elements are equal, the actions counted by what they share."""
    return (
        (a.effect == b.effect)
        + (a.principals == b.principals)
        + (a.resources == b.resources)
        + (a.conditions == b.conditions)
        + 2 * (a.actions == b.actions or not a.actions.values.isdisjoint(b.actions.values))
    )


def _uses_variables(statement: CanonicalStatement) -> bool:
    texts = set(statement.resources.values) if statement.resources else set()
    texts.update(value for clause in statement.conditions for value in clause.values)
    return any("${" in text for text in texts)


def _statement_difference(a: CanonicalStatement, b: CanonicalStatement, names: Names) -> str:
    if a.effect is not b.effect:
        return f"Effect {a.effect} in {names[0]}, {b.effect} in {names[1]}"
    if a.principals != b.principals:
        return _principals_difference(a.principals, b.principals, names)
    if a.actions != b.actions:
        return _patterns_difference("action", a.actions, b.actions, names)
    if a.resources != b.resources:
        return _patterns_difference("resource", a.resources, b.resources, names)
    return _conditions_difference(a.conditions, b.conditions, names)


def _principals_difference(a: CanonicalPrincipals | None, b: CanonicalPrincipals | None, names: Names) -> str:
    if a is None or b is None or a.negated != b.negated:
        return f"{_element('Principal', a)} in {names[0]}, {_element('Principal', b)} in {names[1]}"
    return _one_sided(
        "principal", (p.value for p in a.values - b.values), (p.value for p in b.values - a.values), names
    )


def _patterns_difference(word: str, a: CanonicalPatterns | None, b: CanonicalPatterns | None, names: Names) -> str:
    name = word.capitalize()
    if a is None or b is None or a.negated != b.negated:
        return f"{_element(name, a)} in {names[0]}, {_element(name, b)} in {names[1]}"
    mine, theirs = a.values - b.values, b.values - a.values
    return (
        _one_sided(word, map(spelled, mine), map(spelled, theirs), names)
        if word == "action"
        else _one_sided(word, mine, theirs, names)
    )


def _conditions_difference(a: frozenset[CanonicalClause], b: frozenset[CanonicalClause], names: Names) -> str:
    mine = {(clause.operator, clause.key): clause.values for clause in a}
    theirs = {(clause.operator, clause.key): clause.values for clause in b}
    operator, key = min(place for place in mine.keys() | theirs.keys() if mine.get(place) != theirs.get(place))
    where = f"condition {operator} on {printable(key)}"
    one, other = mine.get((operator, key)), theirs.get((operator, key))
    if one is None or other is None:
        return f"{where} only in {names[1] if one is None else names[0]}"
    return f"{where}: {_one_sided('value', one - other, other - one, names)}"


def _element(name: str, element: CanonicalPatterns | CanonicalPrincipals | None) -> str:
    if element is None:
        return f"no {name}"
    return f"Not{name}" if element.negated else name


def _one_sided(word: str, only_first: Iterable[str], only_second: Iterable[str], names: Names) -> str:
    mine, theirs = sorted(only_first), sorted(only_second)
    values, side = (mine, names[0]) if mine else (theirs, names[1])
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    return f"{word} {printable(values[0])}{more} only in {side}"
