"""Alerts about what a sweep found of lists, events and the wiring."""

from ecr_warden.collect.wire import Wire
from ecr_warden.core.alert import Alert
from ecr_warden.core.target import Target
from ecr_warden.core.value import Count, Moment


class Unlisted(Alert, frozen=True, tag="unlisted"):
    """Lists that could not be read: repositories that match a pattern, or users and roles of an account."""

    version: str
    problems: tuple[str, ...]
    """For each list its place, why, and what to do."""
    codes: tuple[str, ...]
    """The error codes, each once."""
    left_out: Count = 0


class EventMissed(Alert, frozen=True, tag="event-missed"):
    """A sweep found drift, and no event has reported one of the calls that can have made it."""

    target: Target
    calls: tuple[str, ...]
    """Their names."""
    found: Moment
    """When the sweep began."""


class LeftOver(Alert, frozen=True, tag="left-over"):
    """Repairs of a part wait: left to the next sweep, or asked for and not begun; none did before."""

    part: str
    over: Count
    """How many."""


class WiringChanged(Alert, frozen=True, tag="wiring-changed"):
    """A sweep found the wiring of a part of it, or of the hub, other than the sweep before."""

    part: str
    broken: tuple[Wire, ...] = ()
    """Wires that are not on, or not known to be."""
    ended: tuple[Wire, ...] = ()
    """Wires that are on again."""
    left_out: tuple[Count, Count] = (0, 0)
    """Of each."""
