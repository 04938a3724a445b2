"""A tree of nodes against the field tables: what does not fit is reported and dropped, the rest goes on."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import assert_never

from ecr_warden.spec.nodes import JSON_NUMBER, ListNode, MapNode, Node, Scalar, Tag, describe
from ecr_warden.spec.problems import Code, Place, quote
from ecr_warden.spec.report import Report
from ecr_warden.spec.shapes import (
    AccountId,
    Choice,
    Either,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Raw,
    Record,
    Shape,
    Text,
    Whole,
)

_LONGEST_NUMBER, _LARGEST_NUMBER = 30, 10**18
ACCOUNT_DIGITS = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a list that fit."""

    place: Place
    items: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """The entries of a record or mapping that fit; `keys` has the place of every key that the file wrote."""

    place: Place
    values: Mapping[str, "Value"] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)

    def text(self, name: str) -> Scalar | None:
        value = self.values.get(name)
        return value if isinstance(value, Scalar) else None

    def flag(self, name: str) -> bool:
        """Whether it is given and true."""
        value = self.text(name)
        return value is not None and value.text == "true"

    def texts(self, name: str) -> tuple[Scalar, ...]:
        value = self.values.get(name)
        return tuple(item for item in value.items if isinstance(item, Scalar)) if isinstance(value, Items) else ()

    def all(self, name: str) -> tuple["Fields", ...]:
        value = self.values.get(name)
        return tuple(item for item in value.items if isinstance(item, Fields)) if isinstance(value, Items) else ()

    def fields(self, name: str) -> "Fields":
        value = self.values.get(name)
        return value if isinstance(value, Fields) else Fields(self.place)

    def raw(self, name: str) -> MapNode | None:
        value = self.values.get(name)
        return value if isinstance(value, MapNode) else None

    def place_of(self, name: str) -> Place:
        return self.keys.get(name, self.place)


type Value = Scalar | MapNode | Items | Fields


def conform(node: Node, shape: Shape, report: Report) -> Value | None:
    """The value in the shape, or None; every misfit below is reported."""
    if isinstance(node, Scalar) and node.tag is Tag.BROKEN:
        return None
    match shape:
        case Text() | AccountId() | Moment() | Whole() | Flag():
            return _single(node, shape, report)
        case Raw():
            return node if isinstance(node, MapNode) else _wrong(node, "a mapping", report)
        case ListOf():
            return _list(node, shape, report)
        case MapOf():
            if not isinstance(node, MapNode):
                return _wrong(node, "a mapping", report)
            return Fields(node.place, dict(_map(node, shape, report)), _keys(node))
        case Record() | Choice():
            if not isinstance(node, MapNode):
                return _wrong(node, "a mapping", report)
            record = shape if isinstance(shape, Record) else _chosen(node, shape, report)
            return None if record is None else _record(node, record, report)
        case Either():
            return _either(node, shape, report)
        case _:
            assert_never(shape)


def _single(node: Node, shape: Text | AccountId | Moment | Whole | Flag, report: Report) -> Value | None:
    match shape:
        case Text():
            return _text(node, shape, report)
        case AccountId():
            return _account_id(node, report)
        case Moment():
            return _moment(node, report)
        case Whole():
            return _whole(node, report)
        case Flag():
            return _flag(node, report)
        case _:
            assert_never(shape)


def _text(node: Node, shape: Text, report: Report) -> Value | None:
    if not isinstance(node, Scalar):
        return _wrong(node, shape.what, report)
    if node.tag is not Tag.TEXT:
        return _wrong(node, shape.what, report, remedy="" if node.tag is Tag.NULL else "put it in quotes")
    if not node.text:
        report.add(Code.EMPTY_VALUE, node.place, f"empty text instead of {shape.what}", remedy="")
    elif shape.choices and node.text not in shape.choices:
        message = f"{quote(node.text)} is not {shape.what}{report.hint(node.text, shape.choices)}"
        report.add(Code.NOT_ONE_OF, node.place, message, remedy=f"write one of {', '.join(shape.choices)}")
    else:
        return node
    return None


def _account_id(node: Node, report: Report) -> Value | None:
    if not isinstance(node, Scalar) or node.tag is Tag.NULL:
        return _wrong(node, "an account id in quotes", report)
    if lost_its_quotes(node) or node.tag is Tag.NUMBER:
        report.add(Code.UNQUOTED_ACCOUNT_ID, node.place, f"the account id {quote(node.text)} has no quotes of its own")
    elif not ACCOUNT_DIGITS.fullmatch(node.text):
        report.add(Code.ACCOUNT_ID, node.place, f"{quote(node.text)} is not an account id")
    else:
        return node
    return None


def lost_its_quotes(node: Scalar) -> bool:
    """Whether a plain scalar is twelve digits, which some YAML reader takes for a decimal or octal number."""
    return node.plain and ACCOUNT_DIGITS.fullmatch(node.text) is not None


