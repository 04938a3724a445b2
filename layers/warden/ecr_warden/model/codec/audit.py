"""Lines of the audit log."""

from ecr_warden.model.codec.base import Json, moment, number, reading, text, texts
from ecr_warden.model.codec.jobs import actor_from_json, actor_to_json
from ecr_warden.model.request import AuditEntry, AuditKind


def audit_to_json(entry: AuditEntry) -> Json:
    """`{"kind", "at", "id", "by", "text", "targets", "omitted"}`; `by` has the form of a cause's actor, or is null."""
    return {
        "kind": entry.kind,
        "at": entry.at.isoformat(),
        "id": entry.id,
        "by": None if entry.by is None else actor_to_json(entry.by),
        "text": entry.text,
        "targets": list(entry.targets),
        "omitted": entry.omitted,
    }


def _entry(value: Json) -> AuditEntry:
    by = value["by"]
    return AuditEntry(
        kind=AuditKind(value["kind"]),
        at=moment(value["at"]),
        id=text(value["id"]),
        by=None if by is None else actor_from_json(by),
        text=text(value["text"]),
        targets=texts(value["targets"]),
        omitted=number(value["omitted"]),
    )


audit_from_json = reading("line of the audit log", _entry)
