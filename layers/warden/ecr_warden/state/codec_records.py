"""Entries of the journal and of the history log, and the results of commands."""

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.state.commands import CommandResult
from ecr_warden.state.history import HistoryEntry


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's entry in lists of runs."""
    result, written = (None, 0) if isinstance(run, OpenRun) else (run.result, len(run.applied))
    return RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at, result, written)


entry_to_json, entry_from_json = forms("journal entry", RunEntry, SCHEMA)
history_to_json, history_from_json = forms("history entry", HistoryEntry, SCHEMA)
answer_to_json, answer_from_json = forms("answer", CommandResult, SCHEMA)
