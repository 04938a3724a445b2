"""One run of one target: read, compare, plan, journal, write, verify, announce.

Level-based: the event that caused a run names the target and decides nothing else, so a lost, late, doubled or forged
one costs time at most.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ecr_warden.model.address import Address
from ecr_warden.model.desired import CompiledSpec, TargetSpec
from ecr_warden.model.job import FIRST_AND_LAST, Attempt, Cause, CauseKind, ReconcileTarget
from ecr_warden.model.observed import Observation
from ecr_warden.model.outcome import Outcome, Result, RunReport, Skipped
from ecr_warden.model.plan import Plan
from ecr_warden.model.run import OpenRun
from ecr_warden.model.severity import Severity
from ecr_warden.model.target import Target
from ecr_warden.planning.diff import diff
from ecr_warden.planning.orphans import as_observed
from ecr_warden.planning.planner import Circumstances, make_plan
from ecr_warden.planning.results import (
    debts_to_verify,
    fingerprint,
    is_news,
    is_retryable,
    may_be_of,
    planned_debts,
    refused_for_principals,
    remaining_debts,
    result_of,
    result_without_writes,
    times_contested,
)
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.calls import Calls
from ecr_warden.ports.clock import Clock
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.errors import RetryLater
from ecr_warden.ports.jobs import Jobs
from ecr_warden.ports.specs import Specs
from ecr_warden.ports.state import Lease, State, TargetRecord
from ecr_warden.ports.switch import Switch
from ecr_warden.triggers.own_sessions import is_write_role, run_id_of
from ecr_warden.usecases.apply import apply_plan, report_of_interrupted
from ecr_warden.usecases.targets import is_cleared, spec_for, targets_naming

OBSERVATIONS_AT_MOST = 3
# Of processor time, before a last comparison begins: two seconds with it.
_EXPLAINING_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: from a reading to the report of what was done about it."""

    id: str
    cause: Cause
    attempt: Attempt
    accepted: CompiledSpec
    spec: TargetSpec
    lease: Lease
    record: TargetRecord
    started_at: datetime
    intruder: bool
    tries_left: int = OBSERVATIONS_AT_MOST - 1
    refusals: Mapping[Address, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The use case over its ports.

    `new_run_id` makes an id of letters and digits; `cutoff_margin`: see planning.planner.Circumstances.
    """

    specs: Specs
    documents: Documents
    state: State
    jobs: Jobs
    alerts: AlertBus
    switch: Switch
    calls: Calls
    clock: Clock
    new_run_id: Callable[[], str]
    cutoff_margin: timedelta

    def __call__(self, job: ReconcileTarget, attempt: Attempt = FIRST_AND_LAST) -> Result | None:
        """Reconcile the job's target; None when it is no business of ours.

        Raises LeaseHeld when another run works on it, and RetryLater for what may succeed within a minute unless this
        is the last attempt: then it is announced as failed.
        """
        accepted = self.specs.accepted()
        if accepted is None:
            return None
        spec = spec_for(job.target, accepted)
        if spec is None:
            return None
        run_id = self.new_run_id()
        started_at = self.clock.now()
        lease, record = self.state.acquire(spec.target, run_id)
        if is_cleared(spec.target, accepted, record):
            self.state.release(lease, None, reported=record.reported)
            return None
        seen: Observation | None = None
        report: RunReport | None = None
        reported, revoked = record.reported, None
        try:
            observation = self.documents.read(spec)
            cause, intruder = self._culprit(job)
            run = _Run(
                run_id,
                cause,
                attempt,
                accepted,
                as_observed(spec, observation),
                lease,
                record,
                started_at,
                intruder,
            )
            run = self._finish_interrupted(run, observation)
            all_noted = self._note_recreated(run, observation)
            # Not before: whoever was made again is recognised by the unique id that was last seen.
            seen = observation if all_noted else replace(observation, unique_id=None)
            report, observation = self._converge(run, observation)
            seen = observation if all_noted else replace(observation, unique_id=None)
            reported = fingerprint(report) if report.final else record.reported
            departed = accepted.departed.get(spec.target.key)
            if departed is not None and report.result in (Result.IN_SYNC, Result.CONVERGED):
                revoked = departed.since
        finally:
            self.state.release(lease, seen, reported=reported, revoked=revoked, report=report)
        was_in_trouble = record.reported is not None or record.open_run is not None
        if report.result is Result.CONVERGED or (report.result is Result.IN_SYNC and was_in_trouble):
            self._enqueue(run, spec.dependents)
        comes_again = not attempt.is_last and is_retryable(report, observation)
        self._answer(run, report, done=not comes_again)
        if comes_again:
            raise RetryLater(f"{spec.target}: {report.result}", retryable=True)
        return report.result

    def _culprit(self, job: ReconcileTarget) -> tuple[Cause, bool]:
        """The cause as people are told of it, and whether its event came from a session that no run of ours opened.

        A run's id stands in CloudTrail for all to read, so it speaks only for calls made while that run could write.
        What is found after a write of our own somebody else did: then the event names nobody.
        """
        actor = job.cause.actor
        if actor is None or not is_write_role(actor, account=job.target.account):
            return job.cause, False
        claimed = run_id_of(actor, account=job.target.account)
        opened = None if claimed is None else self.state.load_run(job.target, claimed)
        if opened is None or not may_be_of(opened, job.cause.at):
            return job.cause, True
        return replace(job.cause, action="", actor=None), False

    def _finish_interrupted(self, run: _Run, observation: Observation) -> _Run:
        """Report and close a run of the target whose process died: no repair is ever silent."""
        if run.record.open_run is None:
            return run
        interrupted = self.state.load_run(run.spec.target, run.record.open_run)
        if interrupted is None:
            return run
        report = report_of_interrupted(interrupted, observation, self.clock.now())
        report = _rated(replace(report, accounts=run.accepted.accounts))
        self.alerts.publish(report)
        return self._close(run, report)

    def _note_recreated(self, run: _Run, observation: Observation) -> bool:
        """Have every document written again that names this owner, if it was deleted and made again.

        False when some of them are not known now: then the owner's new unique id must not be remembered.
        """
        if not run.record.was_recreated(observation):
            return True
        naming, is_whole = targets_naming(run.spec.target, run.accepted, self.documents)
        for target, arn in naming:
            self.state.mark_recreated(target, arn)
        self._enqueue(run, (target for target, _ in naming))
        return is_whole

    def _converge(self, run: _Run, observation: Observation) -> tuple[RunReport, Observation]:
        """Try until nobody else writes in between, a few times at most; every try is a run with its own id."""
        first_id = run.id
        for number in range(1, OBSERVATIONS_AT_MOST + 1):
            one_try = replace(run, tries_left=OBSERVATIONS_AT_MOST - number)
            if number > 1:
                one_try = replace(one_try, id=f"{first_id}x{number}")
            run, report, observation = self._try(one_try, observation)
            # Whoever can delete a principal of the spec must not keep a stranger in by that.
            refused = refused_for_principals(report)
            run = replace(run, refusals={one: run.refusals.get(one, 0) + 1 for one in refused})
            if report.result is not Result.CONFLICT and not refused:
                break
        return report, observation

    def _try(self, run: _Run, observation: Observation) -> tuple[_Run, RunReport, Observation]:
        plan = self._plan(run, observation)
        reason = self._reason_to_leave(run) if plan.changes else None
        if not plan.changes or reason:
            skipped = tuple(Skipped(change, reason or "") for change in plan.changes)
            report = self._report(run, plan, skipped, result_without_writes(plan), observation)
            is_known = self._is_told(run, report) or _call_of(run.cause) is not None
            if is_known:
                report = _explained(report, run.spec, observation)
            run = self._announce(run, report)
            # What people are told of or asked for they can look up; any other look leaves no entry.
            return (self._close(run, report) if is_known else run), report, observation
        opened = OpenRun(run.id, run.cause, run.accepted.mode, plan, run.started_at)
        debts = planned_debts(plan, run.record.debts, self.clock.now() + self.cutoff_margin)
        self.state.open_run(run.lease, opened, debts)
        run = replace(run, record=replace(run.record, debts=debts))
        outcomes = apply_plan(plan, run.id, run.lease, documents=self.documents, state=self.state, switch=self.switch)
        found, observation = observation, self.documents.read(run.spec)
        now = self.clock.now()
        remaining = diff(run.spec, observation, now=now, debts=debts_to_verify(plan, debts), written_at=now)
        report = self._report(run, plan, outcomes, result_of(plan, outcomes, remaining, observation), observation)
        report = _explained(report, run.spec, found)
        # Announced before it is closed: a process that dies between the two announces it twice, never not at all.
        run = self._close(self._announce(run, report), report)
        if run.record.debts.sessions_before not in (None, debts.sessions_before):
            # It took so long to narrow the trust policy that sessions were opened after the cut-off that was planned.
            self._enqueue(run, [run.spec.target])
        return run, report, observation

    def _reason_to_leave(self, run: _Run) -> str | None:
        """Why nothing may be written now."""
        pause = run.record.pause
        if pause is not None and pause.is_on(self.clock.now()):
            return str(pause)
        return self.switch.reason_to_stop()

    def _close(self, run: _Run, report: RunReport) -> _Run:
        debts = remaining_debts(report, run.record.debts)
        self.state.close_run(run.lease, report, debts)
        written_at = report.finished_at if report.applied else run.record.written_at
        return replace(run, record=replace(run.record, open_run=None, debts=debts, written_at=written_at))

    def _plan(self, run: _Run, observation: Observation) -> Plan:
        circumstances = Circumstances(
            now=self.clock.now(),
            cutoff_margin=self.cutoff_margin,
            debts=run.record.debts,
            written_at=run.record.written_at,
            is_at_spec=lambda role: self._is_at_spec(run.accepted, role),
            refusals=run.refusals,
        )
        return make_plan(
            run.spec,
            observation,
            spec_version=run.accepted.version,
            mode=run.accepted.mode,
            circumstances=circumstances,
        )

    def _is_at_spec(self, accepted: CompiledSpec, role: Target) -> bool:
        spec = accepted.targets.get(role.key)
        return spec is not None and not diff(spec, self.documents.read(spec), now=self.clock.now())

    def _report(
        self, run: _Run, plan: Plan, outcomes: tuple[Outcome, ...], result: Result, observation: Observation
    ) -> RunReport:
        report = RunReport(
            run_id=run.id,
            cause=run.cause,
            mode=run.accepted.mode,
            result=result,
            plan=plan,
            outcomes=outcomes,
            started_at=run.started_at,
            finished_at=self.clock.now(),
            accounts=run.accepted.accounts,
            attempt=run.attempt.number,
            intruder=run.intruder,
        )
        will_be_retried = not run.attempt.is_last and is_retryable(report, observation)
        looks_afresh = run.tries_left > 0 and (result is Result.CONFLICT or bool(refused_for_principals(report)))
        if will_be_retried or looks_afresh:
            report = replace(report, final=bool(report.applied))
        else:
            report = replace(report, final=True, contested=times_contested(report, observed=OBSERVATIONS_AT_MOST))
        if result is Result.IN_SYNC and not plan.drifts and not run.intruder:
            return replace(report, severity=Severity.INFO)  # as the rules say, and most runs end here without them
        return _rated(report)

    def _announce(self, run: _Run, report: RunReport) -> _Run:
        """Tell people what is news; an intruder is told of once, however many tries a run needs."""
        if not self._is_told(run, report):
            return run
        self.alerts.publish(report)
        return replace(run, intruder=False)

    def _is_told(self, run: _Run, report: RunReport) -> bool:
        return report.final and is_news(report, run.record.reported)

    def _answer(self, run: _Run, report: RunReport, *, done: bool) -> None:
        """Tell whoever asked for the run, or for the one that woke this target, how it ended."""
        call_id = _call_of(run.cause)
        if call_id is not None:
            from ecr_warden.model.request import Answer  # noqa: PLC0415 - few runs were asked for

            self.calls.answer(call_id, Answer(str(run.spec.target), report.run_id, report.result, done))

    def _enqueue(self, run: _Run, targets: Iterable[Target]) -> None:
        # A run's own id, for the queue drops a second job with the same cause and target; the root joins the messages.
        cause = Cause(CauseKind.RUN, run.id, at=self.clock.now().isoformat(), root=run.cause.incident)
        self.jobs.enqueue(ReconcileTarget(cause, target) for target in targets)


def _rated(report: RunReport) -> RunReport:
    """The report with its severity: rated once, with all that the run saw."""
    from ecr_warden.alerting.severity import severity  # noqa: PLC0415 - most runs find nothing

    return replace(report, severity=severity(report, known_accounts=report.accounts))


def _explained(report: RunReport, spec: TargetSpec, found: Observation) -> RunReport:
    """The report with what the documents that were found gave and lacked.

    After everything was written and verified: the answer changes nothing, and may take its time.
    """
    from ecr_warden.planning.explain import Explainer  # noqa: PLC0415 - most runs have nothing to explain

    return replace(report, plan=Explainer(_EXPLAINING_SECONDS)(report.plan, spec, found))


def _call_of(cause: Cause) -> str | None:
    """The command that a run goes back to."""
    kind, _, call_id = cause.incident.partition("/")
    return call_id if kind == CauseKind.CALLER else None
