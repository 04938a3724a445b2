"""Alerts about what a sweep found of lists, events and the wiring."""

from ecr_warden.collect.wire import Wire
from ecr_warden.core.alert import Alert
from ecr_warden.core.target import Target
from ecr_warden.core.value import Count, Moment


class Unlisted(Alert, frozen=True, tag="unlisted"):
    """Lists that could not be read: repositories that match a pattern, or users and roles of an account.

    `problems`: for each list its place, why, and what to do; `codes`: the error codes, each once.
    """

    version: str
    problems: tuple[str, ...]
    codes: tuple[str, ...]
    left_out: Count = 0


class EventMissed(Alert, frozen=True, tag="event-missed"):
    """A sweep found drift, and no event has reported one of the calls that can have made it.

    `calls`: their names; `found`: when the sweep began.
    """

    target: Target
    calls: tuple[str, ...]
    found: Moment


class LeftOver(Alert, frozen=True, tag="left-over"):
    """Repairs of a part wait: left to the next sweep, or asked for and not begun; none did before. `over`: how many."""

    part: str
    over: Count


class WiringChanged(Alert, frozen=True, tag="wiring-changed"):
    """A sweep found the wiring of a part of it, or of the hub, other than the sweep before.

    `broken`: wires that are not on, or not known to be; `ended`: wires that are on again. `left_out`: of each.
    """

    part: str
    broken: tuple[Wire, ...] = ()
    ended: tuple[Wire, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
