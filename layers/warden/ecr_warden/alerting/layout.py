"""Nested lists in so many lines: what does not fit is counted, each list from its whole."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, and a list under it."""

    text: str
    under: "Listing | None" = None

    @property
    def lines(self) -> int:
        """How many it takes in full."""
        return 1 + (self.under.lines if self.under is not None else 0)


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries, the most urgent first, under a `title` if there is one; `noun`: what is counted when some are left out.

    `rest`: how many more there are that are not at hand.
    """

    noun: str
    entries: tuple[Entry, ...]
    title: str = ""
    rest: int = 0

    @property
    def lines(self) -> int:
        """How many it takes in full."""
        return bool(self.title) + sum(entry.lines for entry in self.entries) + bool(self.rest)

    @property
    def least(self) -> int:
        """The lines by which it can say at least something and how much more there is."""
        return bool(self.title) + min(1, len(self.entries) + self.rest)


_INDENT = "  "
_WORTH_SHOWING = 2


def lay_out(listings: Sequence[Listing], room: int) -> tuple[str, ...]:
    """The lists one after the other in at most `room` lines, which has to be the least that all of them need."""
    wanted = [listing for listing in listings if listing.entries or listing.rest]
    spare = room - sum(listing.least for listing in wanted)
    lines: list[str] = []
    for index, listing in enumerate(wanted):
        # The first come first, but for a fair part of the others.
        others = sum(min(other.lines - other.least, 2) for other in wanted[index + 1 :])
        given = min(listing.lines - listing.least, max(spare - others, spare // (len(wanted) - index)))
        spare -= given
        lines += _lines(listing, listing.least + given)
    return tuple(lines)


def _lines(listing: Listing, room: int) -> list[str]:
    """In so much room or less; at least `listing.least`."""
    lines = [listing.title] if listing.title else []
    room -= len(lines)
    entries, rest = listing.entries, listing.rest
    # What is under entries may not fit: a line then says of how many it is not shown.
    nested = any(entry.under is not None and entry.under.lines for entry in entries)
    closing = nested and listing.lines - len(lines) > room and room > 2
    if len(entries) + bool(rest) > room - closing:
        kept = max(0, room - closing - 1)
        entries, rest = entries[:kept], rest + len(entries) - kept
    spare = room - closing - len(entries) - bool(rest)
    hidden = 0
    for entry in entries:
        lines.append(entry.text)
        if entry.under is None or not entry.under.lines:
            continue
        if spare < min(entry.under.lines, _WORTH_SHOWING):
            hidden += 1
            continue
        under = _lines(entry.under, min(spare, entry.under.lines))
        spare -= len(under)
        lines += [_INDENT + line for line in under]
    if hidden and closing:
        lines.append(f"(without the details of {count(hidden, listing.noun)})")
    if rest:
        lines.append(f"and {rest} more {listing.noun if rest == 1 else plural(listing.noun)}")
    return lines


def count(number: int, noun: str) -> str:
    """`1 target`, `12 targets`."""
    return f"{number} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    head, of, tail = noun.partition(" of ")
    head = head[:-1] + "ies" if head.endswith("y") else head + ("es" if head.endswith(("s", "ch")) else "s")
    return head + of + tail


def listing(noun: str, texts: Sequence[str], *, title: str = "", rest: int = 0) -> Listing:
    """A list of lines with nothing under them."""
    return Listing(noun, tuple(map(Entry, texts)), title, rest)
