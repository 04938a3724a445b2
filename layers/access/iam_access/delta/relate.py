"""The structural verdict on a live and a desired document: same, interchangeable, or different.

Every decision of a run rests on this verdict; `delta` only explains it to people afterwards.

Same: both have one canonical form (`canonical`), so AWS treats them alike. `s3:*` and `s3:GetObject` beside `s3:*`
are not the same.

Interchangeable: both name the same principals and allow and deny the same to each of them, whatever the other policies
of the accounts say. Equal access of the two documents by themselves is not enough: a Deny for what neither of them
allows takes away what a third document gives; a user beside the root of its account needs no identity policy; a session
beside its role escapes the implicit deny of a boundary.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource.html

It is decided by structure, principal by principal, and not by `compare`. An attacker chooses the conditions of a
document: one that holds for a caller we did not think of, or for a value that AWS reads differently, must not count as
one that never holds. So the verdict needs no list of callers and, except for networks and patterns of StringLike, no
reading of values. Of a key that has one value in each request, a clause with several values is as many statements with
one each.

Different: everything else, and whatever is too hard to compare (`steps`); the latter counts as gaining and as losing.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from itertools import product
from math import prod

from msgspec import Struct

from iam_access.arn import ARN_COLONS, IAM_ARN
from iam_access.catalogue import spelled
from iam_access.delta.delta import AccessDelta, PermissionDelta, access_change
from iam_access.document.condition import CLOCKS, CanonicalClause, Quantifier, parse_operator
from iam_access.document.document import Document, Effect
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import ANYONE, Principal
from iam_access.document.steps import Steps, TooManySteps
from iam_access.document.values import ends
from iam_access.equivalent.canonical import (
    CanonicalPatterns,
    CanonicalPrincipals,
    CanonicalStatement,
    canonical_together,
    completed,
    equivalent,
)
from iam_access.equivalent.subsumption import covers_conditions, covers_patterns
from iam_access.text.printable import listed, printable


class Same(Struct, frozen=True):
    """AWS treats the documents alike."""


class Interchangeable(Struct, frozen=True):
    """Either document can replace the other; `reason` names the first difference in how they are written."""

    reason: str


class Differs(Struct, frozen=True):
    """`reason` names the first difference, escaped and bounded."""

    reason: str
    access: AccessDelta
    """What the live document gives and lacks."""
    outlasts: bool
    """The live document gives access for longer than the desired one does."""


type Verdict = Same | Interchangeable | Differs


def relate(live: Document, desired: Document, *, kind: DocumentKind | None = None) -> Verdict:
    """The verdict on two documents at one address; the same documents always get the same one."""
    if equivalent(live, desired, kind=kind):
        return Same()
    found, wanted = canonical_together(live, desired, kind=kind)
    reason = _first_difference(found, wanted, (live.version, desired.version))
    try:
        if _interchangeable(found, wanted, kind, Steps()):
            return Interchangeable(reason)
    except TooManySteps:
        pass
    access = access_change(frozenset(wanted), frozenset(found))
    return Differs(reason, access, _outlasts(wanted, found, access))


# Interchangeable

_EVERYONE = CanonicalPrincipals(False, frozenset({ANYONE}))
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, "Value type"
_OF_ONE_VALUE = frozenset(
    {
        *("aws:principalaccount", "aws:principalarn", "aws:principalorgid"),
        *("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce"),
    }
)
_MOST_ALTERNATIVES = 64
_WILD = frozenset("*?$")

type _Principal = CanonicalPrincipals | None
type _Statements = frozenset[CanonicalStatement]


def _interchangeable(
    live: Iterable[CanonicalStatement], desired: Iterable[CanonicalStatement], kind: DocumentKind | None, steps: Steps
) -> bool:
    mine, theirs = _by_principal(live, kind), _by_principal(desired, kind)
    if mine.keys() != theirs.keys():
        return False
    different = {(mine[principal], theirs[principal]) for principal in mine if mine[principal] != theirs[principal]}
    # A Deny for everyone may void what one principal is allowed.
    of_all = mine.get(_EVERYONE, frozenset()), theirs.get(_EVERYONE, frozenset())
    return all(
        _say_the_same((one, other), (one | of_all[0], other | of_all[1]), steps)
        or _say_the_same_value_by_value(one, other, of_all, steps)
        for one, other in different
    )


def _say_the_same_value_by_value(
    one: _Statements, other: _Statements, of_all: tuple[_Statements, _Statements], steps: Steps
) -> bool:
    mine, theirs = _value_by_value(one), _value_by_value(other)
    if (mine, theirs) == (one, other):
        return False
    return _say_the_same((mine, theirs), (mine | of_all[0], theirs | of_all[1]), steps)


def _value_by_value(statements: _Statements) -> _Statements:
    """The statements, those with a clause of several values as one for each of them."""
    found: set[CanonicalStatement] = set()
    for statement in statements:
        each = [_clauses_of_one_value(clause) for clause in statement.conditions]
        if prod(map(len, each)) > _MOST_ALTERNATIVES:
            found.add(statement)
        else:
            found.update(replace(statement, conditions=frozenset(chosen)) for chosen in product(*each))
    return frozenset(found)


def _clauses_of_one_value(clause: CanonicalClause) -> tuple[CanonicalClause, ...]:
    """Clauses of which one holds whenever the clause does; itself, unless its key has one value in each request.

    Any of the request's values is then its only one.
    """
    operator = parse_operator(clause.operator)
    is_any = operator.quantifier is Quantifier.ANY and not operator.if_exists
    is_plain = (operator.quantifier is Quantifier.ONE or is_any) and not operator.negated
    if clause.key not in _OF_ONE_VALUE or not is_plain or operator.positive == "Null" or not clause.values:
        return (clause,)
    name = clause.operator.removeprefix("ForAnyValue:")
    return tuple(
        clause._replace(
            operator=name.replace(operator.positive, _plainest(operator.positive, value)), values=frozenset({value})
        )
        for value in clause.values
    )


def _plainest(operator: str, value: str) -> str:
    """The plainest operator that reads a value alike.

    ArnEquals is ArnLike, which is StringLike where only the last part of an ARN has wildcards; StringLike is
    StringEquals where there are none.
    """
    if operator in ("ArnEquals", "ArnLike"):
        *parts, _ = value.split(":", ARN_COLONS)
        is_text = len(parts) == ARN_COLONS and "$" not in value and not _WILD & set("".join(parts))
        operator = "StringLike" if is_text else "ArnLike"
    return "StringEquals" if operator == "StringLike" and not _WILD & set(value) else operator


def _say_the_same(
    said: tuple[_Statements, _Statements], applying: tuple[_Statements, _Statements], steps: Steps
) -> bool:
    """Whether the statements on one principal say the same, except for what the statements applying to it void."""
    change = access_change(*said)
    if change.assumed or any(permission.effect is Effect.DENY for permission in (*change.gained, *change.lost)):
        return False
    return all(_is_void(permission, applying[1], steps) for permission in change.gained) and all(
        _is_void(permission, applying[0], steps) for permission in change.lost
    )


def _is_void(permission: PermissionDelta, statements: _Statements, steps: Steps) -> bool:
    """Whether a Deny of the same document always denies what the permission allows."""
    steps.spend(len(statements))
    return any(
        statement.effect is Effect.DENY
        and covers_conditions(statement.conditions, permission.conditions, steps)
        and covers_patterns(statement.actions, permission.action, steps)
        and covers_patterns(statement.resources, permission.resource, steps)
        for statement in statements
    )


def _by_principal(statements: Iterable[CanonicalStatement], kind: DocumentKind | None) -> dict[_Principal, _Statements]:
    """The statements on each principal that is named, without the principal."""
    found: dict[_Principal, set[CanonicalStatement]] = {}
    for statement in statements:
        rest = replace(completed(statement) if kind is DocumentKind.IDENTITY else statement, principals=None)
        for principal in _one_by_one(statement.principals):
            conditions = frozenset(
                _joined(clause) for clause in statement.conditions if not _always_holds(clause, principal)
            )
            found.setdefault(principal, set()).add(replace(rest, conditions=conditions))
    return {principal: frozenset(rests) for principal, rests in found.items()}


def _one_by_one(element: _Principal) -> Iterator[_Principal]:
    """The principals of an element, each by itself; a NotPrincipal stays whole."""
    if element is None or element.negated:
        yield element
    else:
        yield from (CanonicalPrincipals(False, frozenset({principal})) for principal in element.values)


def _always_holds(clause: CanonicalClause, principal: _Principal) -> bool:
    """Whether the clause asks for the account that the principal's own ARN names."""
    if (clause.operator, clause.key) != ("StringEquals", "aws:principalaccount"):
        return False
    if principal is None or principal.negated:
        return False
    found = [IAM_ARN.match(value) if kind == "AWS" else None for kind, value in principal.values]
    return all(match is not None and match[2] in clause.values for match in found)


