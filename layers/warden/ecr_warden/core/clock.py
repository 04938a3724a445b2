"""The time."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    pass


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, timezone-aware."""
        ...
