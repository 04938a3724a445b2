"""Wildcard patterns held against a text: `*` is any text, `/` and `:` included, `?` one character.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html: a `*` "can expand to
match beyond the colon boundaries". Time: at most the length of the pattern times that of the text; no backtracking.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ecr_warden.policy.pattern import Wild

type Piece = str | Wild
"""A literal text of any length, or a wildcard."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """What stands between two `*`: literal chunks with their offsets; the rest of `length` is `?`."""

    length: int
    chunks: tuple[tuple[int, str], ...]

    def at(self, text: str, start: int) -> bool:
        return all(text.startswith(chunk, start + offset) for offset, chunk in self.chunks)

    def find(self, text: str, start: int, end: int) -> int:
        """Where the segment first fits into `text[start:end]`, -1 if nowhere."""
        if not self.chunks:
            return start if start + self.length <= end else -1
        offset, chunk = self.chunks[0]
        last = end - self.length
        while start <= last:
            found = text.find(chunk, start + offset, last + offset + len(chunk))
            if found < 0:
                return -1
            start = found - offset
            if self.at(text, start):
                return start
            start += 1
        return -1


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern ready to be held against many texts."""

    segments: tuple[_Segment, ...]

    def matches(self, text: str) -> bool:
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
    """The pattern that the pieces spell one after the other."""
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
