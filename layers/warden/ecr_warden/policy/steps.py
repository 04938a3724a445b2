"""The work that a structural comparison may take, counted: the same documents always get the same answer."""

from msgspec import Struct

DEFAULT_STEPS = 500_000
"""Characters and patterns compared: a few tenths of a second, more than any honest document needs."""


class TooManySteps(Exception):
    """The documents are too hard to compare; the caller decides which answer is safe."""


class Steps(Struct):
    """The steps that are left."""

    left: int = DEFAULT_STEPS

    def spend(self, count: int) -> None:
        """Use some up; raises TooManySteps."""
        self.left -= count
        if self.left < 0:
            raise TooManySteps
