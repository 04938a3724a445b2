"""Wildcard patterns matched against texts: `*` is any text, `/` and `:` included, `?` one character.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html: a `*` "can expand to
match beyond the colon boundaries". There is no backtracking: the part between two `*` is searched once, from left to
right. Time grows with the length of the pattern, and hardly with that of the text.
"""

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from msgspec import Struct


class Wild(Enum):
    """The two wildcards."""

    ANY = "*"
    ONE = "?"


type Piece = str | Wild
"""A literal text, or a wildcard."""


class _Places:
    """The positions of each character in a text, bit n for position n; computed at first use."""

    __slots__ = ("_masks", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._masks: dict[str, int] = {}

    def of(self, character: str) -> int:
        mask = self._masks.get(character)
        if mask is None:
            bits = "".join("1" if each == character else "0" for each in reversed(self._text))
            mask = self._masks[character] = int(bits, 2) if character in self._text else 0
        return mask


@lru_cache(maxsize=64)
def _places(text: str) -> _Places:
    return _Places(text)


class _Segment(Struct, frozen=True):
    """The part between two `*`: literal chunks with their offsets; the rest of `length` is `?`."""

    length: int
    chunks: tuple[tuple[int, str], ...]

    def at(self, text: str, start: int) -> bool:
        return all(text.startswith(chunk, start + offset) for offset, chunk in self.chunks)

    def find(self, text: str, start: int, end: int) -> int:
        """Where the segment first fits into `text[start:end]`, -1 if nowhere."""
        last = end - self.length
        if start > last or not self.chunks:
            return start if start <= last else -1
        if len(self.chunks) == 1:
            offset, chunk = self.chunks[0]
            return max(text.find(chunk, start + offset, last + offset + len(chunk)) - offset, -1)
        places = _places(text)
        fits = (1 << (last + 1)) - (1 << start)
        for offset, chunk in self.chunks:
            for step, character in enumerate(chunk, offset):
                fits &= places.of(character) >> step
            if not fits:
                return -1
        return (fits & -fits).bit_length() - 1


class Glob(Struct, frozen=True):
    """A pattern ready to be matched against many texts."""

    segments: tuple[_Segment, ...]

    def matches(self, text: str) -> bool:
        """Does the pattern match the whole text?"""
        first, *middle = self.segments
        if not middle:
            return len(text) == first.length and first.at(text, 0)
        last = middle.pop()
        start, end = first.length, len(text) - last.length
        if start > end or not first.at(text, 0) or not last.at(text, end):
            return False
        for segment in middle:
            found = segment.find(text, start, end)
            if found < 0:
                return False
            start = found + segment.length
        return True


def glob(pieces: Iterable[Piece]) -> Glob:
    """The pattern that consists of the pieces, in order."""
    segments: list[_Segment] = []
    chunks: list[tuple[int, str]] = []
    length = 0
    for piece in pieces:
        if piece is Wild.ANY:
            segments.append(_Segment(length, tuple(chunks)))
            chunks, length = [], 0
        elif piece is Wild.ONE:
            length += 1
        elif piece:
            chunks.append((length, piece))
            length += len(piece)
    segments.append(_Segment(length, tuple(chunks)))
    return Glob(tuple(segments))
