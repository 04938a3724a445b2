"""Checks a tree of nodes against the field tables: values that do not fit are reported and dropped."""

import re
from collections.abc import Mapping
from copy import replace
from decimal import Decimal, InvalidOperation

from msgspec import Struct, field

from ecr_warden.access_spec.nodes import JSON_NUMBER, ListNode, MapNode, Node, Scalar, Tag, describe
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, bare, quote
from ecr_warden.access_spec.shapes import (
    NO_GROUPS,
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
    TextShape,
    Whole,
    for_list,
    for_mapping,
    for_text,
    for_whole,
    holder,
    named,
    one_of,
    records,
)
from iam_access.arn import ACCOUNT_ID
from iam_access.text.nearest import did_you_mean

_LONGEST_NUMBER, _LARGEST_NUMBER = 30, 10**18
_CHOICE_CUTOFF = 0.75  # a lower one offers a word of the opposite meaning


def _text(node: Node, shape: TextShape, report: ProblemReport) -> Scalar | None:
    """The scalar if it is text as the shape wants it; otherwise None, after reporting it."""
    if not isinstance(node, Scalar) or node.tag is not Tag.TEXT:
        return _wrong(node, shape.what, report, remedy=for_text(node, shape))
    if not node.text:
        report.add(Code.EMPTY_VALUE, node.place, f"empty text instead of {shape.what}", remedy=for_text(node, shape))
    elif shape.choices and node.text not in shape.choices:
        hint = report.hint(node.text, shape.choices, cutoff=_CHOICE_CUTOFF)
        report.add(
            Code.NOT_ONE_OF, node.place, f"{quote(node.text)} is not {shape.what}{hint}", remedy=one_of(shape.choices)
        )
    elif shape.form and not re.fullmatch(shape.form, node.text):
        report.add(
            Code.NOT_ONE_OF,
            node.place,
            # A webhook's URL is a secret, wherever it is written.
            f"{quote(re.sub('(?s)://.*', '://...', node.text))} is not {shape.what}",
            remedy=for_text(node, shape),
        )
    else:
        return node
    return None


def _account_id(node: Node, report: ProblemReport) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag is Tag.NULL:
        return _wrong(node, "an account ID", report, remedy=Code.ACCOUNT_ID.remedy)
    if has_lost_quotes(node) or node.tag is Tag.NUMBER:
        report.add(Code.UNQUOTED_ACCOUNT_ID, node.place, f"the account ID {bare(node.text)} has no quotes")
    elif not ACCOUNT_ID.fullmatch(node.text):
        digits = "".join(character for character in node.text if character in "0123456789")
        report.add(
            Code.ACCOUNT_ID,
            node.place,
            f"{quote(node.text)} is not an account ID",
            remedy=f'write "{digits}"' if ACCOUNT_ID.fullmatch(digits) else None,
        )
    else:
        return node
    return None


def has_lost_quotes(node: Scalar) -> bool:
    """Whether a scalar is twelve digits without quotes, which YAML parsers read as a decimal or octal number."""
    return node.plain and ACCOUNT_ID.fullmatch(node.text) is not None


def _moment(node: Node, report: ProblemReport) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.TEXT, Tag.TIMESTAMP):
        return _wrong(node, "a day, or a time with a time zone", report, remedy=Code.UNTIL.remedy)
    return node


def _whole(node: Node, shape: Whole, report: ProblemReport) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.NUMBER, Tag.TEXT):
        return _wrong(node, "a whole number", report, remedy=for_whole(shape))
    number = _whole_number(node)
    if number is not None and number in (shape.choices or range(shape.least, shape.most + 1)):
        return replace(node, text=str(number))
    if number is None:
        report.add(Code.WRONG_TYPE, node.place, f"{quote(node.text)} is not a whole number", remedy=for_whole(shape))
    else:
        report.add(
            shape.outside, node.place, shape.what.format(number), remedy=shape.outside.remedy or for_whole(shape)
        )
    return None


def _whole_number(node: Scalar) -> int | None:
    """As in JSON Schema, 3600.0 and 3.6e3 are whole; 3_600 and 0xE10 are numbers only to some YAML parsers."""
    if node.tag is not Tag.NUMBER or len(node.text) > _LONGEST_NUMBER or not JSON_NUMBER.fullmatch(node.text):
        return None
    try:
        number = Decimal(node.text)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    # Checked before the conversion: 1e999 would become an int of a thousand digits.
    return int(number) if 0 <= number < _LARGEST_NUMBER and number % 1 == 0 else None


