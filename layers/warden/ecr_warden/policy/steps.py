"""How much work a comparison by structure may take: counted, so that the same documents always get the same answer."""

from msgspec import Struct

DEFAULT_STEPS = 500_000
"""Characters and patterns held against each other: some tenths of a second, more than any honest document asks for."""


class TooManySteps(Exception):
    """Whoever wrote a document made it too hard to compare; the caller knows which answer is the safe one."""


class Steps(Struct):
    """What is left of them."""

    left: int = DEFAULT_STEPS

    def take(self, count: int) -> None:
        """Use some up; raises TooManySteps."""
        self.left -= count
        if self.left < 0:
            raise TooManySteps
