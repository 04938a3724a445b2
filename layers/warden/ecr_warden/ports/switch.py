"""The stop switch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a run only asks whether it may write
    from ecr_warden.model.audit import AuditEntry

STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """Why nothing may be written, None while writes go on: STOPPED, or that the switch cannot be read.

        Asked afresh before each write.
        """
        ...

    def changes(self) -> "Sequence[AuditEntry]":
        """Who has set it to what and when, newest first, as far back as it is known; raises PortError."""
        ...
