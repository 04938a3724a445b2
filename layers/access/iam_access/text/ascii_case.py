"""Letter case where AWS ignores it: actions, condition keys, and values under StringEqualsIgnoreCase."""

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """ASCII letters in lower case, others unchanged: `str.lower` would turn the Kelvin sign into a `k`."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def folded(text: str) -> str:
    """The text as StringEqualsIgnoreCase compares it, letter by letter.

    A letter equals its other case, and no third letter: the Kelvin sign is not a `k`. AWS does not say how it treats
    such letters.
    """
    return text.lower() if text.isascii() else "".join(map(_folded, text))


def both_cases(letter: str) -> frozenset[str]:
    """All letters that are `folded` to the same one."""
    lower = _folded(letter)
    upper = lower.upper()
    return frozenset({lower, upper}) if len(upper) == 1 and _folded(upper) == lower else frozenset({lower})


def _folded(letter: str) -> str:
    lower = letter.lower()
    return lower if len(lower) == 1 and lower.upper() == letter else letter
