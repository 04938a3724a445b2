"""Numbers, times and networks as conditions write them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

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

    Empty if it sets no end, or if one of the values cannot be read.
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


def is_base64(text: str) -> bool:
    """Is this the base64 encoding of some bytes? Each has only one."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:  # binascii.Error, or text that is not ASCII
        return False
