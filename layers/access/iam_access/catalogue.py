"""AWS's catalogue: the actions of some services, and condition keys.

It is as old as `date()` says, and AWS adds actions without notice: it is good for names and for "no such action", never
for decisions about access. tools/make_catalogue.py writes the file next to this module, which names its source. The
file is read when first needed, not at import: runs do without it.
"""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

from iam_access.document.variables import literal_glob


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
    return str(raw()["date"])


def actions(service: str) -> Mapping[str, Action]:
    """The actions of a service by their name in lower case, prefix included; none if it is not catalogued."""
    return _actions(service.lower()) if is_catalogued(service) else {}


@cache
def _actions(service: str) -> Mapping[str, Action]:
    given = raw()["services"][service]
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
    return service.lower() in raw()["services"]


@cache
def raw() -> dict[str, Any]:
    """The catalogue as it is kept."""
    kept: dict[str, Any] = json.loads(files("iam_access").joinpath("catalogue.json").read_text(encoding="utf-8"))
    return kept
