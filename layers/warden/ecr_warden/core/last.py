"""Where the last value of a kind is kept."""

from typing import Protocol


class Last[T](Protocol):
    """Where the last value of a kind is kept: the last audit, the last report."""

    def last(self) -> T | None:
        """It; None before the first, and for one that this version cannot read. Raises PortError."""
        ...

    def keep(self, value: T) -> None:
        """Replace it; raises PortError."""
        ...
