"""Text from outside in messages, logs and terminals: on one line, harmless to print, bounded.

What is too long loses its end, never its middle: a sentence without its middle says something else. What is left out of
a list is counted from the whole list.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

_NAME_LIMIT, _SENTENCE_LIMIT = 160, 500


def printable(text: str, limit: int = 80, *, ascii_only: bool = True) -> str:
    """The text on one line, unprintable characters escaped as in `\\x1b`, at most `limit` characters.

    `ascii_only` also escapes letters outside ASCII: AWS's names have none, and a lookalike must not pass for one.
    """
    head = text[: limit + 1]
    if ascii_only and not head.isascii():
        head = head.encode("unicode_escape").decode("ascii")
    return cut(escape(head), limit)


def escape(text: str) -> str:
    """The text on one line of any length, unprintable characters escaped as in `\\x1b`."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def show_time(at: datetime) -> str:
    """A time as AWS writes it: `2026-11-24T19:48:56Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; a text that is longer ends in `...`."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def bounded(sentence: str) -> str:
    """A sentence that quotes names of any length: each word is cut, then the whole after its last complete word.

    AWS's error messages state the reason at the end, behind the names.
    """
    short = " ".join(cut(word, _NAME_LIMIT) for word in sentence.split(" "))
    return short if len(short) <= _SENTENCE_LIMIT else f"{short[: _SENTENCE_LIMIT - 4].rpartition(' ')[0]} ..."


def first(items: Iterable[str], limit: int, noun: str = "") -> Iterator[str]:
    """All items, or as many as leave room within `limit` items for the count of the others."""
    kept = list(items)
    shown = len(kept) if len(kept) <= limit else limit - 1
    yield from kept[:shown]
    if shown < len(kept):
        yield and_more(len(kept) - shown, noun)


def listed(names: Sequence[str], most: int, *, more: int = 0, separator: str = ", ") -> str:
    """`a, b and 3 more`: the first names and the number of all others, `more` of which are not in `names`."""
    left_out = more + max(0, len(names) - most)
    shown = separator.join(names[:most])
    return f"{shown} {and_more(left_out)}" if left_out else shown


def few[T](items: Sequence[T], most: int, left_out: int = 0) -> tuple[tuple[T, ...], int]:
    """The first of some items, and how many are left out then; `left_out`: how many were before."""
    return tuple(items[:most]), left_out + len(items[most:])


def and_more(number: int, noun: str = "") -> str:
    """`and 3 more`, `and 1 more target`, `and 2 more targets`: what a list leaves out."""
    return f"and {number} more {noun if number == 1 else plural(noun)}" if noun else f"and {number} more"


def count(number: int, noun: str) -> str:
    """`1 target`, `12 targets`."""
    return f"{number} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Of a noun as messages use it, such as `entry` or `difference of access`."""
    head, of, tail = noun.partition(" of ")
    head = head[:-1] + "ies" if head.endswith("y") else head + ("es" if head.endswith(("s", "ch")) else "s")
    return head + of + tail


# Letters and symbols by category, but drawn by no font; variation selectors only change the character before.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_CONTEXT = 40


def invisible(text: str) -> str:
    """The first invisible character, by code point, name and place; empty if there is none.

    A name that holds one looks like another name. Every space but the plain one counts; ASCII's control characters do
    not, for every message shows them.
    """
    if text.isascii():
        return ""
    for at, char in enumerate(text):
        if char.isascii() or not (_is_unseen(char) or unicodedata.category(char) == "Zs"):
            continue
        before = text[max(0, at - _CONTEXT) : at]
        after = f'after "{before}"' if before and before.isprintable() else "at its beginning" if at == 0 else ""
        return f"{_called(char)} {after}".rstrip()
    return ""


def look_alike(text: str) -> str:
    """The first letter or digit of another script beside ASCII's letters, by code point and name; empty if none is."""
    if text.isascii() or not any(char.isascii() and char.isalpha() for char in text):
        return ""
    return next(
        (
            _called(char)
            for char in text
            if not char.isascii() and char.isalnum() and not unicodedata.name(char, "").startswith("LATIN ")
        ),
        "",
    )


def _called(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")


def _is_unseen(char: str) -> bool:
    # Half of a surrogate pair stands for bytes that are no text, and messages show it.
    is_half = "\ud800" <= char <= "\udfff"
    return (not char.isprintable() and not is_half) or char in _BLANK or char in _SELECTORS
