"""Entries of the journal and of the audit log, and the results of commands."""

from ecr_warden.model.codec.base import Json, check_schema, read, reader, reading, to_json
from ecr_warden.model.codec.jobs import with_present_actor, with_present_cause
from ecr_warden.model.fight import Repairs
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.request import Answer, AuditEntry
from ecr_warden.model.run import OpenRun, RunEntry, RunReport


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's entry in lists of runs."""
    result, written = (None, 0) if isinstance(run, OpenRun) else (run.result, len(run.applied))
    return RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at, result, written)


entry_from_json = reader("journal entry", RunEntry, with_present_cause)
audit_from_json = reader("audit log entry", AuditEntry, with_present_actor("by"))
answer_from_json = reader("answer", Answer)


def repairs_to_json(repairs: tuple[Repairs, ...]) -> Json:
    """What a target's record holds of the repairs of its documents."""
    return {"schema": SCHEMA, "documents": to_json(repairs)}


def _repairs(value: Json) -> tuple[Repairs, ...]:
    check_schema(value, SCHEMA)
    made: tuple[Repairs, ...] = read(value["documents"], tuple[Repairs, ...])
    return made


repairs_from_json = reading("record of repairs", _repairs)
