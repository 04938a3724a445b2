"""Wildcard patterns: does one cover another, have two a text in common?

`*` is any text, `/` and `:` included, `?` one character; `${name}` stands for an unknown text, `${*}`, `${?}` and
`${$}` for the character itself (the language of Version 2012-10-17).
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
import sys
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ecr_warden.policy.steps import Steps


class Wild(Enum):
    """The two wildcards."""

    ANY = "*"
    ONE = "?"


class Variable(NamedTuple):
    """A policy variable: a text known at the request only."""

    name: str


type Token = str | Wild | Variable

# Bounded, or a text of opening braces that never close would be searched to its end from each of them.
_PARTS = re.compile(r"\$\{[^}]{0,1024}\}|.", re.DOTALL)
_LITERALS = {"${*}": "*", "${?}": "?", "${$}": "$"}
_WILDCARDS = {"*": Wild.ANY, "?": Wild.ONE}
_MEET_LIMIT = 250_000
_SPECIAL = re.compile(r"[*?]|\$\{")


def is_literal(pattern: str) -> bool:
    """Does the pattern stand for itself alone?"""
    return _SPECIAL.search(pattern) is None


def pattern_covers(wide: str, narrow: str, steps: Steps | None = None) -> bool:
    """Does `wide` match every text that `narrow` matches? A yes is certain, a no may be doubt.

    Raises TooManySteps once `steps`, if they are given, are used up.
    """
    if wide in ("*", narrow):
        return True
    if is_literal(wide):
        return False
    return _covers(_tokens(wide), _tokens(narrow), steps or Steps(sys.maxsize))


def patterns_meet(a: str, b: str, steps: Steps | None = None) -> bool:
    """Can one text match both? A no is certain, a yes may be doubt. `steps`: see pattern_covers."""
    if a == b or "*" in (a, b):
        return True
    if is_literal(a) and is_literal(b):
        return False
    return _meet(_tokens(a), _tokens(b), steps or Steps(sys.maxsize))


def _covers(wide: tuple[Token, ...], narrow: tuple[Token, ...], steps: Steps) -> bool:
    """Match `narrow` as if it were a text: only `*` takes in its `*` and its variables, `?` takes any one character."""
    at, star, resume = 0, -1, 0
    index = 0
    while index < len(narrow):
        steps.take(1)
        if at < len(wide) and wide[at] is Wild.ANY:
            star, resume = at, index
            at += 1
        elif at < len(wide) and _covers_token(wide[at], narrow[index]):
            at += 1
            index += 1
        elif star >= 0:
            resume += 1
            at, index = star + 1, resume
        else:
            return False
    return all(token is Wild.ANY for token in wide[at:])


def _covers_token(wide: Token, narrow: Token) -> bool:
    if wide is Wild.ONE:
        return narrow is Wild.ONE or isinstance(narrow, str)
    if isinstance(wide, Variable) and isinstance(narrow, Variable):
        # With a default it is what it would be without one, and something where that is nothing.
        return wide == narrow or wide.name.startswith(f"{narrow.name[:-1]}, '")
    return wide == narrow


def _meet(a: tuple[Token, ...], b: tuple[Token, ...], steps: Steps) -> bool:
    """Can the two spell a common text? Row by row over the prefixes of `a`, column by column over those of `b`."""
    if len(a) * len(b) > _MEET_LIMIT:
        return True
    steps.take(len(a) * len(b))
    row = [True]
    for other in b:
        row.append(row[-1] and _is_open(other))
    for one in a:
        above, row = row, [row[0] and _is_open(one)]
        for index, other in enumerate(b):
            if _is_open(one) or _is_open(other):
                row.append(above[index + 1] or row[index])
            else:
                row.append(above[index] and (Wild.ONE in (one, other) or one == other))
    return row[-1]


def _is_open(token: Token) -> bool:
    return token is Wild.ANY or isinstance(token, Variable)


@lru_cache(maxsize=4096)
def _tokens(pattern: str) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for part in _PARTS.findall(pattern):
        if len(part) == 1:
            tokens.append(_WILDCARDS.get(part, part))
        elif part in _LITERALS:
            tokens.append(_LITERALS[part])
        else:
            tokens.append(Variable(part))
    return tuple(tokens)
