"""Who gains or loses what, as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import convert

from ecr_warden.core.value import Count
from iam_access.delta.delta import AccessDelta, AllBut, AnyOf, PermissionDelta
from iam_access.document.condition import CanonicalClause
from iam_access.document.document import Effect
from iam_access.document.principal import Principal
from iam_access.equivalent.subsumption import Part
from iam_access.gather import gather

type Json = dict[str, Any]

MAX_PERMISSIONS = 700
"""On each side: an event and a journal entry have a size limit, and a hostile document has principals times actions.
The whole documents are stored too. The limit exceeds the number of principals that a document can name (the 10,240
characters of a repository policy have room for some 680 account IDs), so with one permission of each principal first,
nobody is left out here. What does not fit into an event as sentences is shortened further (notify/shorter.py)."""

_SHARED_FROM = 100
"""The length from which a part that several permissions share is written once. A statement's conditions are in each
of its permissions, and its longest resource in as many as it has actions: 10,000 characters would become millions."""


def access_to_json(change: AccessDelta) -> Json:
    """`{"gained": [...], "lost": [...], "assumed", "shared": [...]}`.

    `assumed` only if true; `shared`, if any: the parts that permissions refer to as `{"shared": INDEX}`; `leftOut`, if
    there are more than MAX_PERMISSIONS on a side: how many.
    """
    change = bounded(change)
    gained, lost = (list(map(_permission_to_json, side)) for side in (change.gained, change.lost))
    shared = _share((*gained, *lost))
    return {
        "gained": gained,
        "lost": lost,
        **({"assumed": True} if change.assumed else {}),
        **({"leftOut": change.left_out} if change.left_out else {}),
        **({"shared": shared} if shared else {}),
    }


def bounded(change: AccessDelta) -> AccessDelta:
    """With at most MAX_PERMISSIONS on a side; the others are counted."""
    gained, lost = (tuple(some_of_each(side, MAX_PERMISSIONS)) for side in (change.gained, change.lost))
    left_out = change.left_out + len(change.gained) + len(change.lost) - len(gained) - len(lost)
    return AccessDelta(gained, lost, change.assumed, left_out)


def _share(permissions: Iterable[Json]) -> list[object]:
    """Move long parts that occur more than once out of the permissions, and return them."""
    places = gather(
        (part if isinstance(part, str) else json.dumps({name: part}), (permission, name))
        for permission in permissions
        for name, part in permission.items()
    )
    values: list[object] = []
    for having in (some for written, some in places.items() if len(written) >= _SHARED_FROM and len(some) > 1):
        permission, name = having[0]
        values.append(permission[name])
        for permission, name in having:
            permission[name] = {"shared": len(values) - 1}
    return values


def some_of_each(permissions: Sequence[PermissionDelta], most: int) -> Sequence[PermissionDelta]:
    """At most `most`, with one of each principal first, so that none hides behind the others."""
    if len(permissions) <= most:
        return permissions
    seen: Counter[object] = Counter()
    ranked: list[tuple[int, int]] = []
    for index, permission in enumerate(permissions):
        ranked.append((seen[permission.principal], index))
        seen[permission.principal] += 1
    return [permissions[index] for index in sorted(index for _, index in sorted(ranked)[:most])]


def access_from_json(value: Json) -> AccessDelta:
    """The inverse of access_to_json; raises ValueError or LookupError."""
    shared = convert(value.get("shared", []), list[Any])

    def whole(part: object) -> object:
        match part:
            case {"shared": index}:
                return shared[convert(index, Count)]
            case _:
                return part

    def side(name: str) -> tuple[PermissionDelta, ...]:
        rows = convert(value[name], list[dict[str, Any]])
        return tuple(_permission({key: whole(part) for key, part in row.items()}) for row in rows)

    assumed, left_out = convert(value.get("assumed", False), bool), convert(value.get("leftOut", 0), Count)
    return AccessDelta(side("gained"), side("lost"), assumed, left_out)


def _permission_to_json(permission: PermissionDelta) -> Json:
    result: Json = {
        "effect": permission.effect,
        "principal": _part_to_json(permission.principal),
        "action": _part_to_json(permission.action),
        "resource": _part_to_json(permission.resource),
    }
    if permission.conditions:
        clauses = sorted(permission.conditions, key=lambda clause: (clause.operator, clause.key))
        result["conditions"] = [[c.operator, c.key, sorted(c.values)] for c in clauses]
    return {key: entry for key, entry in result.items() if entry is not None}


def _permission(value: Json) -> PermissionDelta:
    return PermissionDelta(
        effect=Effect(value["effect"]),
        principal=_part(value.get("principal"), Principal),
        action=_part(value.get("action"), str),
        resource=_part(value.get("resource"), str),
        conditions=convert(value.get("conditions", []), frozenset[CanonicalClause]),
    )


def _part_to_json(part: object) -> object:
    match part:
        case AllBut(values):
            return {"allBut": list(values)}
        case AnyOf(values):
            return {"anyOf": list(values)}
        case Principal():
            return list(part)
        case _:
            return part


def _part[T](value: object, kind: type[T]) -> Part[T] | None:
    match value:
        case None:
            return None
        case {"allBut": values}:
            return AllBut(tuple(convert(values, list[kind])))  # type: ignore[valid-type]
        case {"anyOf": values}:
            return AnyOf(tuple(convert(values, list[kind])))  # type: ignore[valid-type]
        case _:
            return convert(value, kind)
