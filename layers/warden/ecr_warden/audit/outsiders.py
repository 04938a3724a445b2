"""Outsiders whom a path begins with: whoever is not shown to be ours (who_can.ours)."""

from collections.abc import Callable, Iterable, Iterator

from ecr_warden.access.graph import RepositoryGraph, gravest
from ecr_warden.access.missing import located
from ecr_warden.core.actions import Access
from iam_access.delta.delta import PermissionDelta
from iam_access.document.condition import CanonicalClause, Quantifier, parse_operator
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.principal import Principal
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy
from iam_access.who_can.decide import Permission
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.ours import Ours, outsiders
from iam_access.who_can.standing import standing_for


def let_in(graph: RepositoryGraph, permissions: tuple[Permission, ...], policy: Policy) -> Iterator[AccessPath]:
    """Everybody outside the resource's account whom this policy of the resource lets in directly."""
    resource = permissions[0].resource
    ours = Ours(frozenset({str(resource.account)}))
    for path in graph.from_outside(permissions, str(resource.account)):
        if is_outside(path, ours):
            edits = (located(path.subject, resource, reason) for reason in path.steps[0].decision.because)
            if any(edit is not None and edit.policy == policy.name for edit in edits):
                yield path


def let_in_for(
    graph: RepositoryGraph, let_in: Callable[[str], Iterable[AccessPath]], *more: str
) -> Iterator[tuple[str, AccessPath]]:
    """Whom `let_in` finds for a pull, a push and `more`, each with the access; and by what administers the gravest."""
    for access in (Access.PULL, Access.PUSH, *more):
        yield from ((access, path) for path in let_in(access))
    administering = (
        (repository, path) for repository in graph.administering_repositories for path in let_in(repository)
    )
    for action, paths in gravest(administering).items():
        yield from ((action, path) for path in paths)


def is_outside(path: AccessPath, ours: Ours) -> bool:
    """Whether the path begins with somebody who is not ours; `ours`: accounts alone, as documents are live."""
    if path.subject.principal.kind is not CallerKind.SERVICE:
        return bool(standing_for(path.subject.arn, ours))
    home = str(path.steps[0].permissions[0].resource.account)
    return all(any(outsiders(delta, ours, home=home) for delta in allowed) for allowed in _as_service(path))


def _as_service(path: AccessPath) -> Iterator[Iterator[PermissionDelta]]:
    """How the resource's policies allow the service each thing that it needs, under conditions that say for whom."""
    return (_allowing(permission, path.subject.principal) for permission in path.steps[0].permissions)


def _allowing(permission: Permission, service: RequestPrincipal) -> Iterator[PermissionDelta]:
    allowing, denying = ([*_on(permission, service, effect)] for effect in (Effect.ALLOW, Effect.DENY))
    kept_to = frozenset().union(*(_left(form.conditions) for statement, form in denying if _is_on_all(statement)))
    for _, form in allowing:
        principal = Principal("Service", service.text)
        yield PermissionDelta(Effect.ALLOW, principal, permission.action, None, form.conditions | kept_to)


def _on(
    permission: Permission, service: RequestPrincipal, effect: Effect
) -> Iterator[tuple[Statement, CanonicalStatement]]:
    """The statements of the resource's policies with this effect, on the action and the service."""
    for document in (policy.document for policy in permission.resource.policies):
        if isinstance(document, Document):
            for statement, form in zip(document.statements, canonical_statements(document, kind=None), strict=True):
                named = statement.principals
                is_named = named is not None and bool(named_ways(named, service, effect))
                if is_named and form.effect is effect and action_matches(statement.actions, permission.action):
                    yield statement, form


def _is_on_all(statement: Statement) -> bool:
    """Is it certainly on every resource, and on whoever it names?"""
    element, named = statement.resources, statement.principals
    is_named = named is not None and not named.negated
    return is_named and (element is None or (not element.negated and "*" in element.values))


def _left(denied: frozenset[CanonicalClause]) -> frozenset[CanonicalClause]:
    """What holds of whomever a Deny leaves: the opposite of its one condition, if that denies whoever lacks a value."""
    operators = [parse_operator(clause.operator) for clause in denied]
    is_opposite = len(operators) == 1 and operators[0].negated and operators[0].quantifier is Quantifier.ONE
    return frozenset(
        clause._replace(operator=operator.positive)
        for clause, operator in zip(denied, operators, strict=True)
        if is_opposite
    )
