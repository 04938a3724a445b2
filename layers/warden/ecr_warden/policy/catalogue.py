"""What AWS knows: the actions of ECR, IAM and STS, condition keys, and the prefixes of all services.

The data is of the day it was made (`date()`); AWS adds actions without notice. So it shows names and says "no such
action": nothing decides on access by it. tools/make_catalogue.py writes the file beside this module, which names its
source. It is read at the first question, never at import: the way of an event does without it.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from ecr_warden.policy.variables import literal_glob

_LONGEST_NAME = 100


class Action(Struct, frozen=True):
    """One action as AWS spells it.

    `level` is AWS's access level (List, Read, Write, Tagging, Permissions management); `arns` are patterns of what it
    acts on, empty where it has no resource and stands on `*` alone.
    """

    name: str
    level: str
    arns: tuple[str, ...]


def date() -> str:
    """Year and month of the data."""
    return str(_raw()["date"])


@cache
def actions(service: str) -> Mapping[str, Action]:
    """The actions of a service by their name in lower case, prefix included; none for other services."""
    given = _raw()["services"].get(service.lower())
    if given is None:
        return {}
    arns: dict[str, str] = given["arns"]
    return {
        f"{service}:{name}".lower(): Action(
            f"{service.lower()}:{name}", level, tuple(arns[kind] for kind in kinds.split())
        )
        for level, names in given["actions"].items()
        for name, kinds in names.items()
    }


def matching_actions(pattern: str) -> tuple[Action, ...]:
    """The actions of ECR, IAM or STS that an action or a pattern with a service's prefix stands for."""
    lowered = pattern.lower()
    known = actions(lowered.partition(":")[0])
    if lowered in known:
        return (known[lowered],)
    found = literal_glob(lowered)
    return tuple(action for name, action in known.items() if found.matches(name))


def is_catalogued(service: str) -> bool:
    """Are the actions of the service known here?"""
    return service.lower() in _raw()["services"]


def is_service(prefix: str) -> bool:
    """Is there a service with this prefix?"""
    return prefix.lower() in _prefixes()


def is_condition_key(key: str) -> bool:
    """Is this a global condition key, or one of ECR, IAM or STS? A tag's name is free."""
    prefix, slash, name = key.lower().partition("/")
    return prefix + slash in _keys() and bool(name) is bool(slash)


def owns_key(prefix: str) -> bool:
    """Are all condition keys with this prefix known here?"""
    return prefix.lower() in ("aws", *_raw()["services"])


def nearest_action(action: str) -> str:
    """The action that is spelled most like this one, or nothing."""
    return _nearest(action, {name: entry.name for name, entry in actions(action.partition(":")[0]).items()})


def nearest_service(prefix: str) -> str:
    """The service's prefix that is spelled most like this one, or nothing."""
    # Three letters are like many others: the services that this project is about come first, at a lower bar.
    return _nearest(prefix, _by_lower_case(_raw()["services"]), cutoff=0.6) or _nearest(
        prefix, _by_lower_case(sorted(_prefixes()))
    )


def nearest_key(key: str) -> str:
    """The condition key that is spelled most like this one, or nothing."""
    return _nearest(key, _keys())


def _nearest(text: str, names: Mapping[str, str], *, cutoff: float = 0.75) -> str:
    if len(text) > _LONGEST_NAME:
        return ""
    found = difflib.get_close_matches(text.lower(), names, n=1, cutoff=cutoff)
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
    raw: dict[str, Any] = json.loads(files(__package__).joinpath("catalogue.json").read_text(encoding="utf-8"))
    return raw
