"""What a document allows, in its first, structural form; and who gains or loses what when it changes.

One permission is one principal, one action, one resource under one condition. The comparison errs to one side: it
never says that nothing was gained when something was; a Deny that goes is a gain, one that comes is a loss.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

from msgspec import Struct

from ecr_warden.policy.canonical import CanonicalStatement, canonical_together
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Document, DocumentKind, Effect
from ecr_warden.policy.principal import Principal
from ecr_warden.policy.steps import Steps, TooManySteps
from ecr_warden.policy.subsumption import (
    AllBut,
    AnyOf,
    Part,
    action_parts,
    covers_conditions,
    covers_patterns,
    covers_principals,
    principal_parts,
    resource_parts,
)

__all__ = ["AccessChange", "AllBut", "AnyOf", "Permission", "access_change", "gained_and_lost"]

_BUDGET = 8192
"""Permissions told apart in one document; beyond it a statement's actions or resources are kept whole (AnyOf)."""


class Permission(Struct, frozen=True):
    """One principal, action and resource under a condition, in canonical spelling (actions in lower case).

    `principal` is None where the document has no Principal (identity policies); `resource` is None where it has no
    Resource (trust policies, repository policies).
    """

    effect: Effect
    principal: Part[Principal] | None
    action: Part[str] | None
    resource: Part[str] | None
    conditions: frozenset[CanonicalClause] = frozenset()

    @property
    def order(self) -> tuple[str, ...]:
        """A stable sort key."""
        return (self.effect, *map(_written, (self.principal, self.action, self.resource)), *_clauses(self.conditions))


# Thousands of permissions have the same long part: as many keys of their own would fill the memory.
@lru_cache(maxsize=256)
def _written(part: object) -> str:
    return repr(part)


@lru_cache(maxsize=256)
def _clauses(conditions: frozenset[CanonicalClause]) -> tuple[str, ...]:
    return tuple(sorted(f"{clause.operator} {clause.key} {sorted(clause.values)}" for clause in conditions))


class AccessChange(Struct, frozen=True):
    """What a change of one document gives and takes, sorted; a Deny in `gained` is one that went.

    `assumed`: the documents are too hard to compare, so every statement that differs counts as a whole.
    """

    gained: tuple[Permission, ...] = ()
    lost: tuple[Permission, ...] = ()
    assumed: bool = False


def gained_and_lost(
    before: Document | None, after: Document | None, *, kind: DocumentKind | None = None
) -> AccessChange:
    """Compare the access of two documents at one address; None is no document. In doubt something is gained or lost."""
    old, new = canonical_together(before, after, kind=kind)
    return access_change(frozenset(old), frozenset(new))


def access_change(old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement]) -> AccessChange:
    """The same for canonical statements whose account IDs were read in one partition."""
    try:
        steps = Steps()
        return AccessChange(_more(old, new, steps), _more(new, old, steps))
    except TooManySteps:
        return AccessChange(_differing(old, new), _differing(new, old), assumed=True)


def _more(
    old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement], steps: Steps
) -> tuple[Permission, ...]:
    """What `new` allows and `old` does not."""
    allows = _uncovered(_only(new - old, Effect.ALLOW), _only(old, Effect.ALLOW), steps)
    denies = _uncovered(_only(old - new, Effect.DENY), _only(new, Effect.DENY), steps)
    return _sorted(allows | denies)


def _differing(old: frozenset[CanonicalStatement], new: frozenset[CanonicalStatement]) -> tuple[Permission, ...]:
    """The same where no statement is taken for covered by another."""
    statements = [*_only(new - old, Effect.ALLOW), *_only(old - new, Effect.DENY)]
    return _sorted(_uncovered(statements, [], Steps()))


def _sorted(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(permissions, key=lambda permission: permission.order))


def _only(statements: frozenset[CanonicalStatement], effect: Effect) -> list[CanonicalStatement]:
    return [statement for statement in statements if statement.effect is effect]


def _uncovered(narrow: list[CanonicalStatement], wide: list[CanonicalStatement], steps: Steps) -> set[Permission]:
    """The permissions of `narrow` that no single statement of `wide` covers."""
    limit = max(1, _BUDGET // max(1, len(narrow)))
    left: set[Permission] = set()
    for statement in narrow:
        parts = _whole_beyond(limit, statement)
        covered: set[tuple[int, ...]] = set()
        for other in wide:
            steps.take(1 + len(other.conditions) * len(statement.conditions))
            if covers_conditions(other.conditions, statement.conditions):
                covered.update(product(*_covered_indices(other, parts, steps)))
        principals, actions, resources = parts
        for p, a, r in product(range(len(principals)), range(len(actions)), range(len(resources))):
            if (p, a, r) not in covered:
                left.add(Permission(statement.effect, principals[p], actions[a], resources[r], statement.conditions))
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

    Principals are never put together: people must hear of each, and a document has no room for many.
    """
    principals, actions, resources = principal_parts(statement), action_parts(statement), resource_parts(statement)
    while len(principals) * len(actions) * len(resources) > limit and max(len(actions), len(resources)) > 1:
        if len(resources) >= len(actions):
            resources = [_whole(resources)]
        else:
            actions = [_whole(actions)]
    return principals, actions, resources


def _whole[T](parts: list[Part[T] | None]) -> AnyOf[T]:
    """Only a plain list of values is ever longer than one, so nothing else is dropped here."""
    return AnyOf(tuple(part for part in parts if part is not None and not isinstance(part, AllBut | AnyOf)))
