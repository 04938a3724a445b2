"""Text from outside on its way into a message: printable, one line, bounded."""

from collections.abc import Iterable, Iterator

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def clean(text: str, limit: int, *, tail: int = 0) -> str:
    """One printable line of at most `limit` characters: line breaks, escapes and text direction marks are replaced.

    `tail`: so many characters of what is too long are kept from its end, where errors have their remedy.
    """
    if len(text) > limit:
        text = text[: limit - tail - 1] + ELLIPSIS + text[len(text) - tail :]
    return "".join(char if char.isprintable() else REPLACEMENT for char in text)


def first(items: Iterable[str], limit: int, *, more: str = "more") -> Iterator[str]:
    """At most `limit` of the items, then how many are left out: `and 7 more`."""
    kept = list(items)
    yield from kept[:limit]
    if len(kept) > limit:
        yield f"and {len(kept) - limit} {more}"
