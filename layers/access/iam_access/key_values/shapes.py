"""Patterns for all values of one kind, such as every ARN. None of them is written in a document."""

from iam_access.arn import ARN_COLONS
from iam_access.document.pattern import (
    ANY,
    NOT_A_COLON,
    CharacterClass,
    Loop,
    Pattern,
    Step,
    Syntax,
    compose,
    pattern,
)

_COLON = CharacterClass(False, ":")


def _shape(name: str, steps: tuple[Step, ...], loops: tuple[Loop, ...]) -> Pattern:
    return compose(name, Syntax.DOMAIN, steps, loops)


ARNS = _shape("an ARN", (*pattern("arn", Syntax.EXACT).steps, *[_COLON] * 5), (*[None] * 4, *[NOT_A_COLON] * 4, ANY))
"""Every ARN: `arn` and five more parts, all but the last without a colon."""

NOT_ARNS = frozenset(
    _shape(f"{colons} colons", (_COLON,) * colons, (NOT_A_COLON,) * (colons + 1)) for colons in range(ARN_COLONS)
)
"""Every text with too few parts for an ARN."""

NONEMPTY = compose("?*", Syntax.WILD, (ANY,), (ANY, None))
"""Every text but the empty one."""


def of_characters(chars: str) -> Pattern:
    """The texts of these characters, one or more."""
    one = CharacterClass(False, "".join(sorted(chars)))
    return _shape(f"characters {chars}", (one,), (None, one))
