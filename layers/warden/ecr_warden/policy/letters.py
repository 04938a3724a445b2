"""The case of letters where AWS ignores it: actions and condition keys."""

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """The ASCII letters in lower case and all others as they are: to `str.lower` the Kelvin sign is a `k`."""
    return text.lower() if text.isascii() else text.translate(_LOWER)
