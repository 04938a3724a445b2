"""May one document stand in the place of another, whatever the other documents of the accounts say?

Equal access of two documents by themselves is not enough for that. A Deny for what neither of them allows takes away
what a third document gives; a user beside the root of its account needs no identity policy any more; a session beside
its role escapes an implicit deny of a boundary.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource.html
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from ecr_warden.policy.canonical import (
    CanonicalPrincipals,
    CanonicalStatement,
    canonical_statements,
    has_account_ids,
    shared_partition,
    to_document,
)
from ecr_warden.policy.compare import Relation, compare
from ecr_warden.policy.document import Document, DocumentKind, Effect

_GROUPS_AT_MOST = 6
"""Each costs a comparison; documents of people have two or three."""

type _Statements = frozenset[CanonicalStatement]


def interchangeable(live: Document, desired: Document, *, kind: DocumentKind, account: str | None = None) -> bool:
    """Whether both name the same principals, each with the same access, and deny the same. In doubt they are not."""
    partition = shared_partition(live, desired) if has_account_ids(live) or has_account_ids(desired) else None
    one, other = (
        frozenset(canonical_statements(document, kind=kind, partition=partition)) for document in (live, desired)
    )

    def same(a: Collection[CanonicalStatement], b: Collection[CanonicalStatement]) -> bool:
        if not a or not b:
            return not a and not b
        found = compare(to_document(a), to_document(b), kind=kind, account=account)
        return found.relation is Relation.EQUAL

    denies = _only(one, Effect.DENY), _only(other, Effect.DENY)
    groups = [*_differing(*denies)]
    if len(groups) > _GROUPS_AT_MOST or not all(same(_allowing(a), _allowing(b)) for a, b in groups):
        return False
    groups = [*_differing(_only(one, Effect.ALLOW), _only(other, Effect.ALLOW))]
    return len(groups) <= _GROUPS_AT_MOST and all(same(a | denies[0], b | denies[1]) for a, b in groups)


def _only(statements: _Statements, effect: Effect) -> _Statements:
    return frozenset(statement for statement in statements if statement.effect is effect)


def _allowing(statements: _Statements) -> _Statements:
    return frozenset(replace(statement, effect=Effect.ALLOW) for statement in statements)


def _differing(one: _Statements, other: _Statements) -> Iterator[tuple[_Statements, _Statements]]:
    """The statements of each principal on both sides where they differ; principals with the same ones together."""
    mine, theirs = _by_principal(one), _by_principal(other)
    groups: dict[tuple[_Statements, _Statements], list[CanonicalPrincipals | None]] = {}
    for principal in {**mine, **theirs}:
        pair = frozenset(mine.get(principal, ())), frozenset(theirs.get(principal, ()))
        if pair[0] != pair[1]:
            groups.setdefault(pair, []).append(principal)
    for (a, b), principals in groups.items():
        yield _of(principals, a), _of(principals, b)


def _by_principal(statements: _Statements) -> dict[CanonicalPrincipals | None, set[CanonicalStatement]]:
    """The statements without their principals, by each principal that is named; a NotPrincipal is one as a whole."""
    found: dict[CanonicalPrincipals | None, set[CanonicalStatement]] = {}
    for statement in statements:
        given = statement.principals
        alone: list[CanonicalPrincipals | None] = [given]
        if given is not None and not given.negated:
            alone = [CanonicalPrincipals(False, frozenset([value])) for value in given.values]
        for principal in alone:
            found.setdefault(principal, set()).add(replace(statement, principals=None))
    return found


def _of(principals: Collection[CanonicalPrincipals | None], statements: _Statements) -> _Statements:
    """The statements with these principals again."""
    plain = frozenset(
        value for given in principals if given is not None and not given.negated for value in given.values
    )
    elements: list[CanonicalPrincipals | None] = [given for given in principals if given is None or given.negated]
    if plain:
        elements.append(CanonicalPrincipals(False, plain))
    return frozenset(replace(statement, principals=principals_) for statement in statements for principals_ in elements)
