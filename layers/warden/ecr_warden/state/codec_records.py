"""Entries of the journal, and the results of commands."""

from copy import replace

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.state.commands import CommandResult


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's entry in lists of runs."""
    entry = RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at)
    if isinstance(run, OpenRun):
        return entry
    return replace(entry, result=run.result, written=len(run.applied), finished_at=run.finished_at)


entry_to_json, entry_from_json = forms("journal entry", RunEntry, SCHEMA)
answer_to_json, answer_from_json = forms("answer", CommandResult, SCHEMA)
