"""The case of letters where AWS ignores it: actions, condition keys, and values under StringEqualsIgnoreCase."""

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """The ASCII letters in lower case and all others as they are: to `str.lower` the Kelvin sign is a `k`."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def folded(text: str) -> str:
    """The text as StringEqualsIgnoreCase compares it, letter by letter.

    A letter is the same as its one other form and as no third one: the Kelvin sign is no `k`. AWS does not say what it
    does with such letters.
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
