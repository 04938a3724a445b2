"""The hub's own rules and notification: what brings it the events and the schedule that it works by."""

from enum import StrEnum

from msgspec import Struct


class WireState(StrEnum):
    """How AWS shows one."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    TARGETLESS = "targetless"  # the rule is there and no longer leads to its function
    UNREADABLE = "unreadable"


class Wire(Struct, frozen=True):
    """`name`: as AWS has it, with its kind; `brings`: what does not come without it; `why`: of one that is unreadable.

    `schedule`: of a rule that has one.
    """

    name: str
    brings: str
    state: WireState
    schedule: str = ""
    why: str = ""
