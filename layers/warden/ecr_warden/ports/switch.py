"""The stop switch."""

from typing import Protocol

STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """Why nothing may be written, None while writes go on: STOPPED, or that the switch cannot be read.

        Asked afresh before each write.
        """
        ...
