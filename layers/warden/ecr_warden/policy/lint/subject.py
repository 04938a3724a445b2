"""The document under examination: its statements with the place of every value in the JSON text."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.document import Document, DocumentKind, Effect, Statement
from ecr_warden.policy.lint.rules import Finding, Rule
from ecr_warden.policy.principal import Principal
from ecr_warden.policy.printable import printable
from ecr_warden.policy.strict_json import below

MOST_HINTS = 50


class Value(Struct, frozen=True):
    """One string and its place."""

    text: str
    place: str


class Named(Struct, frozen=True):
    """One principal and its place."""

    principal: Principal
    place: str


class Element(Struct, frozen=True):
    """An Action or Resource element, or its Not form."""

    name: str
    negated: bool
    place: str
    values: tuple[Value, ...]


class Term(Struct, frozen=True):
    """One operator on one key. `base` is the operator without quantifier, Not and IfExists; the key is lower case."""

    operator: str
    base: str
    quantifier: str
    negative: bool
    if_exists: bool
    key: str
    spelled: str
    place: str
    values: tuple[Value, ...]

    @property
    def certain(self) -> bool:
        """Does it hold only where the request brings the key with one of the values?"""
        return not (self.negative or self.if_exists or self.quantifier == "ForAllValues" or self.base == "Null")


class Part(Struct, frozen=True):
    """One statement."""

    statement: Statement
    place: str
    actions: Element
    resources: Element | None
    principals: tuple[Named, ...]
    terms: tuple[Term, ...]

    @property
    def allows(self) -> bool:
        return self.statement.effect is Effect.ALLOW


class Subject(Struct):
    """What is examined, and what was found so far. `now` decides what is past; None asks for no such thing."""

    document: Document
    kind: DocumentKind
    now: datetime | None
    parts: tuple[Part, ...]
    found: list[Finding] = field(default_factory=list)
    hints: int = 0

    def add(self, rule: Rule, place: str, message: str = "") -> None:
        self.found.append(Finding(rule, place, message or rule.title))

    def hint(self, find: Callable[[str], str], text: str) -> str:
        """` (did you mean "ecr:PutImage"?)`, or nothing; a bounded number of times, for each compares many names."""
        if self.hints >= MOST_HINTS:
            return ""
        self.hints += 1
        near = find(text)
        return f' (did you mean "{near}"?)' if near else ""


def quoted(text: str) -> str:
    """Text of the document as a message shows it."""
    return f'"{printable(text)}"'


def parts_of(document: Document) -> tuple[Part, ...]:
    """The statements with their places."""
    raw = json.loads(document.text)["Statement"]
    if isinstance(raw, dict):
        return (_part(document.statements[0], raw, "Statement"),)
    return tuple(
        _part(statement, entry, f"Statement[{index}]")
        for index, (statement, entry) in enumerate(zip(document.statements, raw, strict=True))
    )


def _part(statement: Statement, raw: dict[str, Any], place: str) -> Part:
    actions = _element("Action", raw, place)
    assert actions is not None, "parse_document lets no statement through without one"
    return Part(
        statement,
        place,
        actions,
        _element("Resource", raw, place),
        tuple(_principals(raw, statement, place)),
        tuple(_terms(raw.get("Condition", {}), statement, f"{place}.Condition")),
    )


def _element(name: str, raw: dict[str, Any], place: str) -> Element | None:
    for spelled in (name, f"Not{name}"):
        if spelled in raw:
            where = f"{place}.{spelled}"
            return Element(spelled, spelled != name, where, tuple(_values(raw[spelled], where)))
    return None


def _values(raw: Any, place: str) -> Iterator[Value]:
    if isinstance(raw, list):
        for index, text in enumerate(raw):
            yield Value(text, f"{place}[{index}]")
    else:
        yield Value(raw, place)


def _principals(raw: dict[str, Any], statement: Statement, place: str) -> Iterator[Named]:
    if statement.principals is None:
        return
    name = "NotPrincipal" if statement.principals.negated else "Principal"
    given = raw[name]
    places: Iterable[str] = (f"{place}.{name}",)
    if isinstance(given, dict):
        places = (value.place for kind, values in given.items() for value in _values(values, f"{place}.{name}.{kind}"))
    for principal, where in zip(statement.principals.values, places, strict=True):
        yield Named(principal, where)


def _terms(raw: dict[str, Any], statement: Statement, place: str) -> Iterator[Term]:
    # The clauses stand in the order of the text, but with their operators respelled and their values as strings.
    places = (
        (f"{below(place, operator)}.{printable(key, 60)}", values)
        for operator, block in raw.items()
        for key, values in block.items()
    )
    for clause, (where, given) in zip(statement.conditions, places, strict=True):
        quantifier, _, rest = clause.operator.rpartition(":")
        base = rest.removesuffix("IfExists")
        listed = isinstance(given, list)
        values = (Value(text, f"{where}[{index}]" if listed else where) for index, text in enumerate(clause.values))
        yield Term(
            operator=clause.operator,
            base=base.replace("Not", ""),
            quantifier=quantifier,
            negative="Not" in base,
            if_exists=base != rest,
            key=ascii_lower(clause.key),
            spelled=clause.key,
            place=where,
            values=tuple(values),
        )
