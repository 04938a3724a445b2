"""Entries of the journal and of the audit log, and the results of commands."""

from ecr_warden.core.codec.base import reader
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.state.commands import CommandResult
from ecr_warden.state.decisions import AuditEntry


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's entry in lists of runs."""
    result, written = (None, 0) if isinstance(run, OpenRun) else (run.result, len(run.applied))
    return RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at, result, written)


entry_from_json = reader("journal entry", RunEntry)
audit_from_json = reader("audit log entry", AuditEntry)
answer_from_json = reader("answer", CommandResult)
