"""The names that somebody probably meant, for messages about a name that does not exist."""

import difflib
from collections.abc import Iterable

# Comparing two texts takes the product of their lengths.
_LONGEST = 100
_MOST = 2000


def nearest(text: str, names: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The names most like the text, the most similar first; none for a text that is too long for a name."""
    candidates = [name for name in names if len(name) <= _LONGEST][:_MOST] if len(text) <= _LONGEST else []
    return difflib.get_close_matches(text, candidates, n=most, cutoff=cutoff)


def completed(text: str, names: Iterable[str]) -> str:
    """The only name that begins with the text; the text itself if there is none, or several."""
    alike = [name for name in names if name.startswith(text)]
    return alike[0] if len(alike) == 1 else text


def did_you_mean(near: str) -> str:
    """` (did you mean "iam:PassRole"?)`, or nothing; `near` as the message shows it."""
    return f" (did you mean {near}?)" if near else ""


def advice(near: Iterable[str]) -> str:
    """`did you mean "a" or "b"? `, or nothing: how a remedy begins."""
    shown = " or ".join(near)
    return f"did you mean {shown}? " if shown else ""