def _joined(clause: CanonicalClause) -> CanonicalClause:
    """The clause with the halves of a network joined, if all its networks are written in their usual form."""
    if "IpAddress" not in clause.operator:
        return clause
    try:
        networks = {text: ip_network(text) for text in clause.values}
    except ValueError:
        return clause
    if any(text not in (str(one), str(one.network_address)) for text, one in networks.items()):
        return clause
    narrow = collapse_addresses(network for network in networks.values() if isinstance(network, IPv4Network))
    wide = collapse_addresses(network for network in networks.values() if isinstance(network, IPv6Network))
    return clause._replace(values=frozenset(map(str, (*narrow, *wide))))


# Access that outlasts its end


def _outlasts(desired: Iterable[CanonicalStatement], live: Iterable[CanonicalStatement], access: AccessDelta) -> bool:
    """Whether live gives for longer what desired gives until some time.

    What live gives only until an end no later than every end in desired does not outlast it.
    """
    ends = [_moments(clause) for statement in desired for clause in statement.conditions]
    until = min((min(moments) for moments in ends if moments), default=None)
    if until is None or access.assumed:
        return False
    gained = [
        permission
        for permission in access.gained
        if permission.effect is Effect.ALLOW and not _ends_by(permission, until)
    ]
    if not gained:
        return False
    whenever = access_change(_timeless(desired), _timeless(live)).gained
    return any(
        _without_times(permission.conditions) not in _conditions_of(permission, whenever) for permission in gained
    )


