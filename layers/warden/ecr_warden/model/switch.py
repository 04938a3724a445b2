"""The stop switch, as it was last announced."""

from enum import StrEnum

from ecr_warden.model.value import Count, Moment, Value


class Position(StrEnum):
    """What the stop switch says."""

    ENABLED = "enabled"
    STOPPED = "stopped"
    UNREADABLE = "unreadable"  # nothing is written, as if it were stopped


class SwitchSeen(Value, frozen=True):
    """The position that was announced last, and `at`: when. `version`: its latest change that was announced."""

    position: Position
    at: Moment
    version: Count = 0
