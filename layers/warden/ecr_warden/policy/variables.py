"""Policy variables: `${aws:username}` in a Resource or a condition value, replaced by what the request holds.

`${*}`, `${?}` and `${$}` are the characters themselves, `${key, 'text'}` has a default. What a request brings in is
text, never a pattern. A variable without a value has none that is equal or like it: None here.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.glob import Glob, Piece, glob
from ecr_warden.policy.pattern import Wild

type Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, each with its values."""

# Bounded, or a text of opening braces that never close would be searched to its end from each of them.
_PARTS = re.compile(r"\$\{([^}]{0,1024})\}|([*?])")
_LITERALS = frozenset("*?$")
_DEFAULT = re.compile(r"([^,]*),\s*'(.*)'\s*", re.DOTALL)


def has_variables(text: str) -> bool:
    """Does the text speak of the request, or of a character by `${`?"""
    return "${" in text


def spelled_variables(text: str) -> str:
    """The text with each variable in one spelling: keys in lower case, whose case AWS ignores."""
    return _PARTS.sub(_spelled, text) if "${" in text else text


def _spelled(part: re.Match[str]) -> str:
    if part[2] or part[1] in _LITERALS:
        return part[0]
    key, default = key_and_default(part[1])
    return f"${{{key}}}" if default is None else f"${{{key}, '{default}'}}"


def key_and_default(inside: str) -> tuple[str, str | None]:
    """The condition key that `${inside}` reads, in lower case, and what stands for it without a value."""
    found = _DEFAULT.fullmatch(inside)
    return (ascii_lower(found[1].strip()), found[2]) if found else (ascii_lower(inside.strip()), None)


def resolved_text(text: str, context: Context) -> str | None:
    """The text with its variables replaced; wildcards stand for themselves. None where a variable has no value."""
    pieces = resolved_pieces(text, context)
    return None if pieces is None else "".join(piece.value if isinstance(piece, Wild) else piece for piece in pieces)


def resolved_pieces(text: str, context: Context) -> list[Piece] | None:
    """A pattern with its variables replaced; None where a variable has no value."""
    pieces: list[Piece] = []
    position = 0
    for part in _PARTS.finditer(text):
        pieces.append(text[position : part.start()])
        position = part.end()
        if part[2]:
            pieces.append(Wild(part[2]))
        elif part[1] in _LITERALS:
            pieces.append(part[1])
        else:
            value = _value(part[1], context)
            if value is None:
                return None
            pieces.append(value)
    pieces.append(text[position:])
    return pieces


def pattern_of(text: str, context: Context, *, variables: bool) -> Glob | None:
    """The pattern that a text is in this request; None where a variable has no value."""
    if not variables or not has_variables(text):
        return plain_pattern(text)
    pieces = resolved_pieces(text, context)
    return None if pieces is None else glob(pieces)


@lru_cache(maxsize=4096)
def plain_pattern(text: str) -> Glob:
    """The pattern that a text is where `${` means nothing."""
    return glob(plain_pieces(text))


def plain_pieces(text: str) -> list[Piece]:
    """The pieces of a text where `${` means nothing."""
    return [Wild(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text)]


def _value(inside: str, context: Context) -> str | None:
    """What stands for `${inside}`: keys with several values cannot be variables."""
    key, default = key_and_default(inside)
    values = context.get(key, ())
    return values[0] if len(values) == 1 else default