def _conditions_of(permission: PermissionDelta, among: Sequence[PermissionDelta]) -> set[frozenset[CanonicalClause]]:
    """The conditions under which the same permission occurs among others."""
    return {delta.conditions for delta in among if replace(delta, conditions=permission.conditions) == permission}


def _ends_by(permission: PermissionDelta, until: Decimal) -> bool:
    return any(max(moments) <= until for clause in permission.conditions if (moments := _moments(clause)))


def _moments(clause: CanonicalClause) -> list[Decimal]:
    """The ends that a clause on the time sets, in seconds; empty if it sets none or cannot be read."""
    return [] if clause.key not in CLOCKS else ends(clause.operator, clause.values)


def _timeless(statements: Iterable[CanonicalStatement]) -> _Statements:
    return frozenset(replace(statement, conditions=_without_times(statement.conditions)) for statement in statements)


def _without_times(conditions: frozenset[CanonicalClause]) -> frozenset[CanonicalClause]:
    return frozenset(clause for clause in conditions if clause.key not in CLOCKS)


# The first difference

_LIVE, _DESIRED = "the live document", "the desired document"


def _first_difference(
    live: Sequence[CanonicalStatement], desired: Sequence[CanonicalStatement], versions: tuple[str, str]
) -> str:
    mine, theirs = set(live), set(desired)
    only_live = [(index, entry) for index, entry in enumerate(live) if entry not in theirs]
    only_desired = [(index, entry) for index, entry in enumerate(desired) if entry not in mine]
    if not only_live:
        return f"statement {only_desired[0][0] + 1} of {_DESIRED} is missing in {_LIVE}"
    index, statement = only_live[0]
    where = f"statement {index + 1}"
    if not only_desired:
        return f"{where} is only in {_LIVE}"
    other_index, other = max(only_desired, key=lambda entry: (_likeness(statement, entry[1]), -abs(entry[0] - index)))
    if _likeness(statement, other) == 0:
        return f"{where} is only in {_LIVE}"
    if index != other_index:
        where += f" ({other_index + 1} in {_DESIRED})"
    if versions[0] != versions[1] and any("${" in text for text in statement.texts):
        return f"{where}: policy variables, and Version {versions[0]} in {_LIVE} but {versions[1]} in {_DESIRED}"
    return f"{where}: {_statement_difference(statement, other)}"


