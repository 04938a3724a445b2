"""Times as people type them: `2h`, a date, or a time with its zone."""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_FORMS = "write 2h, 7d, 2026-11-27 or 2026-11-27T18:00:00Z"
PAST = "2h or 7d ago, a date, or a time with its zone; a date is from its beginning, or through its end, in UTC"
COMING = "in 2h or 7d, a date, or a time with its zone; a date is through its end in UTC"


type TypedTime = Callable[[datetime], datetime]
"""A time that somebody typed, from now."""


def past(text: str) -> TypedTime:
    """A time that has been; raises ArgumentTypeError."""
    return _typed(text, is_past=True)


def past_end(text: str) -> TypedTime:
    """The same where something ended, which a day did at its end; raises ArgumentTypeError."""
    return _typed(text, is_past=True, ends=True)


def coming(text: str) -> TypedTime:
    """A time to come; raises ArgumentTypeError."""
    return _typed(text, is_past=False, ends=True)


def duration(text: str) -> timedelta | None:
    """`90s`, `30m`, `2h`, `3d`, `1w`; None for any other text and for zero."""
    found = _DURATION.fullmatch(text)
    return (int(found[1]) * _UNITS[found[2]] or None) if found and text.isascii() else None


def _typed(text: str, *, is_past: bool, ends: bool = False) -> TypedTime:
    length = duration(text.removesuffix(" ago") if is_past else text.removeprefix("in "))
    if length is not None:
        return lambda now: shifted(now, -length if is_past else length)
    is_day = _DATE.fullmatch(text) is not None
    at = _moment(f"{text}T00:00:00Z" if is_day else text, text)
    return lambda _: shifted(at, timedelta(days=int(is_day and ends)))


def _moment(text: str, typed: str) -> datetime:
    # Python takes far more forms than the one that people are shown, such as 20261127 and weeks.
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text) or len(text) > 40:
        raise argparse.ArgumentTypeError(f"{typed!a:.40} is not a time: {_FORMS}")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!a:.40} is not a time: {_FORMS}") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{typed!a:.40} has no time zone; append Z or an offset such as +01:00")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise argparse.ArgumentTypeError(f"{typed!a:.40} is outside the calendar") from error


def shifted(at: datetime, by: timedelta) -> datetime:
    """The time moved by so much, but within the calendar."""
    try:
        return at + by
    except OverflowError:
        return (datetime.min if by < timedelta(0) else datetime.max).replace(tzinfo=UTC)
