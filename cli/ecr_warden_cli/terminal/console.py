"""The command's output: results on stdout, everything else on stderr, all outside text escaped."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from typing import Any, TextIO

from msgspec import Struct

from ecr_warden.core.naming import spelled
from ecr_warden_cli.terminal.folding import fold
from iam_access.text.printable import escape

SCHEMA = 1
"""The version of every JSON answer."""

_ERASE_LINE = "\r\x1b[K"


INTERRUPTED = 130  # as shells report SIGINT


class Exit(IntEnum):
    """The exit codes; DIFFERENT is a finding, not a failure."""

    FINE = 0
    ERROR = 1
    DIFFERENT = 2


def worst(*codes: Exit) -> Exit:
    """The exit code of several: an error comes before a difference."""
    return next((code for code in (Exit.ERROR, Exit.DIFFERENT) if code in codes), Exit.FINE)


class Style(StrEnum):
    """ANSI attributes by meaning."""

    BAD = "31"
    GOOD = "32"
    ODD = "33"
    HEADING = "1"
    FAINT = "2"


class Console(Struct, frozen=True):
    """Where a verb writes."""

    stdout: TextIO
    stderr: TextIO
    environment: Mapping[str, str]
    """The process's; NO_COLOR and TERM=dumb turn colour off."""
    columns: int
    """The width to which lines are folded; an error is one line, so that it can be searched."""
    aliases: dict[str, str] = {}
    """Of accounts by their IDs, as far as they are known: what people read has users and roles by them."""
    _shown: list[str] = []

    def line(self, text: str = "", style: Style | None = None) -> None:
        """One line of the result, folded."""
        for line in fold(escape(spelled(text, self.aliases)), self.columns):
            self.stdout.write(self._styled(line, style, self.stdout) + "\n")

    def lines(self, texts: Iterable[str], style: Style | None = None) -> None:
        """Several of them."""
        for text in texts:
            self.line(text, style)

    def notes(self, texts: Iterable[str]) -> None:
        """Several notes."""
        for text in texts:
            self.note(text)

    def block(self, text: str, style: Style | None = None) -> None:
        """Lines of the result that are never folded, because they are to be copied: documents, commands, patches."""
        for line in text.split("\n"):
            self.stdout.write(self._styled(escape(line), style, self.stdout) + "\n")

    def answer(self, value: Mapping[str, Any]) -> None:
        """The whole result as JSON, with its schema number."""
        self.stdout.write(json.dumps({"schema": SCHEMA, **value}, indent=2) + "\n")

    def error(self, text: str) -> None:
        """One line on stderr, prefixed with the command's name."""
        line = escape(f"ecr-warden: {spelled(text, self.aliases)}")
        self.stderr.write(self._styled(line, Style.BAD, self.stderr) + "\n")

    def note(self, text: str) -> None:
        """Lines on stderr, folded, of what people have to know besides the result."""
        for line in fold(escape(spelled(text, self.aliases)), self.columns):
            self.stderr.write(line + "\n")

    def progress[T](self, items: Iterable[T], *, of: int, doing: str) -> Iterator[T]:
        """Pass the items on and count them on stderr if that is a terminal."""
        with self._showing(f"{doing} ..."):
            for count, item in enumerate(items, 1):
                self._show(f"{doing} {count} of {max(of, count)}")
                yield item

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show on stderr, if that is a terminal, what is going on while it takes long.

        Part of what is shown already is not shown: the larger work says more.
        """
        if self._shown:
            yield
        else:
            with self._showing(f"{what} ..."):
                yield

    @contextmanager
    def _showing(self, text: str) -> Iterator[None]:
        """Show a text, and afterwards what was shown before."""
        self._shown.append(text)
        self._show(text)
        try:
            yield
        finally:
            self._shown.pop()
            self._show(self._shown[-1] if self._shown else "")

    def _show(self, text: str) -> None:
        if self._is_terminal(self.stderr):
            self.stderr.write(_ERASE_LINE + escape(text))
            self.stderr.flush()

    def _styled(self, text: str, style: Style | None, stream: TextIO) -> str:
        if style is None or not self._is_terminal(stream) or self.environment.get("NO_COLOR"):
            return text
        return f"\x1b[{style}m{text}\x1b[0m"

    def _is_terminal(self, stream: TextIO) -> bool:
        return stream.isatty() and self.environment.get("TERM") != "dumb"
