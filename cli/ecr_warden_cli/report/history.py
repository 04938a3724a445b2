"""The journal as people look back on it: how much drift there was each day, and what caused it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import date, datetime

from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunEntry
from ecr_warden.state.history import HistoryEntry
from ecr_warden_cli.report.report import Day, History, Incident

MAX_INCIDENTS, MAX_ENTRIES = 200, 100
_TARGETS_NAMED = 5
_FAILED = (None, Result.FAILED, Result.UNKNOWN, Result.INTERRUPTED, Result.CONFLICT)
_REPAIRED = (Result.CONVERGED, Result.NOT_YET_VISIBLE)

type Days = Mapping[date, tuple[Sequence[RunEntry], int]]
"""The runs that began on each day, newest first, and how many more there were."""


def history_of(days: Days, log: Sequence[HistoryEntry], since: datetime) -> History:
    """Days in order; incidents and entries of the history log newest first, bounded, and the rest counted."""
    runs = [run for day in sorted(days, reverse=True) for run in days[day][0] if _is_of_drift(run)]
    incidents = [*_incidents(runs)]
    return History(
        since,
        tuple(_day(day, *days[day]) for day in sorted(days)),
        tuple(incidents[:MAX_INCIDENTS]),
        tuple(
            replace(entry, targets=entry.targets[:_TARGETS_NAMED], omitted=_more(entry)) for entry in log[:MAX_ENTRIES]
        ),
        max(0, len(incidents) - MAX_INCIDENTS) + max(0, len(log) - MAX_ENTRIES),
    )


def _more(entry: HistoryEntry) -> int:
    return entry.omitted + max(0, len(entry.targets) - _TARGETS_NAMED)


def _is_of_drift(run: RunEntry) -> bool:
    """Not a run of a new version of the spec, which the log has."""
    return run.result is not Result.IN_SYNC and not run.cause.rolls_out


def _day(day: date, runs: Iterable[RunEntry], more: int) -> Day:
    results = [run.result for run in runs if _is_of_drift(run)]
    failed = sum(result in _FAILED for result in results)
    repaired = sum(result in _REPAIRED for result in results)
    return Day(day.isoformat(), repaired, len(results) - failed - repaired, failed, more)


def _incidents(runs: Iterable[RunEntry]) -> Iterable[Incident]:
    by_cause: dict[str, list[RunEntry]] = defaultdict(list)
    for run in runs:
        by_cause[run.cause.incident].append(run)
    for found in by_cause.values():
        first = found[-1]
        cause = next((run.cause for run in found if run.cause.actor is not None), first.cause)
        targets = list(dict.fromkeys(run.target for run in reversed(found)))
        yield Incident(
            first.started_at,
            cause.action or _WORDS[cause.kind],
            _who(cause),
            tuple(targets[:_TARGETS_NAMED]),
            max(0, len(targets) - _TARGETS_NAMED),
            tuple(dict.fromkeys(str(run.result or "open") for run in reversed(found))),
            sum(run.written for run in found),
            first.run_id,
        )


def _who(cause: Cause) -> str:
    return short_name(cause.actor) if cause.kind in (CauseKind.EVENT, CauseKind.CALLER, CauseKind.RUN) else ""


_WORDS = {
    CauseKind.EVENT: "an event",
    CauseKind.RUN: "another run",
    CauseKind.SWEEP: "a sweep found it",
    CauseKind.CALLER: "a command",
    CauseKind.PAUSE: "the end of a pause",
}
