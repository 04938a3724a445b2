"""Text from outside on its way into a message: printable, one line, bounded."""

from collections.abc import Iterable, Iterator

TITLE, TEXT, LINE, LINES, FIELDS = 140, 500, 700, 40, 10
"""What every channel takes without a further cut: characters of a title, a field and a line; lines; fields."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def clean(text: str, limit: int) -> str:
    """One printable line of at most `limit` characters: line breaks, escapes and text direction marks are replaced.

    What is too long loses its end: a sentence without its middle says something else.
    """
    if len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    return "".join(char if char.isprintable() else REPLACEMENT for char in text)


def first(items: Iterable[str], limit: int, *, more: str = "more") -> Iterator[str]:
    """All items, or so many that with the count of all others, `and 7 more`, they are `limit` lines (one at least)."""
    kept = list(items)
    if len(kept) <= limit:
        yield from kept
        return
    yield from kept[: limit - 1]
    yield f"and {len(kept) - limit + 1} {more}"
