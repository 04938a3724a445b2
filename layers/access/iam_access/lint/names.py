"""Whether services, actions and condition keys of these names exist, by the catalogue, and which was probably meant."""

from collections.abc import Iterable, Mapping
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
    return _nearest(action, {name: entry.name for name, entry in actions(action.partition(":")[0]).items()})


def nearest_key(key: str) -> str:
    """The condition key with the most similar name, or nothing."""
    return _nearest(key, _keys())


def _nearest(text: str, names: Mapping[str, str], *, cutoff: float = 0.75) -> str:
    found = nearest(text.lower(), names, cutoff=cutoff)
    return names[found[0]] if found else ""


@cache
def _keys() -> Mapping[str, str]:
    return _by_lower_case(raw()["keys"])


def _by_lower_case(names: Iterable[str]) -> Mapping[str, str]:
    return {name.lower(): name for name in names}
