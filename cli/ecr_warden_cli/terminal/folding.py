"""The width of the output, and texts that are folded to it."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import TextIO

COLUMNS = 80
"""The width of output to a file or a pipe, so that it is the same everywhere."""
_NARROWEST = 40
_PAUSES = re.compile(r"(?<=[,;:]) (?!$)| (?=\()")
_BINDS = re.compile(r" (?:a|and|as|at|by|for|from|if|in|of|on|or|the|through|to|until|with)$")
_GAP = re.compile(r"(?<=\S)  +(?=\S)")


def width_of(stream: TextIO, environment: Mapping[str, str]) -> int:
    """As many characters as the terminal has on a line; COLUMNS for any other stream."""
    if not stream.isatty():
        return COLUMNS
    given = environment.get("COLUMNS", "")
    if given.isascii() and given.isdigit():
        return max(_NARROWEST, int(given[:6]))
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    # A new pseudo-terminal, such as a container's or a CI job's, says 0.
    return max(_NARROWEST, columns) if columns else COLUMNS


def fold(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most `width` characters.

    A word is never cut, so that it can be copied: what is longer than a line has one of its own. A line ends after a
    comma, semicolon or colon, or before a bracket, if one is in its second half, and never with `by`, `through` or the
    like. The others begin under the last column of the first, where columns are two or more spaces apart, or else two
    further than it.
    """
    if len(text) <= width:
        yield text
        return
    start = len(text) - len(text.lstrip(" "))
    gaps = [gap.end() for gap in _GAP.finditer(text, start, width // 2)]
    indent = " " * (gaps[-1] if gaps else start + 2)
    while len(text) > width:
        end = _end(text, start, width)
        if end == -1:
            break
        yield text[:end].rstrip()
        text, start = indent + text[end:].lstrip(" "), len(indent)
    yield text


def _end(text: str, start: int, width: int) -> int:
    """The end of a line that begins at `start`; -1 if the text is one word."""
    last = text.rfind(" ", start, width + 1)
    if last == -1:
        return text.find(" ", width)
    pause = max((found.start() for found in _PAUSES.finditer(text, start, width + 1)), default=0)
    if pause > width // 2:
        return pause
    bound = _BINDS.search(text, start, last)
    return bound.start() if bound else last
