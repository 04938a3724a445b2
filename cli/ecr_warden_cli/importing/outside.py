"""What a policy says for outsiders: whoever is not shown to be ours waits for a person who names them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden_cli.importing.notes import Note, NoteKind
from iam_access.delta.delta import PermissionDelta, access_change
from iam_access.document.condition import (
    CanonicalClause,
    Quantifier,
    canonical_clauses,
    parse_condition,
    parse_operator,
)
from iam_access.document.document import Document, Effect, parse_document, policy_size, raw_statements
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import ANYONE
from iam_access.document.steps import Steps
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements
from iam_access.equivalent.subsumption import covers_patterns
from iam_access.gather import gather
from iam_access.who_can.ours import Ours, leaves_out_ours, outsiders

IN_PLACE = 'put the lines below, without their "# ", in place of the entry'
UNDER_DOCUMENTS = 'put the lines below, without their "# ", under documents:'
_NAMING = ("StringEquals", "StringLike", "StringEqualsIgnoreCase")
"""Operators that take an ID for itself alone."""

type _Part = Mapping[str, Any]
"""A statement as JSON."""


class OutsidePart(Struct, frozen=True):
    """The part of a policy that lets outsiders in."""

    who: tuple[str, ...]
    """In words."""
    said: Document
    """Its statements, of these principals alone."""
    rest: Document | None
    """The policy without it, None if that is nothing. No Deny is in `said`, so `rest` gives nobody anything that the
    policy does not give."""
    narrowed: Document | None = None
    """What `rest` has of `said`, for ours alone."""

    def note(self, accept: str) -> Note:
        """The comment on it."""
        return Note(
            NoteKind.OUTSIDER,
            "not shown to be yours, so the spec leaves out what lets them in, and audits go on to report it",
            "take that away and import again, or name them with --ours if they are yours",
            accept,
            self.who,
        )

    def beside(self, others: Document | None) -> Document:
        """It beside other statements."""
        within = raw_statements(self.narrowed) if self.narrowed else []
        kept = [one for one in raw_statements(others) if one not in within] if others else []
        return _document(self.said, [*kept, *raw_statements(self.said)])


def outside_of(document: Document, kind: DocumentKind, home: str, *, ours: Ours) -> OutsidePart | None:
    """What a policy of an account says for outsiders; None if that is nothing."""
    statements = canonical_statements(document, kind=kind)
    sparing = [one for one in statements if one.effect is Effect.DENY and not any(_spared(one, ours, home))]

    def outside(part: _Part) -> list[str]:
        return [*_outsiders(_document(document, [part]), kind, home, ours, sparing)]

    who: dict[str, None] = {}
    said, rest, narrowed = list[_Part](), list[_Part](), list[_Part]()
    for raw in raw_statements(document):
        named = named_in(raw)
        parts = {one: with_principals(raw, [one]) for one in named} or {("", ""): raw}
        found = {one: outside(part) for one, part in parts.items()}
        who |= dict.fromkeys(name for names in found.values() for name in names)
        clean = [one for one in named if not found[one]]
        rest += [raw] if not any(found.values()) else [with_principals(raw, clean)] if clean else []
        for part in (parts[one] for one, names in found.items() if names):
            listed, others = _taken_apart(part, ours)
            if listed is not None and not outside(listed):
                rest.append(listed)
                said.append(others)
            else:
                narrowed += [one for one in _of_ours(part, ours) if not outside(one)] if listed else []
                said.append(part)
    if not said:
        return None
    whole = _joined(document, [*rest, *narrowed])
    # A policy may have no room for the accounts of a large estate.
    is_too_large = narrowed and whole is not None and policy_size(whole) > REPOSITORY_POLICY_QUOTA
    kept = _joined(document, rest) if is_too_large else whole
    return OutsidePart(tuple(who), _document(document, said), kept, _joined(document, narrowed))


def _joined(like: Document, statements: list[_Part]) -> Document | None:
    return _document(like, statements) if statements else None


def _taken_apart(part: _Part, ours: Ours) -> tuple[_Part | None, _Part]:
    """A statement for those of whom a condition lists that may be ours, None for nobody, and the same for the others.

    It lists whom of anybody, or for whom a service acts. No spec holds an Allow with NotPrincipal.
    """
    named = named_in(part)
    acts = any(kind == "Service" for kind, _ in named)
    if "Principal" not in part or not (acts or all(one == ("AWS", ANYONE.value) for one in named)):
        return None, part
    listed = others = part
    for operator, clauses in part.get("Condition", {}).items():
        for key, value in clauses.items():
            kept, left = list[Any](), list[Any]()
            for one in values_of(value):
                clause = canonical_clauses(parse_condition({operator: {key: one}}, key))
                (left if leaves_out_ours(clause, ours, through_service=acts) else kept).append(one)
            if not kept:
                return None, part
            if left and others is part:
                listed, others = (_conditioned(part, operator, key, some) for some in (kept, left))
    return listed, others


def _of_ours(part: _Part, ours: Ours) -> Iterator[_Part]:
    """A statement for anybody as one for each way of being ours."""
    conditions = part.get("Condition", {})
    spelled = {name.lower(): name for name in conditions}
    for key, known in (("aws:PrincipalAccount", ours.accounts), ("aws:PrincipalOrgID", ours.organizations)):
        operators = (spelled.get(one.lower(), one) for one in _NAMING)
        free = (one for one in operators if key.lower() not in map(str.lower, conditions.get(one, {})))
        yield from (_conditioned(part, operator, key, sorted(known)) for operator in ([*free][:1] if known else ()))


def _conditioned(part: _Part, operator: str, key: str, values: list[Any]) -> _Part:
    """The statement with other values of a condition; parts cannot share a Sid."""
    conditions = part.get("Condition", {})
    changed = {**conditions, operator: {**conditions.get(operator, {}), key: values}}
    return {name: value for name, value in part.items() if name != "Sid"} | {"Condition": changed}


def _outsiders(
    document: Document, kind: DocumentKind, home: str, ours: Ours, sparing: Iterable[CanonicalStatement]
) -> Iterator[str]:
    """Whom the Allows let in, but for what Denies take from everybody but ours (`sparing`)."""
    allows = frozenset(one for one in canonical_statements(document, kind=kind) if one.effect is Effect.ALLOW)
    for permission in access_change(frozenset(), allows).gained:
        is_denied = any(
            covers_patterns(deny.actions, permission.action, Steps())
            and covers_patterns(deny.resources, permission.resource, Steps())
            for deny in sparing
        )
        # Nobody gets the ID of somebody who was deleted.
        if not permission.is_of_deleted and not is_denied:
            yield from outsiders(permission, ours, home=home)


def _spared(deny: CanonicalStatement, ours: Ours, home: str) -> Iterator[str]:
    """Whom a Deny may spare who is not ours: it takes from all but those whom a condition, or NotPrincipal, names.

    A negated condition holds where its key is absent, unless it asks for any of several values.
    """
    named, spared, conditions = deny.principals, [ANYONE], frozenset[CanonicalClause]()
    if named is not None and named.negated and not deny.conditions:
        spared = [*named.values]
    elif named is not None and not named.negated and ANYONE in named.values and len(deny.conditions) == 1:
        (clause,) = deny.conditions
        operator = parse_operator(clause.operator)
        if operator.negated and operator.quantifier is not Quantifier.ANY:
            conditions = frozenset({clause._replace(operator=operator.positive)})
    for principal in spared:
        yield from outsiders(PermissionDelta(Effect.ALLOW, principal, None, None, conditions), ours, home=home)


def _document(like: Document, statements: Iterable[_Part]) -> Document:
    return parse_document({"Version": like.version, "Statement": [*statements]})


# Principals of a statement as JSON


def named_in(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a Principal element names, each with its kind; nobody in particular where it is `*`."""
    named = raw.get("Principal")
    return [(kind, one) for kind, some in named.items() for one in values_of(some)] if isinstance(named, dict) else []


def with_principals(raw: Mapping[str, Any], named: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A part of a statement, for some of its principals; parts cannot share a Sid."""
    return {key: value for key, value in raw.items() if key != "Sid"} | {"Principal": gather(named)}


def values_of(value: Any) -> list[str]:
    """The values of an element that may be one text or a list."""
    return [] if value is None else value if isinstance(value, list) else [value]
