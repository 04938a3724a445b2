"""Condition operators on one value of the request and one value of the policy.

Values that the operator cannot compare (a word instead of a number) match nothing.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt

from iam_access.arn import ARN_COLONS
from iam_access.document.glob import Piece, Wild, glob
from iam_access.document.variables import Context, resolved_glob, resolved_pieces, resolved_text
from iam_access.text.ascii_case import folded

type Compare = Callable[[str, str, Context | None], bool]
"""(request's value, policy's value, context for its variables or None) -> does it match?"""

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_DATE = re.compile(
    r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_EPOCH = re.compile(r"-?[0-9]{5,12}(\.[0-9]{1,9})?")
_EPOCH_MILLISECONDS = re.compile(r"[0-9]{13}")
# Longer texts cannot be one, and are not cached.
_LONGEST_MOMENT = 64
_LONGEST_NETWORK = 128


def number(text: str) -> Decimal | None:
    """An integer or a decimal number; None for anything else."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> Decimal | None:
    """Seconds since 1970 of an ISO 8601 date (in UTC by default) or an epoch time; None for anything else.

    Four digits are a year, as in the W3C date format; five to twelve an epoch time, thirteen one in milliseconds.
    """
    return _moment(text) if len(text) <= _LONGEST_MOMENT else None


@lru_cache(maxsize=1024)
def _moment(text: str) -> Decimal | None:
    if _EPOCH.fullmatch(text):
        return Decimal(text)
    if _EPOCH_MILLISECONDS.fullmatch(text):
        return Decimal(text) / 1000
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        start = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return Decimal(int(start.timestamp())) + Decimal(fraction or 0) - _offset(zone)


_UNTIL = frozenset({"DateLessThan", "DateLessThanEquals", "NumericLessThan", "NumericLessThanEquals"})


def ends(operator: str, values: Iterable[str]) -> list[Decimal]:
    """The ends that a positive operator on one of condition.CLOCKS sets, in seconds since 1970.

    None if it sets no end, or if one of the values cannot be read.
    """
    read = number if operator.startswith("Numeric") else moment
    found = [read(value) for value in values] if operator in _UNTIL else []
    return [end for end in found if end is not None] if None not in found else []


def network(text: str) -> Network | None:
    """An IPv4 or IPv6 address or range; None for anything else. An address is a range of one."""
    return _network(text) if len(text) <= _LONGEST_NETWORK else None


@lru_cache(maxsize=1024)
def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Network | None:
    """One IPv4 or IPv6 address as a range of one; None for anything else."""
    found = network(text)
    return found if found is not None and found.prefixlen == found.max_prefixlen else None


def _offset(zone: str | None) -> Decimal:
    if not zone or zone in "Zz":
        return Decimal(0)
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return Decimal(-seconds if zone[0] == "-" else seconds)


def _string_equals(value: str, policy: str, variables: Context | None) -> bool:
    return value == resolved_text(policy, variables)


def _string_equals_ignore_case(value: str, policy: str, variables: Context | None) -> bool:
    text = resolved_text(policy, variables)
    return text is not None and folded(value) == folded(text)


def _string_like(value: str, policy: str, variables: Context | None) -> bool:
    pattern = resolved_glob(policy, variables)
    return pattern is not None and pattern.matches(value)


def _arn_like(value: str, policy: str, variables: Context | None) -> bool:
    pieces = resolved_pieces(policy, variables)
    if pieces is None:
        return False
    parts = value.split(":", ARN_COLONS)
    if len(parts) <= ARN_COLONS:
        return False
    patterns = _components(pieces)
    if _is_any(patterns):
        return True
    return len(patterns) == len(parts) and all(
        glob(pattern).matches(part) for pattern, part in zip(patterns, parts, strict=True)
    )


def _is_any(patterns: list[list[Piece]]) -> bool:
    """Only `*`, which every ARN matches."""
    return len(patterns) == 1 and {piece for piece in patterns[0] if piece} == {Wild.ANY}


def _components(pieces: list[Piece]) -> list[list[Piece]]:
    """The pattern of each of an ARN's six components, whose wildcards do not match colons."""
    components: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Wild):
            components[-1].append(piece)
            continue
        first, *more = piece.split(":", ARN_COLONS + 1 - len(components))
        components[-1].append(first)
        components.extend([part] for part in more)
    return components


def is_base64(text: str) -> bool:
    """Is this the base64 encoding of some bytes? Each has only one."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:  # binascii.Error, or text that is not ASCII
        return False


def _binary_equals(value: str, policy: str, _: Context | None) -> bool:
    return value == policy and is_base64(value)


def _bool(value: str, policy: str, variables: Context | None) -> bool:
    text = resolved_text(policy, variables)
    return text is not None and text.lower() == value.lower() and text.lower() in ("true", "false")


def _ip_address(value: str, policy: str, _: Context | None) -> bool:
    one, wide = address(value), network(policy)
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(wide, ipaddress.IPv4Network) and one.subnet_of(wide)
    return isinstance(one, ipaddress.IPv6Network) and isinstance(wide, ipaddress.IPv6Network) and one.subnet_of(wide)


def _ordered(read: Callable[[str], Decimal | None], test: Callable[[Decimal, Decimal], bool]) -> Compare:
    def compare(value: str, policy: str, _: Context | None) -> bool:
        left, right = read(value), read(policy)
        return left is not None and right is not None and test(left, right)

    return compare


_ORDERS = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}

COMPARE: dict[str, Compare] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "BinaryEquals": _binary_equals,
    "Bool": _bool,
    "IpAddress": _ip_address,
    **{f"Numeric{name}": _ordered(number, test) for name, test in _ORDERS.items()},
    **{f"Date{name}": _ordered(moment, test) for name, test in _ORDERS.items()},
}
"""The positive operators; a negated one holds if none of its values matches."""


def comparable(operator: str, value: str, policy: str, variables: Context | None) -> bool:
    """Can the operator compare the two? A variable without a value can be compared: nothing equals it."""
    if operator.startswith("Arn"):
        pieces = resolved_pieces(policy, variables)
        patterns = None if pieces is None else _components(pieces)
        return value.count(":") >= ARN_COLONS and (
            patterns is None or len(patterns) == ARN_COLONS + 1 or _is_any(patterns)
        )
    if operator not in _READ:
        return True
    of_request, of_policy = _READ[operator]
    return of_request(value) is not None and of_policy(policy) is not None


_READ: dict[str, tuple[Callable[[str], object], Callable[[str], object]]] = {
    "NumericEquals": (number, number),
    "DateEquals": (moment, moment),
    "IpAddress": (address, network),
}
"""How operators with a negated form read a request's value and a policy's, other than as texts."""
