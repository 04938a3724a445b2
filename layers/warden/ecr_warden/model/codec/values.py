"""Addresses and what is desired at them."""

import json
from typing import assert_never

from ecr_warden.model.address import Address, AddressKind
from ecr_warden.model.codec.base import CodecError, Json, number, optional_text, text
from ecr_warden.model.desired import DesiredValue, MustNotExist, RoleSettings
from ecr_warden.model.plan import NewRole
from ecr_warden.model.target import parse_target
from ecr_warden.policy.document import Document, parse_document


def address_to_json(address: Address) -> Json:
    """`{"kind", "target", "name"?}`."""
    return {"kind": address.kind, "target": str(address.target)} | ({"name": address.name} if address.name else {})


def address_from_json(value: Json) -> Address:
    return Address(AddressKind(value["kind"]), parse_target(value["target"]), text(value.get("name", "")))


def value_to_json(value: DesiredValue | NewRole | None) -> Json | None:
    """`{"document"}`, `{"role"}`, `{"role", "trust"}`, `{"mustNotExist": true}`, or null."""
    match value:
        case None:
            return None
        case Document():
            return {"document": json.loads(value.text)}
        case RoleSettings():
            return {"role": settings_to_json(value)}
        case NewRole():
            return {"role": settings_to_json(value.settings), "trust": json.loads(value.trust.text)}
        case MustNotExist():
            return {"mustNotExist": True}
        case _:
            assert_never(value)


def settings_to_json(settings: RoleSettings) -> Json:
    return {
        "path": settings.path,
        "maxSessionDuration": settings.max_session_duration,
        "boundary": settings.boundary,
    }


def value_from_json(value: Json | None) -> DesiredValue | NewRole | None:
    """The inverse of value_to_json."""
    if value is None:
        return None
    if "document" in value:
        return parse_document(value["document"])
    if "trust" in value:
        return NewRole(_settings(value["role"]), parse_document(value["trust"]))
    if "role" in value:
        return _settings(value["role"])
    if value == {"mustNotExist": True}:
        return MustNotExist()
    raise CodecError("neither a document, a role, nor mustNotExist")


def _settings(value: Json) -> RoleSettings:
    return RoleSettings(
        path=text(value["path"]),
        max_session_duration=number(value["maxSessionDuration"]),
        boundary=optional_text(value["boundary"]),
    )
