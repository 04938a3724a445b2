"""Times as people type them: `2h`, `yesterday`, `friday`, a date, or a time with its zone."""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from ecr_warden_cli.context import Context
from iam_access.text.printable import show_time

_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FORMS = "write 2h, 7d, friday, 2026-11-27 or 2026-11-27T18:00:00Z"
PAST = "2h or 7d ago, yesterday, friday (the last one), a date, or a time with its zone; a day is its midnight in UTC"
COMING = "in 2h or 7d, tomorrow, friday (the next one), a date, or a time with its zone; a day is its midnight in UTC"


class TypedTime(Struct, frozen=True):
    """A time that somebody typed. `of`: from now to that time; `is_day`: whether it names a day."""

    text: str
    of: Callable[[datetime], datetime]
    is_day: bool = False

    def at(self, context: Context) -> datetime:
        """The time by the clock; of a day, a note says which it is and in which zone."""
        at = self.of(context.clock.now())
        if self.is_day:
            context.console.note(f"{self.text} is {show_time(at)}, midnight in UTC")
        return at


def past(text: str) -> TypedTime:
    """A time that has been; raises ArgumentTypeError."""
    return _typed(text, is_past=True)


def coming(text: str) -> TypedTime:
    """A time to come; raises ArgumentTypeError."""
    return _typed(text, is_past=False)


def duration(text: str) -> timedelta | None:
    """`90s`, `30m`, `2h`, `3d`, `1w`; None for any other text and for zero."""
    found = _DURATION.fullmatch(text)
    return (int(found[1]) * _UNITS[found[2]] or None) if found and text.isascii() else None


def _typed(text: str, *, is_past: bool) -> TypedTime:
    length = duration(text.removesuffix(" ago") if is_past else text.removeprefix("in "))
    word = text.lower() if len(text) < 20 else ""
    if length is not None:
        return TypedTime(text, lambda now: shifted(now, -length if is_past else length))
    if word in _DAYS:
        return TypedTime(text, lambda now: _midnight(now, _DAYS[word]), is_day=True)
    weekday = next((number for number, name in enumerate(_WEEKDAYS) if word in (name, name[:3])), None)
    if weekday is not None:
        return TypedTime(text, lambda now: _midnight(now, _days_to(weekday, now, is_past=is_past)), is_day=True)
    if _DATE.fullmatch(text):
        day = _moment(f"{text}T00:00:00Z", text)
        return TypedTime(text, lambda _: day, is_day=True)
    at = _moment(text, text)
    return TypedTime(text, lambda _: at)


def _days_to(weekday: int, now: datetime, *, is_past: bool) -> int:
    """Back to the last such day, which may be today; on to the next one, which is not."""
    return -((now.weekday() - weekday) % 7) if is_past else (weekday - now.weekday() - 1) % 7 + 1


def _midnight(now: datetime, days: int) -> datetime:
    return shifted(now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0), timedelta(days=days))


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
