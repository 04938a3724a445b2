"""The last audit, as it is kept."""

from ecr_warden.audit.finding import AuditRecord
from ecr_warden.core.codec.base import Json, reader, to_json

SCHEMA = 1


def audit_to_json(record: AuditRecord) -> Json:
    """`{"schema", "at", "version", ...}`."""
    return {"schema": SCHEMA, **to_json(record)}


def _with_kind(value: Json) -> Json:
    """Up to 0.1.0 a failure was a text, empty for none."""
    match value.get("failure"):
        case str() as why:
            return value | {"failure": {"kind": "failed", "why": why} if why else None}
        case _:
            return value


audit_from_json = reader("audit", AuditRecord, _with_kind, schema=SCHEMA)
