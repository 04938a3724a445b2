"""The document between two: it allows at most what both allow, and denies what either denies.

Written first when two documents of a target both gain and lose (docs/invariants.md, 6).
"""

from itertools import product

from ecr_warden.policy.action import spelled
from ecr_warden.policy.canonical import (
    CanonicalPatterns,
    CanonicalPrincipals,
    CanonicalStatement,
    canonical_together,
    to_document,
)
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import MAX_STATEMENTS, Document, DocumentKind, Effect
from ecr_warden.policy.steps import Steps, TooManySteps
from ecr_warden.policy.subsumption import covers_patterns, covers_principals, covers_statement

_PRUNE_LIMIT = 200


def intersection(a: Document, b: Document, *, kind: DocumentKind | None = None) -> Document | None:
    """A document that neither adds an Allow nor lacks a Deny against `a` or `b`; None if no statement is left.

    It may allow less than both do: of documents that are too hard to compare only the Deny statements are left. It may
    be larger than a quota: the writer checks. Raises DocumentError when the Deny statements alone are more than a
    document can hold.
    """
    first, second = map(frozenset, canonical_together(a, b, kind=kind))
    denies = {statement for statement in first | second if statement.effect is Effect.DENY}
    try:
        allows = _largest(_common_allows(first - denies, second - denies, steps := Steps()), steps)
    except TooManySteps:
        allows = set()
    kept = sorted(allows, key=repr)[: max(0, MAX_STATEMENTS - len(denies))]
    return to_document([*denies, *kept], spell=spelled) if denies or kept else None


def _common_allows(
    first: frozenset[CanonicalStatement], second: frozenset[CanonicalStatement], steps: Steps
) -> set[CanonicalStatement]:
    steps.take(len(first) * len(second))
    pairs = (_both(one, other, steps) for one, other in product(first, second))
    return {both for both in pairs if both is not None}


def _largest(statements: set[CanonicalStatement], steps: Steps) -> set[CanonicalStatement]:
    """Without those that another covers; many are left as they are, for that costs their square."""
    if len(statements) > _PRUNE_LIMIT:
        return statements
    kept = set(statements)
    for statement in sorted(statements, key=repr):
        if any(covers_statement(other, statement, steps) for other in kept if other is not statement):
            kept.discard(statement)
    return kept


class _Nothing:
    """No value satisfies both."""


_NOTHING = _Nothing()


def _both(one: CanonicalStatement, other: CanonicalStatement, steps: Steps) -> CanonicalStatement | None:
    conditions = _both_conditions(one.conditions, other.conditions)
    principals = _both_principals(one.principals, other.principals)
    actions = _both_patterns(one.actions, other.actions, steps)
    resources = _both_patterns(one.resources, other.resources, steps)
    if (
        conditions is None
        or isinstance(principals, _Nothing)
        or isinstance(resources, _Nothing)
        or not isinstance(actions, CanonicalPatterns)
    ):
        return None
    return CanonicalStatement(Effect.ALLOW, actions, principals, resources, conditions)


def _both_patterns(
    one: CanonicalPatterns | None, other: CanonicalPatterns | None, steps: Steps
) -> CanonicalPatterns | _Nothing | None:
    if one is None or other is None:
        present = one or other
        return None if present is None or covers_patterns(None, _single(present), steps) else _NOTHING
    if one.negated and other.negated:
        return CanonicalPatterns(True, one.values | other.values)
    values = _common(one, other, steps) | _common(other, one, steps)
    return CanonicalPatterns(False, values) if values else _NOTHING


def _common(one: CanonicalPatterns, other: CanonicalPatterns, steps: Steps) -> frozenset[str]:
    return frozenset() if one.negated else frozenset(v for v in one.values if covers_patterns(other, v, steps))


def _single(patterns: CanonicalPatterns) -> str:
    """The one value of an element, or a text that no absent element covers."""
    return next(iter(patterns.values)) if len(patterns.values) == 1 and not patterns.negated else ""


def _both_principals(
    one: CanonicalPrincipals | None, other: CanonicalPrincipals | None
) -> CanonicalPrincipals | _Nothing | None:
    if one is None or other is None:
        return None if one is other else _NOTHING
    if one.negated and other.negated:
        return CanonicalPrincipals(True, one.values | other.values)
    values = frozenset(
        value
        for mine, theirs in ((one, other), (other, one))
        if not mine.negated
        for value in mine.values
        if covers_principals(theirs, value)
    )
    return CanonicalPrincipals(False, values) if values else _NOTHING


def _both_conditions(
    one: frozenset[CanonicalClause], other: frozenset[CanonicalClause]
) -> frozenset[CanonicalClause] | None:
    """All clauses of both; two on the same operator and key become the one that holds only where both do."""
    merged = {(clause.operator, clause.key): clause for clause in one}
    for clause in other:
        mine = merged.get((clause.operator, clause.key), clause)
        values = mine.values | clause.values if clause.negative else mine.values & clause.values
        if mine != clause and not (values and mine.values and clause.values):
            return None
        merged[clause.operator, clause.key] = clause._replace(values=values)
    return frozenset(merged.values())