def _flag(node: Node, report: ProblemReport) -> Scalar | None:
    if isinstance(node, Scalar) and node.tag is Tag.BOOLEAN and node.text in ("true", "false"):
        return node
    return _wrong(node, "true or false", report, remedy="write true or false, in lower case and without quotes")


def _wrong(node: Node, expected: str, report: ProblemReport, *, remedy: str) -> Scalar | None:
    """Report a value of the wrong type."""
    report.add(Code.WRONG_TYPE, node.place, f"{describe(node)} instead of {expected}", remedy=remedy)
    return None


class Items(Struct, frozen=True):
    """The items of a list that fit."""

    place: Place
    items: tuple["Value", ...]


class Fields(Struct, frozen=True):
    """The entries of a record or mapping that fit; `keys` has the place of every key in the spec.

    A misspelled key counts as the field that it resembles, so that the field is not reported as missing too.
    """

    place: Place
    values: Mapping[str, "Value"] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)

    def text(self, name: str) -> Scalar | None:
        value = self.values.get(name)
        return value if isinstance(value, Scalar) else None

    def flag(self, name: str) -> bool:
        """Whether the field is given and true."""
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

    def unread(self, name: str) -> bool:
        """Whether the field is given, but its value did not fit and was reported."""
        return name in self.keys and name not in self.values

    def place_of(self, name: str) -> Place:
        return self.keys.get(name, self.place)


type Value = Scalar | MapNode | Items | Fields


def check_shape(node: Node, shape: Shape, report: ProblemReport) -> Value | None:
    """The value, or None if it does not fit; every value below that does not fit is reported."""
    gone = {name: where for one in records(shape) for name, where in _gone(one).items()}
    return _Check(report, gone).value(node, shape)


