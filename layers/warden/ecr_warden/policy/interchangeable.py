"""May one document stand in the place of another, whatever the other documents of the accounts say?

Equal access of two documents by themselves is not enough for that. A Deny for what neither of them allows takes away
what a third document gives; a user beside the root of its account needs no identity policy any more; a session beside
its role escapes an implicit deny of a boundary.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource.html

Decided by structure, principal by principal, and not by `compare`. Who writes a document chooses its conditions: one
that holds for a caller nobody thought of, or on a value that AWS reads otherwise, must not count as one that never
holds. So the answer rests on no list of callers and, but for networks, on no reading of values.
"""

import re
from collections.abc import Iterable, Iterator
from copy import replace
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from ecr_warden.policy.access import Permission, gained_and_lost
from ecr_warden.policy.canonical import (
    CanonicalPrincipals,
    CanonicalStatement,
    canonical_statements,
    has_account_ids,
    shared_partition,
    to_document,
)
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Document, DocumentKind, Effect
from ecr_warden.policy.principal import ANYONE
from ecr_warden.policy.statement_match import completed_arn
from ecr_warden.policy.steps import Steps, TooManySteps
from ecr_warden.policy.subsumption import covers_conditions, covers_patterns

_OF_ACCOUNT = re.compile(r"arn:[a-z0-9-]+:(?:iam|sts)::([0-9]{12}):")

_EVERYBODY = CanonicalPrincipals(False, frozenset({ANYONE}))

type _Principal = CanonicalPrincipals | None
type _Statements = frozenset[CanonicalStatement]


def interchangeable(live: Document, desired: Document, *, kind: DocumentKind) -> bool:
    """Whether both name the same principals and allow and deny the same to each of them. In doubt they do not."""
    try:
        return _interchangeable(live, desired, kind, Steps())
    except TooManySteps:
        return False


def _interchangeable(live: Document, desired: Document, kind: DocumentKind, steps: Steps) -> bool:
    partition = shared_partition(live, desired) if has_account_ids(live) or has_account_ids(desired) else None
    mine, theirs = (
        _by_principal(canonical_statements(document, kind=kind, partition=partition), kind)
        for document in (live, desired)
    )
    if mine.keys() != theirs.keys():
        return False
    different = {(mine[principal], theirs[principal]) for principal in mine if mine[principal] != theirs[principal]}
    # Also of everybody, for whom a Deny may be that makes void what somebody is allowed.
    of_all = mine.get(_EVERYBODY, frozenset()), theirs.get(_EVERYBODY, frozenset())
    return all(_same((one, other), (one | of_all[0], other | of_all[1]), kind, steps) for one, other in different)


def _same(
    said: tuple[_Statements, _Statements], counted: tuple[_Statements, _Statements], kind: DocumentKind, steps: Steps
) -> bool:
    """Whether both say the same of one principal, but for what is void by all that counts for it."""
    one, other = said
    change = gained_and_lost(to_document(one), to_document(other), kind=kind)
    if change.assumed or any(permission.effect is Effect.DENY for permission in (*change.gained, *change.lost)):
        return False
    return all(_is_void(permission, counted[1], steps) for permission in change.gained) and all(
        _is_void(permission, counted[0], steps) for permission in change.lost
    )


def _is_void(permission: Permission, statements: _Statements, steps: Steps) -> bool:
    """Whether a Deny of the same document always denies the same principal what it allows."""
    steps.take(len(statements))
    return any(
        statement.effect is Effect.DENY
        and covers_conditions(statement.conditions, permission.conditions)
        and covers_patterns(statement.actions, permission.action, steps)
        and covers_patterns(statement.resources, permission.resource, steps)
        for statement in statements
    )


def _by_principal(statements: Iterable[CanonicalStatement], kind: DocumentKind) -> dict[_Principal, _Statements]:
    """What is said of each principal that is named, without its name."""
    found: dict[_Principal, set[CanonicalStatement]] = {}
    for statement in statements:
        rest = replace(_completed(statement) if kind is DocumentKind.IDENTITY else statement, principals=None)
        for principal in _one_by_one(statement.principals):
            conditions = frozenset(
                _joined(clause) for clause in statement.conditions if not _is_fulfilled(clause, principal)
            )
            found.setdefault(principal, set()).add(replace(rest, conditions=conditions))
    return {principal: frozenset(rests) for principal, rests in found.items()}


def _one_by_one(element: _Principal) -> Iterator[_Principal]:
    """The principals of an element, each by itself; a NotPrincipal is one as a whole."""
    if element is None or element.negated:
        yield element
    else:
        yield from (CanonicalPrincipals(False, frozenset({principal})) for principal in element.values)


def _completed(statement: CanonicalStatement) -> CanonicalStatement:
    """The statement with the ARNs that lack parts as identity policies read them: a `*` of theirs spans fewer parts."""
    given = statement.resources
    if given is None:
        return statement
    return replace(statement, resources=replace(given, values=frozenset(map(completed_arn, given.values))))


def _is_fulfilled(clause: CanonicalClause, principal: _Principal) -> bool:
    """Whether it asks for the account that the principal's ARN names: whoever that is has it."""
    if (clause.operator, clause.key) != ("StringEquals", "aws:principalaccount"):
        return False
    if principal is None or principal.negated:
        return False
    found = [_OF_ACCOUNT.match(value) if kind == "AWS" else None for kind, value in principal.values]
    return all(match is not None and match[1] in clause.values for match in found)


def _joined(clause: CanonicalClause) -> CanonicalClause:
    """The clause with the halves of a network as the network, where all stand in their usual form."""
    if "IpAddress" not in clause.operator:
        return clause
    narrow: list[IPv4Network] = []
    wide: list[IPv6Network] = []
    for text in clause.values:
        try:
            network = ip_network(text)
        except ValueError:
            return clause
        if text not in (str(network), str(network.network_address)):
            return clause
        if isinstance(network, IPv4Network):
            narrow.append(network)
        else:
            wide.append(network)
    return clause._replace(values=frozenset(map(str, (*collapse_addresses(narrow), *collapse_addresses(wide)))))
