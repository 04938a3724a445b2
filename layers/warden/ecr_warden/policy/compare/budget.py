"""How much work one comparison may be.

Work is counted in units of about a microsecond, each loop by what it does at worst: the same documents always get the
same answer. The processor's clock is only the last line, for a count that is wrong or a machine that is slow.
"""

import time
from collections.abc import Callable

PREPARING = 150_000
"""Units for turning two documents into boxes, callers and questions, for all values of their variables together."""

TRYING = 60_000
"""Units for one direction under given values of variables: a difference that shows under them shows soon."""

PROVING = 270_000
"""Units for one direction whatever the values are."""

TELLING = 100_000
"""Units for finding out whom else the examples of one comparison speak of."""

SECONDS = 1.5
"""Of processor time for one comparison and its sentences."""

_BETWEEN_LOOKS = 4_096

WILDCARDS = "the wildcards overlap in too many ways"
STATEMENTS = "the statements overlap in too many ways"
CALLERS = "the statements and principals combine in too many ways"
REQUESTS = "too many requests would have to be tried"
SIZE = "the documents are too large"
_SLOW = "the comparison takes too long"


class OverBudget(Exception):
    """The question is too large; `reason` is said to people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Deadline:
    """The end of the processor time that one comparison may take, whatever was counted."""

    __slots__ = ("_clock", "_end")

    def __init__(self, clock: Callable[[], float] = time.thread_time, seconds: float = SECONDS) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def look(self) -> None:
        """Raises OverBudget once it is over."""
        if self._clock() > self._end:
            raise OverBudget(_SLOW)


class Budget:
    """What is left of some units."""

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
        """Count work that may be left undone; False if it must be."""
        try:
            self.spend(units, "")
        except OverBudget:
            return False
        return True
