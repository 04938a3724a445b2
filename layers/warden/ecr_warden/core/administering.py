"""Administering, by rule: whichever action of ECR is not known to read only, and is no part of a push or an import."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache

from ecr_warden.core.actions import IMPORT, REPLICATE, REQUIRED, UPLOADS, Access
from iam_access import catalogue
from iam_access.document.document import Patterns
from iam_access.evaluate.statement_match import action_matches
from iam_access.text.ascii_case import ascii_lower

_READING = ("Read", "List")
_GRAVEST = ("Permissions management", "Write", "Tagging")
_MILD = re.compile("Scan|Sign|Preview|PullTime|StorageClass")
"""What changes neither images nor who has access to them."""
_OTHERWISE = frozenset((*REQUIRED[Access.PUSH], *UPLOADS, IMPORT))


@cache
def administering() -> tuple[str, ...]:
    """The actions of the catalogue, the gravest first: who has access, which images there are, all others.

    What nobody calls is the last, so that it stands for no other that nothing tells from it.
    """
    known = (action for action in catalogue.actions("ecr").values() if action.level not in _READING)
    found = sorted(
        (
            action.name == REPLICATE,
            _GRAVEST.index(action.level),
            action.name not in REQUIRED[Access.DELETE],
            bool(_MILD.search(action.name)),
            "Delete" in action.name,
            not action.arns,
            action.name,
        )
        for action in known
        if action.name not in _OTHERWISE
    )
    return tuple(name for *_, name in found)


def is_of_registry(action: str) -> bool:
    """Is it about a whole registry, and so only allowed on `*`?"""
    return not catalogue.has_resources(action)


def unknown_in(actions: Patterns) -> Iterator[str]:
    """The actions of ECR in an Action element that are newer than the catalogue, patterns with a name that fits."""
    return (
        value.replace("*", "x").replace("?", "x")
        for value in (() if actions.negated else actions.values)
        if ascii_lower(value).startswith("ecr:") and not catalogue.matching_actions(value)
    )


def distinct_actions(elements: Iterable[Patterns], otherwise: Callable[[str], Hashable]) -> tuple[str, ...]:
    """The administering actions, also those that AWS may add; one for all that no Action element distinguishes.

    `otherwise`: what else distinguishes the request for an action from others.
    """
    distinct = tuple(dict.fromkeys(elements))
    known = dict.fromkeys((*administering(), *(name for patterns in distinct for name in unknown_in(patterns))))
    found: dict[object, str] = {}
    for action in known:
        naming = tuple(number for number, patterns in enumerate(distinct) if action_matches(patterns, action))
        found.setdefault((is_of_registry(action), naming, otherwise(action)), action)
    return tuple(found.values())
