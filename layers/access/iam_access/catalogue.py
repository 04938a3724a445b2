"""AWS's catalogue: the actions of some services, condition keys, and the prefixes of all services.

It is as old as `date()` says, and AWS adds actions without notice: it is good for names and for "no such action", never
for decisions about access. tools/make_catalogue.py writes the file next to this module, which names its source. The
file is read when first needed, not at import: runs do without it.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from iam_access.document.variables import literal_glob
from iam_access.text.nearest import nearest


class Action(Struct, frozen=True):
    """One action as AWS spells it.

    `level` is AWS's access level (List, Read, Write, Tagging, Permissions management); `arns` are patterns of its
    resources, empty if it has none and is only allowed on `*`.
    """

    name: str
    level: str
    arns: tuple[str, ...]


def date() -> str:
    """The year and month of the data."""
    return str(_raw()["date"])


def actions(service: str) -> Mapping[str, Action]:
    """The actions of a service by their name in lower case, prefix included; none if it is not catalogued."""
    return _actions(service.lower()) if is_catalogued(service) else {}


@cache
def _actions(service: str) -> Mapping[str, Action]:
    given = _raw()["services"][service]
    arns: dict[str, str] = given["arns"]
    return {
        f"{service}:{name}".lower(): Action(f"{service}:{name}", level, tuple(arns[kind] for kind in kinds.split()))
        for level, names in given["actions"].items()
        for name, kinds in names.items()
    }


def matching_actions(pattern: str) -> tuple[Action, ...]:
    """The catalogued actions that match an action, or a pattern with a service prefix."""
    lowered = pattern.lower()
    known = actions(lowered.partition(":")[0])
    if lowered in known:
        return (known[lowered],)
    glob = literal_glob(lowered)
    return tuple(action for name, action in known.items() if glob.matches(name))


def spelled(action: str) -> str:
    """An action as AWS spells it; as it is, if the catalogue does not have it."""
    known = _known(action)
    return action if known is None else known.name


@lru_cache(maxsize=1024)
def has_resources(action: str) -> bool:
    """Does the action act on resources of its own? What is not catalogued does.

    IAM checks its List actions, which have no resource types, on paths such as role/.
    """
    known = _known(action)
    return known is None or bool(known.arns) or known.name.startswith("iam:")


def _known(action: str) -> Action | None:
    return actions(action.partition(":")[0]).get(action.lower())


def is_catalogued(service: str) -> bool:
    """Does the catalogue have the actions of the service?"""
    return service.lower() in _raw()["services"]


def is_service(prefix: str) -> bool:
    """Is there a service with this prefix?"""
    return prefix.lower() in _prefixes()


def is_condition_key(key: str) -> bool:
    """Is this a global condition key, or one of a catalogued service? Tags may have any name."""
    prefix, slash, name = key.lower().partition("/")
    return prefix + slash in _keys() and bool(name) is bool(slash)


def owns_key(prefix: str) -> bool:
    """Does the catalogue have all condition keys with this prefix?"""
    return prefix.lower() in ("aws", *_raw()["services"])


def nearest_action(action: str) -> str:
    """The action with the most similar name, or nothing."""
    return _nearest(action, {name: entry.name for name, entry in actions(action.partition(":")[0]).items()})


def nearest_service(prefix: str) -> str:
    """The service with the most similar prefix, or nothing."""
    # Short prefixes resemble many others: the services that this project is about come first, with a lower bar.
    return _nearest(prefix, _by_lower_case(_raw()["services"]), cutoff=0.6) or _nearest(
        prefix, _by_lower_case(sorted(_prefixes()))
    )


def nearest_key(key: str) -> str:
    """The condition key with the most similar name, or nothing."""
    return _nearest(key, _keys())


def _nearest(text: str, names: Mapping[str, str], *, cutoff: float = 0.75) -> str:
    found = nearest(text.lower(), names, cutoff=cutoff)
    return names[found[0]] if found else ""


@cache
def _keys() -> Mapping[str, str]:
    return _by_lower_case(_raw()["keys"])


@cache
def _prefixes() -> frozenset[str]:
    return frozenset(str(_raw()["prefixes"]).split())


def _by_lower_case(names: Iterable[str]) -> Mapping[str, str]:
    return {name.lower(): name for name in names}


@cache
def _raw() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(files("iam_access").joinpath("catalogue.json").read_text(encoding="utf-8"))
    return raw
