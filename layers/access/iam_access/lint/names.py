"""Whether condition keys of these names exist, by the catalogue, and which action was probably meant."""

from functools import cache

from iam_access.catalogue import actions, raw
from iam_access.text.nearest import nearest


def is_condition_key(key: str) -> bool:
    """Is this a global condition key, or one of a catalogued service? Tags may have any name."""
    prefix, slash, name = key.lower().partition("/")
    return prefix + slash in _keys() and bool(name) is bool(slash)


def owns_key(prefix: str) -> bool:
    """Does the catalogue have all condition keys with this prefix?"""
    return prefix.lower() in ("aws", *raw()["services"])


def nearest_action(action: str) -> str:
    """The action with the most similar name, or nothing."""
    names = {name: entry.name for name, entry in actions(action.partition(":")[0]).items()}
    found = nearest(action.lower(), names, cutoff=0.75)
    return names[found[0]] if found else ""


@cache
def _keys() -> frozenset[str]:
    return frozenset(name.lower() for name in raw()["keys"])
