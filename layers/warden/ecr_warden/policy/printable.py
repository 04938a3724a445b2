"""Text from outside in messages, logs and terminals: on one line, harmless to print, bounded.

What is too long loses its end, never its middle: a sentence without its middle says something else. What is left out of
a list is counted.
"""

from collections.abc import Iterable, Iterator

_NAME_LIMIT, _SENTENCE_LIMIT = 160, 500


def printable(text: str, limit: int = 80, *, ascii_only: bool = True) -> str:
    """The text on one line, unprintable characters escaped as in `\\x1b`, at most `limit` characters.

    `ascii_only` also escapes letters outside ASCII: AWS's names have none, and a lookalike must not pass for one.
    """
    head = text[: limit + 1]
    if ascii_only and not (head.isascii() and head.isprintable()):
        head = head.encode("unicode_escape").decode("ascii")
    elif not head.isprintable():
        head = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in head)
    return cut(head, limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; a text that is longer ends in `...`."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def bounded(sentence: str) -> str:
    """A sentence that quotes names of any length: each word is cut, then the whole after its last complete word.

    AWS's error messages state the reason at the end, behind the names.
    """
    short = " ".join(cut(word, _NAME_LIMIT) for word in sentence.split(" "))
    return short if len(short) <= _SENTENCE_LIMIT else f"{short[: _SENTENCE_LIMIT - 4].rpartition(' ')[0]} ..."


def first(items: Iterable[str], limit: int, *, more: str = "more") -> Iterator[str]:
    """All items, or as many as leave room within `limit` items for the count of the others, `and 7 more`."""
    kept = list(items)
    if len(kept) <= limit:
        yield from kept
        return
    yield from kept[: limit - 1]
    yield f"and {len(kept) - limit + 1} {more}"
