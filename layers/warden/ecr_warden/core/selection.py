"""A text that selects targets: `all`, one target, a repository name, or a pattern of such names.

In a pattern `*` is any text, `/` included, and `?` is one character.
"""

from functools import lru_cache

from ecr_warden.core.target import EVERYTHING, RepositoryTarget, Target, TargetError, parse_target
from iam_access.document.variables import literal_glob


def selects(text: str, target: Target) -> bool:
    """Whether a text selects a target."""
    if text == EVERYTHING:
        return True
    named = named_by(text)
    if named is None:
        return isinstance(target, RepositoryTarget) and literal_glob(text).matches(target.name)
    return named.key == target.key


def is_pattern(text: str) -> bool:
    """Whether a text may select more than is there now."""
    return text == EVERYTHING or "*" in text or "?" in text


@lru_cache(maxsize=256)
def named_by(text: str) -> Target | None:
    """The target that a text names in full; None for any other text."""
    try:
        return parse_target(text)
    except TargetError:
        return None
