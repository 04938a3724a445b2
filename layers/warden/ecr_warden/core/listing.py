"""Lists of lines, of which what does not fit is counted."""

from collections.abc import Sequence

from msgspec import Struct


class Entry(Struct, frozen=True):
    """A line, and a list under it."""

    text: str
    under: "Listing | None" = None
    number: int = 1
    """Of how many items it speaks."""

    @property
    def lines(self) -> int:
        """How many lines it takes in full."""
        return 1 + (self.under.lines if self.under is not None else 0)


class Listing(Struct, frozen=True):
    """Entries, the most urgent first, under an optional `title`."""

    noun: str
    """What one entry is, to count those that do not fit."""
    entries: tuple[Entry, ...]
    title: str = ""
    rest: int = 0
    """How many more there are than `entries`."""

    @property
    def lines(self) -> int:
        """How many lines it takes in full."""
        return bool(self.title) + sum(entry.lines for entry in self.entries) + bool(self.rest)

    @property
    def least(self) -> int:
        """The lines that it needs to show one entry, or to count them."""
        return bool(self.title) + min(1, len(self.entries) + self.rest)


def listing(noun: str, texts: Sequence[str], *, title: str = "", rest: int = 0) -> Listing:
    """A list of plain lines."""
    return Listing(noun, tuple(map(Entry, texts)), title, rest)
