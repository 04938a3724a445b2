"""When a sweep last looked at each part of everything."""

from collections.abc import Sequence
from typing import Protocol

from ecr_warden.model.look import Look


class Looks(Protocol):
    """The last look of each part; a sweep notes each part that it has read as a whole, with one write."""

    def note(self, look: Look) -> None:
        """Remember a look in the place of the part's last one."""
        ...

    def all(self) -> Sequence[Look]:
        """The last look at each part, in any order."""
        ...
