"""Entries of the journal and of the audit log, and the results of commands."""

from ecr_warden.model.codec.base import reader
from ecr_warden.model.codec.jobs import with_present_actor, with_present_cause
from ecr_warden.model.request import Answer, AuditEntry
from ecr_warden.model.run import OpenRun, RunEntry, RunReport


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's entry in lists of runs."""
    result, written = (None, 0) if isinstance(run, OpenRun) else (run.result, len(run.applied))
    return RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at, result, written)


entry_from_json = reader("journal entry", RunEntry, with_present_cause)
audit_from_json = reader("audit log entry", AuditEntry, with_present_actor("by"))
answer_from_json = reader("answer", Answer)
