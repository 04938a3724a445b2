"""The work that a comparison may take, counted: the same documents always get the same answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

DEFAULT_STEPS = 500_000
"""Characters and patterns compared: a few tenths of a second, more than any honest document needs."""


_EASY = 5_000
"""Steps that each of many comparisons may take, whatever the others took."""


class TooManySteps(Exception):
    """The documents are too hard to compare; the caller decides which answer is safe. `reason` is for people."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Steps(Struct):
    """The steps that are left."""

    left: int = DEFAULT_STEPS

    def spend(self, count: int, reason: str = "") -> None:
        """Use some up, for work that is about to be done; raises TooManySteps with the reason."""
        self.left -= count
        if self.left < 0:
            raise TooManySteps(reason)


class Allowance(Struct):
    """The steps that are left for many comparisons together, so that no number of hard ones takes for ever."""

    left: int = 4 * DEFAULT_STEPS
    spent: int = 0
    """By all of them, also by the easy ones."""

    @contextmanager
    def steps(self) -> Iterator[Steps]:
        """The steps for one comparison: an easy one always has enough."""
        given = min(DEFAULT_STEPS, _EASY + self.left)
        steps = Steps(given)
        try:
            yield steps
        finally:
            taken = given - max(0, steps.left)
            self.spent += taken
            self.left -= max(0, taken - _EASY)
