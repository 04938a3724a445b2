"""One part of the wiring, and its state."""

from enum import StrEnum

from ecr_warden.core.value import Moment, Value

HUB_PART = "hub"
"""The part of the wiring that is the hub's own; the others are named as parts of a sweep."""


class WireState(StrEnum):
    """The state of a wire, as judged from what was read of it."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    TARGETLESS = "targetless"  # a rule is there and no longer leads to its function
    CHANGED = "changed"  # it is not as the stack deploys it
    BOUNDED = "bounded"  # a role that is as deployed, but for a permissions boundary that somebody gave it
    UNDELIVERED = "undelivered"  # events that did not reach the hub
    OUTDATED = "outdated"  # a stack of another version
    SILENT = "silent"  # no heartbeat for too long
    UNCONFIRMED = "unconfirmed"  # an e-mail subscription that delivers nothing
    UNREADABLE = "unreadable"


class Wire(Value, frozen=True, omit_defaults=True):
    """A part of the wiring."""

    name: str
    """AWS's name with its kind and place."""
    delivers: str
    """What would be missing without it."""
    state: WireState
    schedule: str = ""
    """Of a scheduled rule."""
    why: str = ""
    """What differs, or the error if it is unreadable; of one that is on, the organization's trail of which only the
    management account knows what it selects."""
    mark: str = ""
    """The same while the reason is."""
    since: Moment | None = None
    """When a sweep first found it so; None of one that is on, or that no sweep has looked at yet."""
    writes: str = ""
    """Of a member stack what it lets ecr-warden write, where that is not all."""