def _moment(node: Node, report: Report) -> Value | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.TEXT, Tag.TIMESTAMP):
        return _wrong(node, "a time with a zone", report)
    return node


def _whole(node: Node, report: Report) -> Value | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.NUMBER, Tag.TEXT):
        return _wrong(node, "a whole number", report)
    number = _whole_number(node)
    if number is not None:
        return replace(node, text=str(number))
    message = f"{quote(node.text)} is not a whole number"
    report.add(Code.WRONG_TYPE, node.place, message, remedy="write it in decimal digits, without quotes")
    return None


def _whole_number(node: Scalar) -> int | None:
    """As JSON Schema has it, 3600.0 and 3.6e3 are whole; 3_600 and 0xE10 are numbers to some YAML readers only."""
    if node.tag is not Tag.NUMBER or len(node.text) > _LONGEST_NUMBER or not JSON_NUMBER.fullmatch(node.text):
        return None
    try:
        number = Decimal(node.text)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    # Before it becomes an int: 1e999 would be one of a thousand digits.
    return int(number) if 0 <= number < _LARGEST_NUMBER and number % 1 == 0 else None


def _flag(node: Node, report: Report) -> Value | None:
    if isinstance(node, Scalar) and node.tag is Tag.BOOLEAN and node.text in ("true", "false"):
        return node
    return _wrong(node, "true or false", report, remedy="write true or false, in small letters, without quotes")


def _list(node: Node, shape: ListOf, report: Report) -> Value | None:
    if not isinstance(node, ListNode):
        return _wrong(node, "a list", report, remedy="write [ ] around it" if isinstance(node, Scalar) else "")
    if shape.nonempty and not node.items:
        report.add(Code.EMPTY_VALUE, node.place, "an empty list", remedy="name at least one, or remove the entry")
        return None
    fitting = (conform(item, shape.item, report) for item in node.items)
    return Items(node.place, tuple(item for item in fitting if item is not None))


def _map(node: MapNode, shape: MapOf, report: Report) -> Iterator[tuple[str, Value]]:
    for key, entry in node.entries:
        value = conform(entry, shape.value, report)
        if value is not None:
            yield key.text, value


def _record(node: MapNode, record: Record, report: Report) -> Fields:
    known = {entry.name: entry for entry in record.fields}
    values: dict[str, Value] = {}
    for key, entry in node.entries:
        known_field = known.get(key.text)
        if known_field is None:
            names = [entry.name for entry in record.fields if not entry.needless]
            hint = report.hint(key.text, names)
            message = f"unknown field {quote(key.text)} of a {record.name}{hint}"
            report.add(Code.UNKNOWN_FIELD, key.place, message, remedy="" if hint else f"known are {', '.join(names)}")
        elif known_field.needless:
            report.add(Code.NEEDLESS_FIELD, key.place, f"{key.text} of a {record.name}: {known_field.needless}")
        elif (value := conform(entry, known_field.shape, report)) is not None:
            values[key.text] = value
    keys = _keys(node)
    for needed in record.fields:
        if needed.required and needed.name not in keys:
            message = f"a {record.name} without {needed.name}"
            report.add(Code.MISSING_FIELD, node.place, message, remedy=f"add {needed.name}: {needed.meaning}")
    return Fields(node.place, values, keys)


def _chosen(node: MapNode, choice: Choice, report: Report) -> Record | None:
    by = next((value for key, value in node.entries if key.text == choice.by), None)
    names = tuple(choice.records)
    if by is None:
        message = f"a {choice.name} without {choice.by}"
        report.add(Code.MISSING_FIELD, node.place, message, remedy=f"add {choice.by}: one of {', '.join(names)}")
        return None
    chosen = conform(by, Text(f"a {choice.by} of {choice.name}", names), report)
    return choice.records[chosen.text] if isinstance(chosen, Scalar) else None


def _either(node: Node, shape: Either, report: Report) -> Value | None:
    if not isinstance(node, MapNode):
        return _text(node, shape.text, report)
    telling = next((key.text for key, _ in node.entries if key.text in shape.records), None)
    if telling is not None:
        return _record(node, shape.records[telling], report)
    *others, last = shape.records
    remedy = f"write {shape.text.what}, or a mapping with {', '.join(others)} or {last}"
    report.add(Code.PRINCIPAL, node.place, "a mapping that names no principal", remedy=remedy)
    return None


def _keys(node: MapNode) -> dict[str, Place]:
    return {key.text: key.place for key, _ in node.entries}


def _wrong(node: Node, expected: str, report: Report, *, remedy: str = "") -> Value | None:
    report.add(Code.WRONG_TYPE, node.place, f"{describe(node)} instead of {expected}", remedy=remedy)
    return None
