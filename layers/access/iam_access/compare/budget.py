"""A limit on the work of one comparison.

Work is counted in units of about a microsecond, each loop by its worst case, so the same documents always get the same
answer. The processor's clock is only a backstop, for a wrong count or a slow machine.
"""

import time
from collections.abc import Callable

PREPARING = 150_000
"""Units for turning two documents into cubes, callers and queries, for all values of their variables together."""

TRYING = 60_000
"""Units for one direction under given values of the variables, which soon show a difference if they show one."""

PROVING = 270_000
"""Units for one direction under all values of the variables."""

SECONDS = 1.5
"""Processor time for one comparison and its sentences."""

_BETWEEN_LOOKS = 4_096

WILDCARDS = "the wildcards overlap in too many ways"
STATEMENTS = "the statements overlap in too many ways"
CALLERS = "the statements and principals combine in too many ways"
REQUESTS = "too many requests would have to be tried"
SIZE = "the documents are too large"
_SLOW = "the comparison takes too long"


class OverBudget(Exception):
    """The documents are too hard to compare; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Deadline:
    """The end of the processor time for one comparison, whatever was counted."""

    __slots__ = ("_clock", "_end")

    def __init__(self, clock: Callable[[], float] = time.thread_time, seconds: float = SECONDS) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def look(self) -> None:
        """Raises OverBudget once it is over."""
        if self._clock() > self._end:
            raise OverBudget(_SLOW)


class Budget:
    """The units that are left."""

    __slots__ = ("_deadline", "_next_look", "left")

    def __init__(self, units: int, deadline: Deadline | None = None) -> None:
        self.left = units
        self._deadline = deadline or Deadline()
        self._next_look = max(0, units - _BETWEEN_LOOKS)

    def spend(self, units: int, reason: str) -> None:
        """Count work that is about to be done; raises OverBudget."""
        self.left -= units
        if self.left < self._next_look:
            if self.left < 0:
                raise OverBudget(reason)
            self._next_look = max(0, self.left - _BETWEEN_LOOKS)
            self._deadline.look()

    def affords(self, units: int) -> bool:
        """Count optional work; False if it must be left undone."""
        try:
            self.spend(units, "")
        except OverBudget:
            return False
        return True
