"""Access by structure: who gains or loses what when a document changes, and the document between two.

One permission is one principal, one action and one resource under one condition. The comparison may report too much,
never too little: it does not say that nothing was gained when something was. A removed Deny is a gain, an added one a
loss.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

from msgspec import Struct

from iam_access.catalogue import spelled
from iam_access.document.condition import CanonicalClause
from iam_access.document.document import MAX_STATEMENTS, Document, Effect
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import Principal, is_unique_id
from iam_access.document.steps import Steps, TooManySteps
from iam_access.equivalent.canonical import (
    CanonicalPatterns,
    CanonicalPrincipals,
    CanonicalStatement,
    canonical_together,
    to_document,
)
from iam_access.equivalent.subsumption import (
    AllBut,
    AnyOf,
    Part,
    action_parts,
    covers_clause,
    covers_conditions,
    covers_patterns,
    covers_principals,
    covers_statement,
    principal_parts,
    resource_parts,
)

__all__ = ["AccessDelta", "AllBut", "AnyOf", "PermissionDelta", "access_change", "gained_and_lost", "intersection"]

_BUDGET = 8192
"""Permissions listed one by one for a document; beyond that, a statement's actions or resources stay whole (AnyOf)."""


class PermissionDelta(Struct, frozen=True):
    """One principal, action and resource under a condition, in canonical spelling (actions in lower case).

    `principal` is None where the document has no Principal (identity policies); `resource` is None where it has no
    Resource (trust and resource policies).
    """

    effect: Effect
    principal: Part[Principal] | None
    action: Part[str] | None
    resource: Part[str] | None
    conditions: frozenset[CanonicalClause] = frozenset()

    @property
    def is_of_deleted(self) -> bool:
        """Whether its principal is shown by a unique ID, as AWS shows one that was deleted."""
        return isinstance(self.principal, Principal) and is_unique_id(self.principal.value)

    @property
    def order(self) -> tuple[str, ...]:
        """A stable sort key."""
        return (self.effect, *map(_written, (self.principal, self.action, self.resource)), *_clauses(self.conditions))


# Thousands of permissions share one long part: a key for each would fill the memory.
@lru_cache(maxsize=256)
def _written(part: object) -> str:
    return repr(part)


@lru_cache(maxsize=256)
def _clauses(conditions: frozenset[CanonicalClause]) -> tuple[str, ...]:
    return tuple(sorted(f"{clause.operator} {clause.key} {sorted(clause.values)}" for clause in conditions))


class AccessDelta(Struct, frozen=True):
    """What a change of one document gives and takes, sorted; a Deny in `gained` is one that was removed."""

    gained: tuple[PermissionDelta, ...] = ()
    lost: tuple[PermissionDelta, ...] = ()
    assumed: bool = False
    """The documents are too hard to compare, so every statement that differs counts in full."""
    left_out: int = 0
    """How many permissions of both sides a stored form had no room for."""


def gained_and_lost(
    before: Document | None, after: Document | None, *, kind: DocumentKind | None = None
) -> AccessDelta:
    """Compare the access of two documents at one address; None is no document. Doubt counts as a gain or a loss."""
    old, new = canonical_together(before, after, kind=kind)
    return access_change(frozenset(old), frozenset(new))


def access_change(old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement]) -> AccessDelta:
    """The same for canonical statements whose account IDs were read in one partition."""
    try:
        steps = Steps()
        return AccessDelta(_more(old, new, steps), _more(new, old, steps))
    except TooManySteps:
        return AccessDelta(_differing(old, new), _differing(new, old), assumed=True)


def _more(
    old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement], steps: Steps
) -> tuple[PermissionDelta, ...]:
    """What `new` allows and `old` does not."""
    allows = _uncovered(_only(new - old, Effect.ALLOW), _only(old, Effect.ALLOW), steps)
    denies = _uncovered(_only(old - new, Effect.DENY), _only(new, Effect.DENY), steps)
    return _sorted(allows | denies)


def _differing(old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement]) -> tuple[PermissionDelta, ...]:
    """The same, as if no statement covered another."""
    return _sorted(_uncovered([*_only(new - old, Effect.ALLOW), *_only(old - new, Effect.DENY)], [], Steps()))


def _sorted(permissions: Iterable[PermissionDelta]) -> tuple[PermissionDelta, ...]:
    return tuple(sorted(permissions, key=lambda permission: permission.order))


def _only(statements: frozenset[CanonicalStatement], effect: Effect) -> list[CanonicalStatement]:
    return [statement for statement in statements if statement.effect is effect]


