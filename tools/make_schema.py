"""Writes docs/schema/access.schema.json, for editors, from the field tables that the loader checks: `make schema`.

It covers shapes only; `ecr-warden validate` also checks references, conflicts between entries and quotas.
"""

import json
from pathlib import Path
from typing import Any, assert_never

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

TARGET = Path(__file__).parents[1] / "docs" / "schema" / "access.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

type Schema = dict[str, Any]


def written() -> str:
    """The file's text."""
    return json.dumps(spec_schema(), indent=2) + "\n"


def spec_schema() -> Schema:
    """The schema of a whole spec."""
    return {"$schema": DIALECT, "title": "ecr-warden: who may push and pull", **_schema(SPEC)}


def _schema(shape: Shape) -> Schema:
    match shape:
        case TextShape(choices=choices):
            return {"type": "string", "enum": list(choices)} if choices else {"type": "string", "minLength": 1}
        case AccountId():
            return {"type": "string", "pattern": "^[0-9]{12}$", "maxLength": 12}
        case Moment():
            return {"type": "string"}
        case Whole():
            return {"type": "integer", "minimum": shape.least, "maximum": shape.most}
        case Flag():
            return {"type": "boolean"}
        case Raw():
            return {"type": "object"}
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
    TARGET.write_text(written(), encoding="utf-8")
