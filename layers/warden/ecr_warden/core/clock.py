"""The time."""

from datetime import datetime, timedelta
from typing import Protocol

CLOCKS = timedelta(minutes=5)
"""By how much the clocks of two functions may differ: of one that sets a time, and of one that reads it."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, timezone-aware."""
