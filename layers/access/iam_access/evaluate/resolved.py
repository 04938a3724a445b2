"""Patterns with the values that their policy variables have in a request.

A value from a request is text, never a pattern. A variable without a value equals nothing (None here).
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from collections.abc import Mapping

from iam_access.document.glob import Glob, Piece, Wild, glob
from iam_access.document.variables import Variable, literal_glob, literal_tokens, tokens

type Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, each with its values."""


def resolved_pieces(text: str, context: Context | None) -> list[Piece] | None:
    """A pattern with its variables replaced from `context`, or with `${` taken literally if there is no context.

    None where a variable has no value.
    """
    if context is None:
        return literal_tokens(text)
    pieces: list[Piece] = []
    for token in tokens(text):
        piece = _value(token, context) if isinstance(token, Variable) else token
        if piece is None:
            return None
        pieces.append(piece)
    return pieces


def resolved_text(text: str, context: Context | None) -> str | None:
    """The same as text: wildcards stand for themselves."""
    if context is None or "${" not in text:
        return text
    pieces = resolved_pieces(text, context)
    return None if pieces is None else "".join(piece.value if isinstance(piece, Wild) else piece for piece in pieces)


def resolved_glob(text: str, context: Context | None) -> Glob | None:
    """The same, ready to be matched."""
    if context is None or "${" not in text:
        return literal_glob(text)
    pieces = resolved_pieces(text, context)
    return None if pieces is None else glob(pieces)


def _value(variable: Variable, context: Context) -> str | None:
    """Its value in a request: keys with several values cannot be variables."""
    values = context.get(variable.key, ())
    return values[0] if len(values) == 1 else variable.default
