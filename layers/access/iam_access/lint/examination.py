"""The document under examination: its statements with the place of every value in the JSON."""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from msgspec import Struct, field

from iam_access.delta.service import Service
from iam_access.document.condition import Operator, Quantifier, parse_operator
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import Principal
from iam_access.lint.rules import LintFinding, LintRule
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable
from iam_access.text.strict_json import below


class PlacedText(Struct, frozen=True):
    """One string and its place."""

    text: str
    place: str


class PlacedPrincipal(Struct, frozen=True):
    """One principal and its place."""

    principal: Principal
    place: str


class PlacedElement(Struct, frozen=True):
    """An Action or Resource element, or its Not form."""

    name: str
    negated: bool
    place: str
    values: tuple[PlacedText, ...]


class PlacedClause(Struct, frozen=True):
    """One operator on one key: `operator` and `spelled` as messages show them, `key` in lower case."""

    operator: str
    parts: Operator
    key: str
    spelled: str
    place: str
    values: tuple[PlacedText, ...]

    @property
    def base(self) -> str:
        """The operator without quantifier, Not and IfExists."""
        return self.parts.positive

    @property
    def certain(self) -> bool:
        """Does it only hold if the request has the key, with one of the values?"""
        quantifier, base, negated, if_exists = self.parts
        return not (negated or if_exists or quantifier is Quantifier.ALL or base == "Null")


class PlacedStatement(Struct, frozen=True):
    """One statement."""

    written: Statement
    place: str
    actions: PlacedElement
    resources: PlacedElement | None
    principals: tuple[PlacedPrincipal, ...]
    clauses: tuple[PlacedClause, ...]

    @property
    def allows(self) -> bool:
        return self.written.effect is Effect.ALLOW


class Examination(Struct):
    """The document, and the findings so far."""

    document: Document
    kind: DocumentKind
    service: Service | None
    statements: tuple[PlacedStatement, ...]
    found: list[LintFinding] = field(default_factory=list)

    @property
    def noun(self) -> str:
        """What a resource policy is attached to."""
        return self.service.noun if self.service is not None else "resource"

    @property
    def article(self) -> str:
        """A document of this kind, as messages name it."""
        articles = {DocumentKind.TRUST: "a trust policy", DocumentKind.IDENTITY: "an identity policy"}
        return articles.get(self.kind, f"a {self.noun} policy")

    def add(self, rule: LintRule, place: str, message: str = "") -> None:
        self.found.append(LintFinding(rule, place, message or rule.title))


def quoted(text: str) -> str:
    """A text of the document in quotes, as messages show it."""
    return f'"{printable(text)}"'


def placed_statements(document: Document) -> tuple[PlacedStatement, ...]:
    """The statements with their places."""
    raw = json.loads(document.text)["Statement"]
    if isinstance(raw, dict):
        return (_placed(document.statements[0], raw, "Statement"),)
    return tuple(map(_placed, document.statements, raw, (f"Statement[{index}]" for index in count())))


def _placed(statement: Statement, raw: dict[str, Any], place: str) -> PlacedStatement:
    actions = _element("Action", raw, place)
    assert actions is not None, "parse_document lets no statement through without one"
    return PlacedStatement(
        statement,
        place,
        actions,
        _element("Resource", raw, place),
        tuple(_principals(raw, statement, place)),
        tuple(_clauses(raw.get("Condition", {}), statement, f"{place}.Condition")),
    )


def _element(name: str, raw: dict[str, Any], place: str) -> PlacedElement | None:
    for spelled in (name, f"Not{name}"):
        if spelled in raw:
            where = f"{place}.{spelled}"
            return PlacedElement(spelled, spelled != name, where, tuple(_values(raw[spelled], where)))
    return None


def _values(raw: Any, place: str) -> Iterator[PlacedText]:
    if isinstance(raw, list):
        yield from (PlacedText(text, f"{place}[{index}]") for index, text in enumerate(raw))
    else:
        yield PlacedText(raw, place)


def _principals(raw: dict[str, Any], statement: Statement, place: str) -> Iterator[PlacedPrincipal]:
    if statement.principals is None:
        return
    name = "NotPrincipal" if statement.principals.negated else "Principal"
    given = raw[name]
    places: Iterable[str] = (f"{place}.{name}",)
    if isinstance(given, dict):
        places = (value.place for kind, values in given.items() for value in _values(values, f"{place}.{name}.{kind}"))
    for principal, where in zip(statement.principals.values, places, strict=True):
        yield PlacedPrincipal(principal, where)


def _clauses(raw: dict[str, Any], statement: Statement, place: str) -> Iterator[PlacedClause]:
    # The clauses have the order of the text, with operators respelled and values as strings.
    places = (
        (f"{below(place, operator)}.{printable(key, 60)}", values)
        for operator, block in raw.items()
        for key, values in block.items()
    )
    for clause, (where, given) in zip(statement.conditions, places, strict=True):
        operator, key, texts = clause
        listed = isinstance(given, list)
        values = (PlacedText(text, f"{where}[{index}]" if listed else where) for index, text in enumerate(texts))
        yield PlacedClause(operator, parse_operator(operator), ascii_lower(key), key, where, tuple(values))
