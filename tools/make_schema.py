"""Writes the JSON Schemas in docs/schema: `make schema`.

Those for editors are made from the field tables that the loaders check, and cover shapes only: the loaders also check
references, conflicts between entries and quotas.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never

import msgspec

from ecr_warden.access_spec.fields import IDENTITY_FIELDS, SPEC
from ecr_warden.access_spec.shapes import (
    AccountId,
    Choice,
    Either,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Raw,
    Record,
    Shape,
    TextShape,
    Whole,
)
from ecr_warden.notify.incident_event import IncidentEvent
from ecr_warden_cli.deployment.fields import DEPLOYMENT

SCHEMAS = Path(__file__).parents[1] / "docs" / "schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN: Mapping[type, str] = {Moment: "string", Flag: "boolean", Raw: "object"}

type Schema = dict[str, Any]


def written() -> dict[Path, str]:
    """The files' texts."""
    schemas = {"access": spec_schema(), "deployment": deployment_schema(), "incident": incident_schema()}
    return {SCHEMAS / f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


def spec_schema() -> Schema:
    """The schema of a whole spec."""
    return {"$schema": DIALECT, "title": "ecr-warden: who may push and pull", **_schema(SPEC)}


def deployment_schema() -> Schema:
    """The schema of ecr-warden.yaml."""
    return {"$schema": DIALECT, "title": "ecr-warden: what is deployed, and where", **_schema(DEPLOYMENT)}


def incident_schema() -> Schema:
    """The schema of the detail of an incident event, from the type that is published."""
    schema = msgspec.json.schema(IncidentEvent)
    return {"$schema": DIALECT, "title": "ecr-warden: what became of an incident", **schema}


def _schema(shape: Shape) -> Schema:
    match shape:
        case TextShape(choices=choices) | Whole(choices=choices) if choices:
            return {"type": "string" if isinstance(choices[0], str) else "integer", "enum": list(choices)}
        case TextShape(form=form):
            return {"type": "string", "pattern": f"^(?:{form})$"} if form else {"type": "string", "minLength": 1}
        case AccountId():
            return {"type": "string", "pattern": "^[0-9]{12}$", "maxLength": 12}
        case Whole():
            return {"type": "integer", "minimum": shape.least, "maximum": shape.most}
        case Moment() | Flag() | Raw():
            return {"type": _PLAIN[type(shape)]}
        case ListOf(item, nonempty, or_one):
            several = {"type": "array", "items": _schema(item)} | ({"minItems": 1} if nonempty else {})
            return {"anyOf": [_schema(item), several]} if or_one else several
        case MapOf(value):
            return {"type": "object", "additionalProperties": _schema(value)}
        case Record():
            return _record(shape)
        case Choice(by=by, records=records):
            return {"type": "object", "oneOf": [_record(record, {by: key}) for key, record in records.items()]}
        case Either(text, records):
            return {"anyOf": [_schema(text), *map(_record, records.values())]}
        case _:
            assert_never(shape)


def _record(record: Record, chosen_by: dict[str, str] | None = None) -> Schema:
    """A record's schema; `chosen_by`: the field and value that select it."""
    properties: Schema = {}
    for entry in record.fields:
        if not entry.needless:
            properties[entry.name] = _schema(entry.shape) | {"description": entry.meaning}
    for name, text in (chosen_by or {}).items():
        properties[name] = {"const": text, "description": properties[name]["description"]}
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": [entry.name for entry in record.fields if entry.required],
        "additionalProperties": False,
    }
    if set(IDENTITY_FIELDS) <= properties.keys():
        schema["oneOf"] = [{"required": [identity]} for identity in IDENTITY_FIELDS]
    return schema


if __name__ == "__main__":
    for target, text in written().items():
        target.write_text(text, encoding="utf-8")
