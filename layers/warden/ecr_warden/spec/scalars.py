"""Single values against their shapes: text, account ids, times, numbers and flags."""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import assert_never

from ecr_warden.spec.nodes import JSON_NUMBER, Node, Scalar, Tag, describe
from ecr_warden.spec.problems import Code, bare, quote
from ecr_warden.spec.remedies import for_text, for_whole, one_of
from ecr_warden.spec.report import Report
from ecr_warden.spec.shapes import AccountId, Flag, Moment, Text, Whole

_LONGEST_NUMBER, _LARGEST_NUMBER = 30, 10**18
_CHOICE_CUTOFF = 0.75  # of two words with opposite meanings one is always a little like a third
_ACCOUNT_DIGITS = re.compile(r"[0-9]{12}")


def check_single(node: Node, shape: Text | AccountId | Moment | Whole | Flag, report: Report) -> Scalar | None:
    """The scalar if it is such a value, a number in plain digits; else None, and it is reported."""
    match shape:
        case Text():
            return check_text(node, shape, report)
        case AccountId():
            return _account_id(node, report)
        case Moment():
            return _moment(node, report)
        case Whole():
            return _whole(node, shape, report)
        case Flag():
            return _flag(node, report)
        case _:
            assert_never(shape)


def check_text(node: Node, shape: Text, report: Report) -> Scalar | None:
    """The scalar if it is text, and one of the shape's choices; else None, and it is reported."""
    if not isinstance(node, Scalar) or node.tag is not Tag.TEXT:
        return wrong(node, shape.what, report, remedy=for_text(node, shape))
    if not node.text:
        report.add(Code.EMPTY_VALUE, node.place, f"empty text instead of {shape.what}", remedy=for_text(node, shape))
    elif shape.choices and node.text not in shape.choices:
        hint = report.hint(node.text, shape.choices, cutoff=_CHOICE_CUTOFF)
        message = f"{quote(node.text)} is not {shape.what}{hint}"
        report.add(Code.NOT_ONE_OF, node.place, message, remedy=one_of(shape.choices))
    else:
        return node
    return None


def _account_id(node: Node, report: Report) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag is Tag.NULL:
        return wrong(node, "an account id", report, remedy=Code.ACCOUNT_ID.remedy)
    if lost_its_quotes(node) or node.tag is Tag.NUMBER:
        report.add(Code.UNQUOTED_ACCOUNT_ID, node.place, f"the account id {bare(node.text)} has no quotes")
    elif not _ACCOUNT_DIGITS.fullmatch(node.text):
        digits = "".join(character for character in node.text if character in "0123456789")
        remedy = f'write "{digits}"' if _ACCOUNT_DIGITS.fullmatch(digits) else None
        report.add(Code.ACCOUNT_ID, node.place, f"{quote(node.text)} is not an account id", remedy=remedy)
    else:
        return node
    return None


def lost_its_quotes(node: Scalar) -> bool:
    """Whether a plain scalar is twelve digits, which some YAML reader takes for a decimal or octal number."""
    return node.plain and _ACCOUNT_DIGITS.fullmatch(node.text) is not None


def _moment(node: Node, report: Report) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.TEXT, Tag.TIMESTAMP):
        return wrong(node, "a time with a zone", report, remedy=Code.UNTIL.remedy)
    return node


def _whole(node: Node, shape: Whole, report: Report) -> Scalar | None:
    if not isinstance(node, Scalar) or node.tag not in (Tag.NUMBER, Tag.TEXT):
        return wrong(node, "a whole number", report, remedy=for_whole(shape))
    number = _whole_number(node)
    if number is not None:
        return replace(node, text=str(number))
    report.add(Code.WRONG_TYPE, node.place, f"{quote(node.text)} is not a whole number", remedy=for_whole(shape))
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


def _flag(node: Node, report: Report) -> Scalar | None:
    if isinstance(node, Scalar) and node.tag is Tag.BOOLEAN and node.text in ("true", "false"):
        return node
    return wrong(node, "true or false", report, remedy="write true or false, in small letters and without quotes")


def wrong(node: Node, expected: str, report: Report, *, remedy: str = "") -> Scalar | None:
    """None, with the value reported as one of the wrong type."""
    report.add(Code.WRONG_TYPE, node.place, f"{describe(node)} instead of {expected}", remedy=remedy)
    return None