def _uncovered(narrow: list[CanonicalStatement], wide: list[CanonicalStatement], steps: Steps) -> set[PermissionDelta]:
    """The permissions of `narrow` that no single statement of `wide` covers."""
    limit = max(1, _BUDGET // max(1, len(narrow)))
    left: set[PermissionDelta] = set()
    for statement in narrow:
        parts = _whole_beyond(limit, statement)
        covered: set[tuple[int, ...]] = set()
        for other in wide:
            steps.spend(1 + len(other.conditions) * len(statement.conditions))
            if covers_conditions(other.conditions, statement.conditions, steps):
                covered.update(product(*_covered_indices(other, parts, steps)))
        principals, actions, resources = parts
        places = product(range(len(principals)), range(len(actions)), range(len(resources)))
        left |= {
            PermissionDelta(statement.effect, principals[p], actions[a], resources[r], statement.conditions)
            for p, a, r in places
            if (p, a, r) not in covered
        }
    return left


type _Parts = tuple[list[Part[Principal] | None], list[Part[str] | None], list[Part[str] | None]]


def _covered_indices(wide: CanonicalStatement, parts: _Parts, steps: Steps) -> tuple[list[int], list[int], list[int]]:
    """Per element, which parts are covered: decided once each, not once per combination."""
    principals, actions, resources = parts
    return (
        [index for index, part in enumerate(principals) if covers_principals(wide.principals, part)],
        [index for index, part in enumerate(actions) if covers_patterns(wide.actions, part, steps)],
        [index for index, part in enumerate(resources) if covers_patterns(wide.resources, part, steps)],
    )


def _whole_beyond(limit: int, statement: CanonicalStatement) -> _Parts:
    """The statement's parts, its actions and resources kept whole until they combine to at most `limit` permissions.

    Principals are always listed: people must be shown each of them, and a document has no room for many.
    """
    principals, actions, resources = principal_parts(statement), action_parts(statement), resource_parts(statement)
    while len(principals) * len(actions) * len(resources) > limit and max(len(actions), len(resources)) > 1:
        if len(resources) >= len(actions):
            resources = [_whole(resources)]
        else:
            actions = [_whole(actions)]
    return principals, actions, resources


def _whole[T](parts: list[Part[T] | None]) -> AnyOf[T]:
    """Only plain lists have more than one value, so nothing else is dropped."""
    return AnyOf(tuple(part for part in parts if part is not None and not isinstance(part, AllBut | AnyOf)))


# The document between two

_PRUNE_LIMIT = 200


def intersection(a: Document, b: Document, *, kind: DocumentKind | None = None) -> Document | None:
    """A document that allows at most what both allow and denies what either denies; None if no statement is left.

    It may allow less: if the documents are too hard to compare, only their Deny statements are left. It may exceed a
    quota: the caller checks. Raises DocumentError if the Deny statements alone are more than a document can hold.
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
    steps.spend(len(first) * len(second))
    pairs = (_both(statement, other, steps) for statement, other in product(first, second))
    return {both for both in pairs if both is not None}


def _largest(statements: set[CanonicalStatement], steps: Steps) -> set[CanonicalStatement]:
    """The statements that no other covers; a large set stays as it is, because pruning costs its square."""
    if len(statements) > _PRUNE_LIMIT:
        return statements
    kept = set(statements)
    for statement in sorted(statements, key=repr):
        if any(covers_statement(other, statement, steps) for other in kept if other is not statement):
            kept.discard(statement)
    return kept


class _Nothing:
    """No value is in both."""


_NOTHING = _Nothing()


def _both(one: CanonicalStatement, other: CanonicalStatement, steps: Steps) -> CanonicalStatement | None:
    conditions = _both_conditions(one.conditions, other.conditions, steps)
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
    """The only value of an element, or a text that no absent element covers."""
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
    one: frozenset[CanonicalClause], other: frozenset[CanonicalClause], steps: Steps
) -> frozenset[CanonicalClause] | None:
    """All clauses of both; two on the same operator and key become one that holds only if both do."""
    merged = {(clause.operator, clause.key): clause for clause in one}
    for clause in other:
        mine = merged.get((clause.operator, clause.key), clause)
        narrow = clause if covers_clause(mine, clause, steps) else mine if covers_clause(clause, mine, steps) else None
        if narrow is not None:
            merged[clause.operator, clause.key] = narrow
            continue
        values = mine.values | clause.values if clause.negative else mine.values & clause.values
        if not (values and mine.values and clause.values):
            return None
        merged[clause.operator, clause.key] = clause._replace(values=values)
    return frozenset(merged.values())
