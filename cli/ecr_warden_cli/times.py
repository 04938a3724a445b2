"""Times and durations as people write them: `2h`, `2026-11-27T18:00:00Z`."""

import argparse
import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def duration(text: str) -> timedelta | None:
    """`90s`, `30m`, `2h`, `3d`; None for any other text and for nothing."""
    found = _DURATION.fullmatch(text)
    return (int(found[1]) * _UNITS[found[2]] or None) if found else None


def moment(text: str) -> datetime:
    """A time with its zone; raises ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!a:.40} is no time such as 2026-11-27T18:00:00Z") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!a:.40} has no zone: write Z or +01:00 behind it")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise argparse.ArgumentTypeError(f"{text!a:.40} is no time of this calendar") from error


def moment_or_duration(text: str) -> datetime | timedelta:
    """Either; raises ArgumentTypeError."""
    ago = duration(text)
    if ago is not None:
        return ago
    if text[:1].isdigit() and len(text) > 8:
        return moment(text)
    raise argparse.ArgumentTypeError(f"{text!a:.40} is neither a duration such as 2h or 3d nor a time with its zone")


def before(at: datetime, ago: timedelta) -> datetime:
    """So long before a time, or the calendar's beginning."""
    try:
        return at - ago
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def shown(at: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
