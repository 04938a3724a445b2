"""The stop switch: whether writes are on, and what was announced of it last."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.value import Moment, Value

if TYPE_CHECKING:
    from ecr_warden.state.history import HistoryEntry


PARAMETER = "/ecr-warden/writes"
"""The parameter in the hub's account and region that is the stop switch."""


class Position(StrEnum):
    """What the stop switch says."""

    ENABLED = "enabled"
    STOPPED = "stopped"
    UNREADABLE = "unreadable"  # nothing is written, as if it were stopped


class SwitchSeen(Value, frozen=True):
    """The position that was announced last, and `at`: when."""

    position: Position
    at: Moment


STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """None while writes are enabled; else STOPPED, or why the switch cannot be read. Asked before each write."""

    def changes(self) -> "Sequence[HistoryEntry]":
        """Who set it to what and when, newest first, as far back as AWS keeps it; raises PortError."""


class SwitchRecord(Protocol):
    """What was announced of the stop switch."""

    def last(self) -> SwitchSeen | None:
        """The last announcement; None before the first."""

    def note(self, seen: SwitchSeen) -> None:
        """Remember an announcement, replacing the last one."""
