"""What a policy says for outsiders: whoever is not shown to be ours waits for a person who names them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ecr_warden_cli.importing.notes import Note, NoteKind
from iam_access.delta.delta import PermissionDelta, access_change
from iam_access.document.condition import CanonicalClause, Quantifier, parse_operator
from iam_access.document.document import Document, Effect, parse_document, raw_statements
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import ANYONE
from iam_access.document.steps import Steps
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements
from iam_access.equivalent.subsumption import covers_patterns
from iam_access.who_can.ours import Ours, outsiders

IN_PLACE = 'put the lines below, without their "# ", in place of the entry'
UNDER_DOCUMENTS = 'put the lines below, without their "# ", under documents:'


class OutsidePart(Struct, frozen=True):
    """The part of a policy that lets outsiders in."""

    who: tuple[str, ...]
    """In words."""
    said: Document
    """Its statements, of these principals alone."""
    rest: Document | None
    """The policy without it, None if that is nothing. No Deny is in `said`, so `rest` gives nobody anything that the
    policy does not give."""

    def note(self, accept: str) -> Note:
        """The comment on it."""
        what = "not shown to be yours, so the spec leaves out what lets them in, and audits go on to report it"
        better = "take that away and import again, or name them with --ours if they are yours"
        return Note(NoteKind.OUTSIDER, what, better, accept, self.who)

    def beside(self, others: Document | None) -> Document:
        """It beside other statements."""
        return _document(self.said, [*(raw_statements(others) if others else ()), *raw_statements(self.said)])


def outside_of(document: Document, kind: DocumentKind, home: str, *, ours: Ours) -> OutsidePart | None:
    """What a policy of an account says for outsiders; None if that is nothing."""
    statements = canonical_statements(document, kind=kind)
    sparing = [one for one in statements if one.effect is Effect.DENY and not any(_spared(one, ours, home))]

    def outside(part: Mapping[str, Any]) -> list[str]:
        return [*_outsiders(_document(document, [dict(part)]), kind, home, ours, sparing)]

    who: dict[str, None] = {}
    said: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for raw in raw_statements(document):
        named = named_in(raw)
        parts = {one: with_principals(raw, [one]) for one in named} or {("", ""): raw}
        found = {one: outside(part) for one, part in parts.items()}
        who |= dict.fromkeys(name for names in found.values() for name in names)
        clean = [one for one in named if not found[one]]
        rest += [raw] if not any(found.values()) else [with_principals(raw, clean)] if clean else []
        for ours_part, others in (_taken_apart(parts[one], outside) for one, names in found.items() if names):
            said.append(others)
            rest += [ours_part] if ours_part else []
    return (
        OutsidePart(tuple(who), _document(document, said), _document(document, rest) if rest else None)
        if said
        else None
    )


def _taken_apart(
    part: Mapping[str, Any], outside: Callable[[Mapping[str, Any]], list[str]]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """A statement for those of whom a condition lists that are ours, None for nobody, and the same for the others."""

    def only(operator: str, key: str, values: list[str]) -> dict[str, Any]:
        conditions = part["Condition"]
        changed = {**conditions, operator: {**conditions[operator], key: values}}
        return {name: value for name, value in part.items() if name != "Sid"} | {"Condition": changed}

    # Each value of a condition that names people is enough by itself; of any other no value keeps outsiders out.
    for operator, clauses in part.get("Condition", {}).items():
        for key, value in clauses.items():
            values = values_of(value)
            kept = [one for one in values if not outside(only(operator, key, [one]))] if len(values) > 1 else []
            if kept:
                return only(operator, key, kept), only(operator, key, [one for one in values if one not in kept])
    return None, dict(part)


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


def _document(like: Document, statements: Iterable[dict[str, Any]]) -> Document:
    return parse_document({"Version": like.version, "Statement": [*statements]})


# Principals of a statement as JSON


def named_in(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a Principal element names, each with its kind; nobody in particular where it is `*`."""
    named = raw.get("Principal")
    return [(kind, one) for kind, some in named.items() for one in values_of(some)] if isinstance(named, dict) else []


def with_principals(raw: Mapping[str, Any], named: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A part of a statement, for some of its principals; parts cannot share a Sid."""
    principals: dict[str, list[str]] = {}
    for kind, value in named:
        principals.setdefault(kind, []).append(value)
    return {key: value for key, value in raw.items() if key != "Sid"} | {"Principal": principals}


def values_of(value: Any) -> list[str]:
    """The values of an element that may be one text or a list."""
    return [] if value is None else value if isinstance(value, list) else [value]