def _likeness(a: CanonicalStatement, b: CanonicalStatement) -> int:
    """How many elements are equal; sharing some of the actions counts like equal actions."""
    return (
        (a.effect == b.effect)
        + (a.principals == b.principals)
        + (a.resources == b.resources)
        + (a.conditions == b.conditions)
        + 2 * (a.actions == b.actions or not a.actions.values.isdisjoint(b.actions.values))
    )


def _statement_difference(live: CanonicalStatement, desired: CanonicalStatement) -> str:
    if live.effect is not desired.effect:
        return f"Effect {live.effect} in {_LIVE}, {desired.effect} in {_DESIRED}"
    if live.principals != desired.principals:
        return _element_difference("Principal", live.principals, desired.principals)
    if live.actions != desired.actions:
        return _element_difference("Action", live.actions, desired.actions)
    if live.resources != desired.resources:
        return _element_difference("Resource", live.resources, desired.resources)
    return _conditions_difference(live.conditions, desired.conditions)


type _Present = CanonicalPatterns | CanonicalPrincipals
type _Element = _Present | None


def _element_difference(name: str, live: _Element, desired: _Element) -> str:
    if live is None or desired is None or live.negated != desired.negated:
        return f"{_named(name, live)} in {_LIVE}, {_named(name, desired)} in {_DESIRED}"
    return _one_sided(name.lower(), _beyond(live, desired), _beyond(desired, live))


def _named(name: str, element: _Element) -> str:
    if element is None:
        return f"no {name}"
    return f"Not{name}" if element.negated else name


def _beyond(one: _Present, other: _Present) -> Iterator[str]:
    """The values that only the first element has."""
    for value in one.values:
        if value not in other.values:
            yield value.value if isinstance(value, Principal) else value


def _conditions_difference(live: frozenset[CanonicalClause], desired: frozenset[CanonicalClause]) -> str:
    mine = {(clause.operator, clause.key): clause.values for clause in live}
    theirs = {(clause.operator, clause.key): clause.values for clause in desired}
    operator, key = min(place for place in mine.keys() | theirs.keys() if mine.get(place) != theirs.get(place))
    where = f"condition {operator} on {printable(key)}"
    one, other = mine.get((operator, key)), theirs.get((operator, key))
    if one is None or other is None:
        return f"{where} only in {_DESIRED if one is None else _LIVE}"
    return f"{where}: {_one_sided('value', one - other, other - one)}"


def _one_sided(word: str, only_live: Iterable[str], only_desired: Iterable[str]) -> str:
    mine, theirs = sorted(only_live), sorted(only_desired)
    values, side = (mine, _LIVE) if mine else (theirs, _DESIRED)
    names = [printable(spelled(value) if word == "action" else value) for value in values]
    return f"{word} {listed(names, 1)} only in {side}"
