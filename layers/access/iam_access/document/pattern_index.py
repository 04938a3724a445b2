"""Which of many patterns match a text, without trying all of them."""

import re
from collections.abc import Iterator

from iam_access.document.variables import literal_glob

_WILD = re.compile(r"[*?]")


class PatternIndex[Value]:
    """Values by the patterns to which they belong; patterns are found by what they begin and end with."""

    def __init__(self) -> None:
        self._values: dict[str, list[Value]] = {}
        self._numbers: dict[str, int] = {}
        self._by_ends: dict[tuple[int, int], dict[tuple[str, str], list[str]]] = {}

    def add(self, pattern: str, value: Value) -> None:
        """Note a value of a pattern, in which `${` means nothing."""
        values = self._values.get(pattern)
        if values is None:
            values = self._values[pattern] = []
            start, *more = _WILD.split(pattern)
            if more:
                self._numbers[pattern] = len(self._numbers)
                ends = start, more[-1]
                self._by_ends.setdefault((len(start), len(more[-1])), {}).setdefault(ends, []).append(pattern)
        values.append(value)

    def matching(self, text: str) -> Iterator[Value]:
        """The values of the patterns that match: of the text itself, then of patterns, as they were added."""
        if text not in self._numbers:
            yield from self._values.get(text, ())
        found = [
            pattern
            for (start, end), patterns in self._by_ends.items()
            for pattern in patterns.get((text[:start], text[len(text) - end :]), ())
            if literal_glob(pattern).matches(text)
        ]
        for pattern in sorted(found, key=self._numbers.__getitem__):
            yield from self._values[pattern]
