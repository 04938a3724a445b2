"""How a run is reported: its report, severity, and whether it is published. Decides no write."""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from ecr_warden.core.address import Address
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.desired import CompiledSpec, Mode, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Attempt, Cause, CauseKind
from ecr_warden.core.lasting import Opened
from ecr_warden.core.metrics import Values
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Plan
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Outcome, RunReport
from ecr_warden.repair.alerts import FightMoment, FightNoticed
from ecr_warden.repair.apply import may_have_written
from ecr_warden.repair.cutoff import going_on
from ecr_warden.repair.fights import FightNews, is_narrowed_again, is_of_fights, is_of_version, remembered
from ecr_warden.repair.results import is_news, is_retryable, refused_documents, times_contested
from ecr_warden.repair.run_ended import run_ended, sides_of
from ecr_warden.repair.severity import home_of, lets_in_outsiders, severity_of_run
from ecr_warden.state.state import Lease, TargetRecord

TRIES = 3
"""How often a run observes its target when others write to it in between."""


class Run(Struct, frozen=True):
    """One run of one target."""

    id: str
    cause: Cause
    attempt: Attempt
    accepted: CompiledSpec
    spec: TargetSpec
    lease: Lease
    record: TargetRecord
    started_at: datetime
    intruder: bool
    """Its event came from a session of the write role that no run opened."""
    before: TargetRecord
    """The record of the target as it was found."""
    tries_left: int = TRIES - 1
    refusals: Mapping[Address, int] = field(default_factory=dict)
    """How often AWS has just refused to write an address."""
    older: TargetSpec | None = None
    """What the replaced version asked for, if nothing shows that the accepted one was in effect there."""

    @property
    def mode(self) -> Mode:
        return self.accepted.mode_of(self.spec.target)


class Ended(Struct, frozen=True):
    """How a try of a run ended."""

    outcomes: tuple[Outcome, ...]
    result: Result
    after: Observation
    """The last reading of the target."""
    left: tuple[Drift, ...]
    """The drift in it."""


def report_of(run: Run, plan: Plan, ended: Ended, now: datetime, opened: Opened) -> RunReport:
    """The report of a run that has ended, with its severity."""
    report = RunReport(
        run_id=run.id,
        cause=run.cause,
        mode=run.mode,
        result=ended.result,
        plan=plan,
        outcomes=ended.outcomes,
        started_at=run.started_at,
        finished_at=now,
        accounts=run.accepted.accounts,
        attempt=run.attempt.number,
        intruder=run.intruder,
    )
    if plan.drifts:
        from ecr_warden.repair.role_use import uses_of  # noqa: PLC0415 - most runs find nothing

        report = replace(report, uses=uses_of(run.spec, run.accepted), opened=opened)
    if report.applied:
        report = replace(report, goes_on=going_on(run.spec, report.applied, run.record.debts, now))
    will_be_retried = not run.attempt.is_last and is_retryable(report, ended.after)
    tries_again = run.tries_left > 0 and (ended.result is Result.CONFLICT or bool(refused_documents(report)))
    if will_be_retried or tries_again:
        report = replace(report, final=may_have_written(ended.outcomes, ended.after))
    else:
        report = replace(report, final=True, contested=times_contested(report, observed=TRIES))
    report = _marked(run, report)
    if ended.result is Result.IN_SYNC and not plan.drifts and not run.intruder:
        return replace(report, severity=Severity.INFO)  # as the rules say; most runs end here without loading them
    return rated(report)


def _marked(run: Run, report: RunReport) -> RunReport:
    """The report with what follows from earlier repairs of the same documents."""
    if not report.applied:
        return report
    before = run.record.repairs
    report = replace(report, of_version=is_of_version(before, report) or _gives_anew(run, report))
    after = remembered(before, report)
    is_quiet = not (report.contested or report.intruder or report.result in _ALWAYS_SENT or lets_in_outsiders(report))
    return replace(
        report,
        again=is_narrowed_again(after, report),
        of_fight=is_quiet and is_of_fights(before, after, report),
    )


def _gives_anew(run: Run, report: RunReport) -> bool:
    """Whether the first run of a version wrote a document of which the one before asked for another."""
    whole = {change.address for change in report.applied} - report.narrowed_only
    older, asked = run.older, run.spec.documents
    return older is not None and any(older.documents.get(at) != asked[at] for at in whole & asked.keys())


_ALWAYS_SENT = frozenset({Result.FAILED, Result.REPORTED, Result.UNKNOWN, Result.INTERRUPTED})


def rated(report: RunReport) -> RunReport:
    """The report with its severity: rated once, with all that the run saw."""
    return replace(report, severity=severity_of_run(report))


def is_published(run: Run, report: RunReport) -> bool:
    """Whether the run is published."""
    return report.final and is_news(report, run.record.reported)


def announce(alerts: AlertBus, report: RunReport) -> None:
    """Publish a run."""
    alerts.publish(run_ended(report))


def measured(report: RunReport) -> Values:
    """A run that took back what somebody else wrote; and how long that stood, once it is over and known."""
    if not report.applied or report.cause.rolls_out or report.of_version:
        return {}
    lasted = report.opened.lasted(report.finished_at) if report.result.is_fine else None
    return {"Repairs": 1} if lasted is None else {"Repairs": 1, "SecondsToRepair": lasted}


def call_of(cause: Cause) -> str | None:
    """The ID of the command that led to a run, directly or through another run."""
    kind, _, call_id = cause.incident.partition("/")
    return call_id if kind == CauseKind.CALLER else None


def fight_alerts(run: Run, found: FightNews, report: RunReport) -> Iterator[FightNoticed]:
    """What people hear of fights; `report`: of the repair by which those that began were noticed."""
    for fight in found.began:
        drift = next((drift for drift in report.plan.drifts if drift.address == fight.address), None)
        yield FightNoticed(
            run.cause,
            FightMoment.BEGAN,
            fight,
            sides=() if drift is None else sides_of(drift, home_of(report)),
            run_id=report.run_id,
            severity=Severity.CRITICAL if report.severity is Severity.CRITICAL else Severity.WARNING,
        )
    yield from (FightNoticed(run.cause, FightMoment.ENDED, fight) for fight in found.ended)
