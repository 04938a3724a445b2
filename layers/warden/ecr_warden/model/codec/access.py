"""Who gains or loses what, as JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ecr_warden.model.codec.base import CodecError, Json, dumps, entries, flag, number, text, texts
from ecr_warden.policy.access import AccessChange, AllBut, AnyOf, Permission
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Effect
from ecr_warden.policy.principal import Principal

PERMISSIONS_AT_MOST = 700
"""Of each side: an event and a journal entry have a size limit, and a hostile document has principals times actions.
The whole documents stand beside it. More than a document can name principals (the 10,240 characters of a repository
policy hold some 680 account ids): with one of each first, nobody is left out here. What does not fit into an event
is shortened further there."""

_SHARED_FROM = 100
"""Characters from which a part that several permissions have is written once. A statement's conditions stand in each of
its permissions, and its longest resource in as many as it has actions: 10,000 characters would become millions."""


def access_to_json(change: AccessChange | None) -> Json | None:
    """`{"gained": [...], "lost": [...], "assumed", "shared": [...]}`, null when not known.

    `assumed` only where it is true; `shared`, where there are any: what stands as `{"shared": INDEX}` in permissions.
    """
    if change is None:
        return None
    gained, lost = (
        list(map(_permission_to_json, some_of_each(side, PERMISSIONS_AT_MOST))) for side in (change.gained, change.lost)
    )
    shared = _share((*gained, *lost))
    return {
        "gained": gained,
        "lost": lost,
        **({"assumed": True} if change.assumed else {}),
        **({"shared": shared} if shared else {}),
    }


def _share(permissions: Iterable[Json]) -> list[object]:
    """Have long parts that occur more than once stand outside of the permissions; they are returned."""
    places: dict[str, list[tuple[Json, str]]] = {}
    values: list[object] = []
    for permission in permissions:
        for name, part in permission.items():
            written = part if isinstance(part, str) else dumps({name: part})
            if len(written) >= _SHARED_FROM:
                places.setdefault(written, []).append((permission, name))
    for having in places.values():
        if len(having) > 1:
            permission, name = having[0]
            values.append(permission[name])
            for permission, name in having:
                permission[name] = {"shared": len(values) - 1}
    return values


def some_of_each(permissions: Sequence[Permission], most: int) -> Sequence[Permission]:
    """At most so many, and one of each principal before another of any, so that none hides behind the others."""
    if len(permissions) <= most:
        return permissions
    seen: Counter[object] = Counter()
    ranked: list[tuple[int, int]] = []
    for index, permission in enumerate(permissions):
        ranked.append((seen[permission.principal], index))
        seen[permission.principal] += 1
    return [permissions[index] for index in sorted(index for _, index in sorted(ranked)[:most])]


def access_from_json(value: Json | None) -> AccessChange | None:
    """The inverse of access_to_json."""
    if value is None:
        return None
    shared = entries(value.get("shared", []))

    def whole(part: object) -> object:
        match part:
            case {"shared": index}:
                return shared[number(index)]
            case _:
                return part

    def side(name: str) -> tuple[Permission, ...]:
        return tuple(_permission({key: whole(part) for key, part in one.items()}) for one in entries(value[name]))

    return AccessChange(side("gained"), side("lost"), flag(value.get("assumed", False)))


def _permission_to_json(permission: Permission) -> Json:
    result: Json = {
        "effect": permission.effect,
        "principal": _principals_to_json(permission.principal),
        "action": _strings_to_json(permission.action),
        "resource": _strings_to_json(permission.resource),
    }
    if permission.conditions:
        clauses = sorted(permission.conditions, key=lambda clause: (clause.operator, clause.key))
        result["conditions"] = [[c.operator, c.key, sorted(c.values)] for c in clauses]
    return {key: entry for key, entry in result.items() if entry is not None}


def _permission(value: Json) -> Permission:
    return Permission(
        effect=Effect(value["effect"]),
        principal=_principals(value.get("principal")),
        action=_strings(value.get("action")),
        resource=_strings(value.get("resource")),
        conditions=frozenset(
            CanonicalClause(text(operator), text(key), frozenset(texts(values)))
            for operator, key, values in entries(value.get("conditions", []))
        ),
    )


def _principals_to_json(part: Principal | AllBut[Principal] | AnyOf[Principal] | None) -> object:
    match part:
        case AllBut(values):
            return {"allBut": [list(value) for value in values]}
        case AnyOf(values):
            return {"anyOf": [list(value) for value in values]}
        case None:
            return None
        case Principal():
            return list(part)


def _principals(value: object) -> Principal | AllBut[Principal] | AnyOf[Principal] | None:
    match value:
        case None:
            return None
        case {"allBut": list(values)}:
            return AllBut(tuple(map(_principal, values)))
        case {"anyOf": list(values)}:
            return AnyOf(tuple(map(_principal, values)))
        case _:
            return _principal(value)


def _principal(value: object) -> Principal:
    match value:
        case ["AWS" | "Service" | "Federated" | "CanonicalUser" as kind, str(name)]:
            return Principal(kind, name)
        case _:
            raise CodecError("not a principal")


def _strings_to_json(part: str | AllBut[str] | AnyOf[str] | None) -> object:
    match part:
        case AllBut(values):
            return {"allBut": list(values)}
        case AnyOf(values):
            return {"anyOf": list(values)}
        case _:
            return part


def _strings(value: object) -> str | AllBut[str] | AnyOf[str] | None:
    match value:
        case None | str():
            return value
        case {"allBut": list(values)}:
            return AllBut(tuple(map(text, values)))
        case {"anyOf": list(values)}:
            return AnyOf(tuple(map(text, values)))
        case _:
            raise CodecError("neither a text nor a set of texts")
