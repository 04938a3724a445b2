"""The JSON of the values at an address, and of drift there."""

import json
from collections.abc import Callable
from typing import Any

from ecr_warden.core.address import Address
from ecr_warden.core.codec.access import access_from_json, access_to_json
from ecr_warden.core.codec.base import READERS, WRITERS, CodecError, Json, fields, read, reader, to_json
from ecr_warden.core.desired import DesiredValue, Documents, MustNotExist, PatternPolicy, RoleSettings, WidenAfter
from ecr_warden.core.drift import Access, Drift, Verdict
from ecr_warden.core.plan import NewRole, Written
from ecr_warden.core.target import Target
from iam_access.delta.delta import AccessDelta
from iam_access.delta.relate import Interchangeable
from iam_access.document.document import Document, parse_document

# Import to_json and read from here, so that base knows the forms registered below.
__all__ = ["fields", "read", "reader", "to_json", "value_from_json"]


def _drift_to_json(drift: Drift) -> Json:
    same = {"access": None, "sameAccess": True} if drift.same_access else {"access": to_json(drift.access)}
    return fields(drift, "access") | same


def value_from_json(value: Json) -> Document | RoleSettings | NewRole | MustNotExist:
    """The inverse of to_json for the values at an address."""
    match value:
        case {"document": document}:
            return parse_document(document)
        case {"role": role, "trust": trust}:
            return NewRole(read(role, RoleSettings), parse_document(trust))
        case {"role": role}:
            settings: RoleSettings = read(role, RoleSettings)
            return settings
        case {"mustNotExist": True}:
            return MustNotExist()
        case _:
            raise ValueError("neither a document, a role, nor mustNotExist")


def _verdict(value: Json) -> AccessDelta | Interchangeable:
    match value:
        case {"same": str(reason)}:
            return Interchangeable(reason)
        case _:
            return access_from_json(value)


def _documents(rows: list[Json]) -> dict[Address, DesiredValue]:
    found: dict[Address, DesiredValue] = {}
    for row in rows:
        value = value_from_json(row["value"])
        if isinstance(value, NewRole):
            raise CodecError("a role's settings and its trust policy have two addresses")
        found[read(row["address"], Address)] = value
    return found


def _widen_after(rows: list[Json]) -> dict[Address, tuple[Target, ...]]:
    return {read(row["address"], Address): read(row["roles"], tuple[Target, ...]) for row in rows}


_FORMS: dict[Any, Callable[[Any], Json]] = {
    Document: lambda document: {"document": json.loads(document.text)},
    RoleSettings: lambda settings: {"role": fields(settings)},
    NewRole: lambda role: {"role": fields(role.settings), "trust": json.loads(role.trust.text)},
    MustNotExist: lambda _: {"mustNotExist": True},
    AccessDelta: access_to_json,
    Drift: _drift_to_json,
}
WRITERS |= _FORMS
READERS |= {
    Access: access_from_json,
    Verdict: _verdict,
    Written: value_from_json,
    PatternPolicy: value_from_json,
    Documents: _documents,
    WidenAfter: _widen_after,
}
