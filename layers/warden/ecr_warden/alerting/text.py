"""Text from outside on its way into a message: printable, one line, bounded."""

from collections.abc import Iterable, Iterator

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def clean(text: str, limit: int) -> str:
    """One printable line of at most `limit` characters: line breaks, escapes and text direction marks are replaced."""
    head = "".join(char if char.isprintable() else REPLACEMENT for char in text[:limit])
    return head if len(text) <= limit else head[: limit - 1] + ELLIPSIS


def first(items: Iterable[str], limit: int, *, more: str = "more") -> Iterator[str]:
    """At most `limit` of the items, then how many are left out: `and 7 more`."""
    kept = list(items)
    yield from kept[:limit]
    if len(kept) > limit:
        yield f"and {len(kept) - limit} {more}"