class _Check(Struct, frozen=True):
    """One value's check.

    `gone`: the record that had a field, and what to write instead; such a field is named wherever it stands.
    """

    report: ProblemReport
    gone: Mapping[str, tuple[str, str]]

    def value(self, node: Node, shape: Shape) -> Value | None:
        """The value, or None if it does not fit; every value below that does not fit is reported."""
        report = self.report
        if isinstance(node, Scalar) and node.tag is Tag.BROKEN:
            return None
        match shape:
            case TextShape():
                return _text(node, shape, report)
            case AccountId():
                return _account_id(node, report)
            case Moment():
                return _moment(node, report)
            case Whole():
                return _whole(node, shape, report)
            case Flag():
                return _flag(node, report)
            case ListOf():
                return self._list(node, shape)
            case Either():
                return self._either(node, shape)
            case Raw() | MapOf() | Record() | Choice():
                if isinstance(node, MapNode):
                    return self._mapping(node, shape)
                if isinstance(shape, Record) and shape.gone_text and isinstance(node, Scalar) and node.tag is Tag.TEXT:
                    report.add(
                        Code.GONE_FIELD,
                        node.place,
                        f"{quote(node.text)} alone in place of {named(shape.name)} is gone",
                        remedy=shape.gone_text,
                    )
                    return node
                expected = named(shape.name) if isinstance(shape, Record | Choice) else "a mapping"
                return _wrong(node, expected, report, remedy=for_mapping(shape))

    def _mapping(self, node: MapNode, shape: Raw | MapOf | Record | Choice) -> Value | None:
        match shape:
            case Raw():
                return node
            case MapOf():
                values = ((key.text, self.value(entry, shape.value)) for key, entry in node.entries)
                return Fields(node.place, {key: value for key, value in values if value is not None}, _keys(node))
            case Record():
                return self._record(node, shape)
            case Choice():
                record = self._chosen(node, shape)
                return None if record is None else self._record(node, record)

    def _list(self, node: Node, shape: ListOf) -> Value | None:
        if not isinstance(node, ListNode):
            if shape.or_one:
                return self.value(node, shape.item)
            return _wrong(node, "a list", self.report, remedy=for_list(node, shape))
        if shape.nonempty and not node.items:
            self.report.add(
                Code.EMPTY_VALUE, node.place, "an empty list", remedy="name at least one, or remove the field"
            )
            return None
        fitting = (self.value(item, shape.item) for item in node.items)
        return Items(node.place, tuple(item for item in fitting if item is not None))

    def _record(self, node: MapNode, record: Record) -> Fields:
        known = {entry.name: entry for entry in record.fields}
        values: dict[str, Value] = {}
        keys = _keys(node)
        for key, entry in node.entries:
            known_field = known.get(key.text)
            if known_field is None:
                if meant := self._unknown(key, record):
                    keys.setdefault(meant, key.place)
            elif known_field.needless:
                self.report.add(
                    Code.NEEDLESS_FIELD, key.place, f"{key.text} of {named(record.name)}: {known_field.needless}"
                )
            elif (value := self.value(entry, known_field.shape)) is not None:
                values[key.text] = value
        for needed in record.fields:
            if needed.required and needed.name not in keys:
                meaning = needed.meaning.rstrip(".")
                self.report.add(
                    Code.MISSING_FIELD,
                    node.place,
                    f"{_named(record, values)} has no {needed.name}",
                    remedy=f"add {needed.name}: ({meaning[0].lower()}{meaning[1:]})",
                )
        return Fields(node.place, values, keys)

    def _unknown(self, key: Scalar, record: Record) -> str:
        """Report a field that the record does not have; returns the field that was probably meant, or ""."""
        if gone := {**self.gone, **_gone(record)}.get(key.text):
            holder_name, instead = gone
            self.report.add(Code.GONE_FIELD, key.place, f"{key.text} of {named(holder_name)} is gone", remedy=instead)
            return ""
        names = [entry.name for entry in record.fields if not entry.needless]
        near = self.report.nearest(key.text, names)
        if near:
            remedy = ""
        elif outer := holder(record, key.text):
            remedy = f"move it under {outer}:"
        else:
            remedy = f"known fields: {', '.join(names)}"
        self.report.add(
            Code.UNKNOWN_FIELD,
            key.place,
            f"unknown field {quote(key.text)} of {named(record.name)}{did_you_mean(near and quote(near))}",
            remedy=remedy,
        )
        return near

    def _chosen(self, node: MapNode, choice: Choice) -> Record | None:
        by = next((value for key, value in node.entries if key.text == choice.by), None)
        names = tuple(choice.records)
        if by is None:
            self.report.add(
                Code.MISSING_FIELD,
                node.place,
                f"{named(choice.name)} has no {choice.by}",
                remedy=f"add {choice.by}: ({', '.join(names)})",
            )
            return None
        chosen = self.value(by, TextShape(f"{named(choice.by)} of {choice.name}", names))
        return choice.records[chosen.text] if isinstance(chosen, Scalar) else None

    def _either(self, node: Node, shape: Either) -> Value | None:
        if not isinstance(node, MapNode):
            return _text(node, shape.text, self.report)
        known = next((key.text for key, _ in node.entries if key.text in shape.records), None)
        if known is not None:
            return self._record(node, shape.records[known])
        keys = [key.text for key, _ in node.entries]
        first, *more = shape.records.values()
        if not more and not {entry.name for entry in first.fields}.isdisjoint(keys):
            return self._record(node, first)
        hint = self.report.hint(keys[0], shape.records) if keys else ""
        remedy = f"write {shape.text.what}, or a mapping with {one_of(tuple(shape.records)).removeprefix('write ')}"
        if "group" in keys:
            remedy = NO_GROUPS
        elif len(keys) == 1 and not hint:
            remedy = for_text(node, shape.text)
        instead = "that names no principal" if shape.otherwise is Code.PRINCIPAL else f"instead of {shape.text.what}"
        self.report.add(shape.otherwise, node.place, f"a mapping {instead}{hint}", remedy=remedy)
        return None


def _named(record: Record, values: Mapping[str, Value]) -> str:
    """A record in a message, with its name if it has one."""
    name = values.get("name") or values.get("role")
    return f"the {record.name} {quote(name.text)}" if isinstance(name, Scalar) else named(record.name)


def _gone(record: Record) -> dict[str, tuple[str, str]]:
    return {name: (record.name, instead) for name, instead in record.gone.items()}


def _keys(node: MapNode) -> dict[str, Place]:
    return {key.text: key.place for key, _ in node.entries}
