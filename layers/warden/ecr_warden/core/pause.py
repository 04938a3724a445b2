"""Pauses: targets to which nothing is written until a time, by name or by a pattern of names."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import Actor, short_name
from ecr_warden.core.selection import selects
from ecr_warden.core.target import Target
from ecr_warden.core.value import Moment, Value
from iam_access.text.printable import show_time

LONGEST_PAUSE = timedelta(days=7)


class Pause(Value, frozen=True):
    """A pause of targets.

    It ends by itself at `until`. One that ends when it begins was set by `resume`: it replaces an earlier pause, and
    pauses nothing.
    """

    id: str
    """The command that set it."""
    by: Actor
    """The authenticated caller."""
    reason: str
    at: Moment
    until: Moment

    def is_on(self, now: datetime) -> bool:
        """Is it in force at this time? One that ends later than any command can ask for was set by no command."""
        return now < self.until <= now + LONGEST_PAUSE + CLOCKS

    def __str__(self) -> str:
        return f"paused by {short_name(self.by)} until {show_time(self.until)}: {self.reason}"


class PatternPause(Value, frozen=True):
    """A pause of whatever the patterns select while it lasts, whether or not it was there when the pause began."""

    patterns: tuple[str, ...]
    pause: Pause

    def covers(self, target: Target) -> bool:
        """Does it pause this target, if no later pause does?"""
        return any(selects(pattern, target) for pattern in self.patterns)


pause_to_json, pause_from_json = forms("pause", Pause)
pattern_pause_to_json, pattern_pause_from_json = forms("pause of patterns", PatternPause)


def pause_of(target: Target, named: Pause | None, by_pattern: Iterable[PatternPause], now: datetime) -> Pause | None:
    """The pause in force; `named`: the latest that named the target. Of all that concern it, the latest one decides.

    One that begins later than any clock can be wrong was set by no command, and replaces none.
    """
    begun = [pause for pause in by_pattern if pause.pause.at <= now + CLOCKS]
    latest = latest_pause(target, named if named is None or named.at <= now + CLOCKS else None, begun)
    return latest if latest is not None and latest.is_on(now) else None


def latest_pause(target: Target, named: Pause | None, by_pattern: Iterable[PatternPause]) -> Pause | None:
    """The latest pause that concerns the target, ended or not."""
    given = ([] if named is None else [named]) + [pause.pause for pause in by_pattern if pause.covers(target)]
    return max(given, key=lambda pause: pause.at, default=None)
