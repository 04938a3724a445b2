"""The tokens of a pattern: texts, wildcards and policy variables (`${aws:username}`).

`*` is any text, `?` one character; `${*}`, `${?}` and `${$}` are the characters themselves, `${key, 'text'}` has a
default.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from iam_access.arn import ARN_COLONS
from iam_access.document.glob import Glob, Piece, Wild, glob
from iam_access.text.ascii_case import ascii_lower

# Bounded, or a text of opening braces that never close would be searched to its end from each of them.
_TOKEN = re.compile(r"\$\{[^}]{0,1024}\}|[*?]")
_WILDCARD = re.compile(r"[*?]")
_CHARACTERS = {"${*}": "*", "${?}": "?", "${$}": "$"}
_DEFAULT = re.compile(r"([^,]*),\s*'(.*)'\s*", re.DOTALL)


class Variable(NamedTuple):
    """A policy variable as written, `${...}` included."""

    text: str

    @property
    def key(self) -> str:
        """The condition key that it reads, in lower case: AWS ignores the case."""
        return _key_and_default(self.text)[0]

    @property
    def default(self) -> str | None:
        """Its value if the request does not have the key."""
        return _key_and_default(self.text)[1]

    @property
    def spelled(self) -> str:
        """The one spelling of all variables that read the same."""
        key, default = _key_and_default(self.text)
        return f"${{{key}}}" if default is None else f"${{{key}, '{default}'}}"


type Token = str | Wild | Variable


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The literal texts, wildcards and variables of a pattern, in order."""
    found: list[Token] = []
    position = 0
    for part in _TOKEN.finditer(text):
        if part.start() > position:
            found.append(text[position : part.start()])
        position = part.end()
        token = part[0]
        if len(token) == 1:
            found.append(Wild(token))
        else:
            found.append(_CHARACTERS[token] if token in _CHARACTERS else Variable(token))
    if position < len(text):
        found.append(text[position:])
    return tuple(found)


def literal_tokens(text: str) -> list[Piece]:
    """The same where `${` means nothing: in actions, and in all of a document of Version 2008-10-17."""
    pieces: list[Piece] = []
    position = 0
    for part in _WILDCARD.finditer(text):
        pieces += [text[position : part.start()], Wild(part[0])]
        position = part.end()
    return [*pieces, text[position:]]


def variables_in(text: str) -> list[Variable]:
    """The variables of a pattern, in order."""
    return [token for token in tokens(text) if isinstance(token, Variable)] if "${" in text else []


def replace_variables(text: str, replace: Callable[[Variable], str]) -> str:
    """The text with each variable replaced; characters such as `${*}` stay as they are."""

    def replaced(part: re.Match[str]) -> str:
        token = part[0]
        return token if len(token) == 1 or token in _CHARACTERS else replace(Variable(token))

    return _TOKEN.sub(replaced, text) if "${" in text else text


def spelled_variables(text: str) -> str:
    """The text with each variable in its one spelling."""
    return replace_variables(text, lambda variable: variable.spelled)


def captured(pattern: str, text: str) -> list[tuple[str, str]]:
    """The key and the value of each variable with which a pattern matches a text; empty if it does not match.

    Each takes the shortest text, which leaves most to the others: the part between two wildcards or variables stands
    where it first fits and is never moved, so the work grows with the length of pattern and text, and no faster.
    """
    gaps: list[str | None] = []
    parts: list[list[Piece]] = [[]]
    for token in tokens(pattern):
        if isinstance(token, Variable) or token is Wild.ANY:
            gaps.append(token.key if isinstance(token, Variable) else None)
            parts.append([])
        else:
            parts[-1].append(token)
    first, *others = (glob(part).segments[0] for part in parts)
    at = first.length if first.at(text, 0) else len(text) + 1
    found: list[tuple[str, str]] = []
    for number, (key, part) in enumerate(zip(gaps, others, strict=True), 1):
        start = at + (key is not None)
        place = part.find(text, start, len(text)) if number < len(gaps) else len(text) - part.length
        if place < start or not part.at(text, place):
            return []
        found += [] if key is None else [(key, text[at:place])]
        at = place + part.length
    return found


@lru_cache(maxsize=4096)
def literal_glob(text: str) -> Glob:
    """A pattern where `${` means nothing, ready to be matched."""
    return glob(literal_tokens(text))


@lru_cache(maxsize=4096)
def widest_glob(text: str) -> Glob:
    """A pattern with anything for its variables, ready to be matched."""
    return glob(Wild.ANY if isinstance(token, Variable) else token for token in tokens(text))


@lru_cache(maxsize=4096)
def completed_arn(text: str) -> str:
    """An ARN as identity policies read it: `arn:aws:sqs` is `arn:aws:sqs:*:*:*`.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    return text + ":*" * (ARN_COLONS - _colons_outside_variables(text)) if text.startswith("arn:") else text


def _colons_outside_variables(text: str) -> int:
    """The number of colons in the pattern itself: the value of a variable may add more."""
    return replace_variables(text, lambda _: "").count(":")


@lru_cache(maxsize=1024)
def _key_and_default(variable: str) -> tuple[str, str | None]:
    inside = variable[2:-1]
    found = _DEFAULT.fullmatch(inside)
    return (ascii_lower(found[1].strip()), found[2]) if found else (ascii_lower(inside.strip()), None)
