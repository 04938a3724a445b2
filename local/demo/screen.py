"""What the viewer sees: one line each, colours on a terminal only."""

import os
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_RED, _GREEN, _GREY, _BOLD = "31", "32", "90", "1"


def wants_colour(stream: TextIO) -> bool:
    """Whether colours are shown: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Screen:
    """Prints lines with the seconds since the start, each at once."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)

    def progress(self, text: str) -> None:
        """A plain line."""
        self._line(text, "")

    def step(self, text: str) -> None:
        """A heading."""
        self.stream.write("\n")
        self._line(text, _BOLD)

    def attack(self, who: str, what: str) -> None:
        """Somebody did something that must be undone."""
        self._line(f"  attack     {who} {what}", _RED)

    def repaired(self, what: str, milliseconds: float) -> None:
        """It was undone, so long after the event arrived at the hub."""
        self._line(f"  repaired   {what}, {milliseconds:.0f} ms after the event arrived", _GREEN)

    def good(self, text: str) -> None:
        """Something else that went well."""
        self._line(f"  {text}", _GREEN)

    def bad(self, text: str) -> None:
        """Something open or wrong."""
        self._line(f"  {text}", _RED)

    def untouched(self, text: str) -> None:
        """A rewrite that was rightly left alone."""
        self._line(f"  untouched  {text}", _GREY)

    def plain(self, text: str = "") -> None:
        """Text as it stands, without the time."""
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def _line(self, text: str, colour: str) -> None:
        seconds = f"{time.monotonic() - self.started:6.1f} s  "
        shown = f"\x1b[{colour}m{text}\x1b[0m" if colour and wants_colour(self.stream) else text
        self.stream.write(f"{seconds}{shown}\n")
        self.stream.flush()
