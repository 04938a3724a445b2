"""One run of one target: read, plan, journal, write, verify, report.

Level-based: the event that caused a run names the target and decides nothing else, so a lost, late, duplicate or
forged event costs time at most.
"""

from collections.abc import Callable, Iterable
from copy import replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import RetryAtOnce, RetryLater
from ecr_warden.core.job import FIRST_AND_LAST, AcceptSpec, Attempt, Cause, CauseKind, ReconcileTarget, survey_of
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.lasting import Opened
from ecr_warden.core.metrics import Emit
from ecr_warden.core.observed import Observation
from ecr_warden.core.own_sessions import is_write_role
from ecr_warden.core.pause import pause_of
from ecr_warden.core.plan import Plan
from ecr_warden.core.queue import Jobs
from ecr_warden.core.result import Result
from ecr_warden.core.run import Debts, OpenRun, RunReport, Skipped
from ecr_warden.core.target import Target
from ecr_warden.repair.apply import apply_plan, report_of_interrupted, verified
from ecr_warden.repair.cutoff import going_on, noting_revocation, trust_look
from ecr_warden.repair.diff import diff
from ecr_warden.repair.documents import Documents
from ecr_warden.repair.fights import news, paced, recent, remembered
from ecr_warden.repair.missed_events import is_reported, with_event, with_reported
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.plan_facts import clean_look, complete_plan, last_seen_in_sync, opened_by
from ecr_warden.repair.planner import Facts, make_plan
from ecr_warden.repair.reporting import (
    TRIES,
    Ended,
    Run,
    announce,
    call_of,
    fight_alerts,
    is_published,
    measured,
    rated,
    report_of,
)
from ecr_warden.repair.results import (
    debts_to_verify,
    fingerprint,
    is_retryable,
    leaves_surplus,
    made_role,
    planned_debts,
    refused_documents,
    remaining_debts,
    result_of,
    result_without_writes,
)
from ecr_warden.repair.run_ended import left_by
from ecr_warden.repair.severity import lets_in
from ecr_warden.repair.targets import expected_of, nothing_asked, spec_for, targets_naming
from ecr_warden.state.accepted import AcceptedSpecs, SpecSuperseded
from ecr_warden.state.commands import CommandRecords, CommandResult
from ecr_warden.state.fight import Repairs
from ecr_warden.state.own_runs import own_run
from ecr_warden.state.state import Learned, State, TargetRecord
from ecr_warden.state.sweeps import SweepRecords, is_cleared
from ecr_warden.state.switch import Switch

_CLOCKS_APART = timedelta(seconds=1)
"""The queue's clock and the function's differ by less."""


class Reconcile(Struct, frozen=True):
    """The use case over its ports.

    `new_run_id` makes an ID of letters and digits.
    """

    specs: AcceptedSpecs
    documents: Documents
    state: State
    jobs: Jobs
    sweep_records: SweepRecords
    alerts: AlertBus
    switch: Switch
    command_records: CommandRecords
    clock: Clock
    new_run_id: Callable[[], str]
    emit: Emit
    cutoff_margin: timedelta
    """See repair.planner.Facts."""

    def reconcile(self, job: ReconcileTarget, attempt: Attempt = FIRST_AND_LAST) -> Result | None:
        """Reconcile the job's target; None for a target that the accepted spec has no part in.

        Of a burst of events each is judged, and one run reads what all of them changed that had come before it began.

        Raises LeaseHeld when another run works on it, and RetryLater for what may succeed within a minute, unless this
        is the last attempt: then it is reported as failed. Access that should be gone and may still be there has no
        last attempt: another job goes on, so that no number of tampers ends its removal.
        """
        accepted = self.specs.accepted()
        if accepted is None:
            return None
        cause, intruder = self._cause_of(job)
        spec = spec_for(job.target, accepted)
        if spec is None:
            if not intruder or job.target.account not in accepted.accounts:
                return None
            spec = nothing_asked(job.target)  # only this event shows an intruder, wherever they wrote
        run_id, started_at = self.new_run_id(), self.clock.now()
        lease, record = self.state.acquire(spec.target, run_id)
        learned = Learned(reported=record.reported, opened=record.opened)
        try:
            if is_cleared(spec.target, accepted, record, self.sweep_records.of):
                if not intruder:
                    return None
                spec = nothing_asked(spec.target)
            intruder = intruder and not is_reported(record.events, cause)
            learned = replace(learned, events=with_event(record.events, cause, started_at))
            if not intruder and _is_settled(job, attempt, record):
                return None if record.last is None else record.last.result
            observation = self.documents.read(spec)
            debts = noting_revocation(record.debts, observation, self.clock.now())
            record, learned = replace(record, debts=debts), replace(learned, revoked_until=debts.revoked_until)
            run = Run(run_id, cause, attempt, accepted, spec, lease, record, started_at, intruder, record)
            run = self._close_interrupted(run, observation)
            noted = observation if self._note_identity(run, observation) else None
            # Not before: a recreated identity is recognised by the unique ID that was last seen.
            learned = replace(learned, unique_id=None if noted is None else noted.unique_id)
            run, report, ended = self._converge(run, observation)
            if intruder and not run.intruder:
                learned = replace(learned, events=with_reported(learned.events or record.events, cause, started_at))
            self._wait_for_pace(run, report)
            learned = replace(learned, report=report, trust_look=trust_look(run.spec, ended.left, started_at))
            learned = self._learned(learned, run, report, ended, noted)
        finally:
            self.state.release(lease, learned)
        return self._follow_up(run, report, ended.after)

    def _learned(
        self, learned: Learned, run: Run, report: RunReport, ended: Ended, noted: Observation | None
    ) -> Learned:
        """What else the next run has to know; `noted`: the first reading, None if it was not noted for all."""
        differing = {drift.address for drift in ended.left}
        run = self._remember(run, recent(run.record.repairs, differing, self.clock.now()), report)
        is_noted = noted is not None and (ended.after.unique_id == noted.unique_id or made_role(report))
        removed = run.accepted.removed.get(run.spec.target.key)
        is_settled = not (is_retryable(report, ended.after) or leaves_surplus(report))
        return replace(
            learned,
            reported=fingerprint(report) if report.final else run.before.reported,
            opened=None if report.result.is_fine else left_by(report),
            unique_id=ended.after.unique_id if is_noted else None,
            revoked=removed.since if removed is not None and report.result.is_fine else None,
            repairs=run.record.repairs if run.record.repairs != run.before.repairs else None,
            taken=self._taken(run, report, ended.left),
            settled_at=run.started_at if is_settled else None,
        )

    def _follow_up(self, run: Run, report: RunReport, after: Observation) -> Result:
        """Enqueue what follows from the run, and answer who asked for it; raises RetryLater, as `reconcile` does."""
        was_in_trouble = run.before.reported is not None or run.before.open_run is not None
        if report.result is Result.CONVERGED or (report.result is Result.IN_SYNC and was_in_trouble):
            self._enqueue(run, run.spec.dependents)
        if report.final and fingerprint(report) not in (None, run.before.reported):
            # The record says to an audit what was left; the survey asks for one, as that of a change does.
            self.jobs.enqueue([survey_of(run.cause.followed_by(run.id, self.clock.now()), run.spec.target)])
        comes_again = not run.attempt.is_last and is_retryable(report, after)
        self._answer(run, report, done=not comes_again)
        at_once = leaves_surplus(report)
        if comes_again:
            raise (RetryAtOnce if at_once else RetryLater)(f"{run.spec.target}: {report.result}", retryable=True)
        if at_once:
            self._enqueue(run, [run.spec.target])
        return report.result

    def _cause_of(self, job: ReconcileTarget) -> tuple[Cause, bool]:
        """The cause to report, and whether its event came from a session of the write role that no run opened.

        Drift found after a write of our own is somebody else's: the event then names nobody.
        """
        actor = job.cause.actor
        if actor is None or not is_write_role(actor, account=job.target.account):
            return job.cause, False
        if own_run(self.state, job.target, job.cause) is None:
            return job.cause, True
        return replace(job.cause, action="", actor=None), False

    def _close_interrupted(self, run: Run, observation: Observation) -> Run:
        """Report and close a run of the target whose process died: no repair is silent."""
        open_run = run.record.open_run
        interrupted = None if open_run is None else self.state.load_run(run.spec.target, open_run)
        if interrupted is None:
            return run
        report = report_of_interrupted(interrupted, observation, self.clock.now())
        lives = going_on(run.spec, report.applied, run.record.debts, report.finished_at)
        report = rated(replace(report, accounts=run.accepted.accounts, goes_on=lives))
        announce(self.alerts, report)
        return self._close(run, report)

    def _note_identity(self, run: Run, observation: Observation) -> bool:
        """Have every document that names the identity written again, if it was recreated, and looked at, if it is gone.

        False when some of them cannot be listed now: its new unique ID must not be remembered then.
        """
        recreated = run.record.was_recreated(observation)
        # Deleted or renamed: documents show its unique ID or its new name. A sweep finds that by itself.
        if not recreated and not (run.cause.kind is CauseKind.EVENT and observation.is_missing):
            return True
        naming, are_all = targets_naming(run.spec.target, run.accepted, self.documents)
        for target, arn in naming if recreated else ():
            self.state.mark_recreated(target, arn)
        self._enqueue(run, (target for target, _ in naming))
        return are_all

    def _converge(self, run: Run, observation: Observation) -> tuple[Run, RunReport, Ended]:
        """Try until nobody else writes in between, or the tries are used up; every try is a run with its own ID."""
        first_id = run.id
        for number in range(1, TRIES + 1):
            one_try = replace(run, id=first_id if number == 1 else f"{first_id}x{number}", tries_left=TRIES - number)
            run, report, ended = self._try(one_try, observation)
            observation = ended.after
            # Deleting a principal that the spec names must not be a way to keep an outsider in.
            refused = refused_documents(report)
            run = replace(run, refusals={address: run.refusals.get(address, 0) + 1 for address in refused})
            if report.result is not Result.CONFLICT and not refused:
                break
        return run, report, ended

    def _taken(self, run: Run, report: RunReport, left: Iterable[Drift]) -> dict[str, str] | None:
        """What of the target is taken over now, if that is news; what had changed before is judged anew."""
        expected = expected_of(run.spec.target, run.accepted, run.record)
        if any(held.reason is HoldReason.MOVED for held in report.plan.held):
            self.jobs.enqueue([AcceptSpec(run.cause.followed_by(run.id, self.clock.now()), moved=run.spec.target)])
        open_ = {str(drift.address) for drift in left}
        done = {at: taken.since for at, taken in expected.items() if at not in open_}
        return {**run.record.taken, **done} if done else None

    def _remember(self, run: Run, repairs: tuple[Repairs, ...], report: RunReport) -> Run:
        """Remember repairs, and announce the fights that began and ended."""
        for alert in fight_alerts(run, news(run.record.repairs, repairs), report):
            self.alerts.publish(alert)
        return replace(run, record=replace(run.record, repairs=repairs))

    def _try(self, run: Run, observation: Observation) -> tuple[Run, RunReport, Ended]:
        """One plan, applied if that is allowed."""
        spec = as_observed(run.spec, observation)
        plan, facts = complete_plan(
            partial(make_plan, spec, observation, spec_version=run.accepted.version, mode=run.mode),
            self._facts(run),
            last_look=lambda: last_seen_in_sync(spec, run.record, self.sweep_records),
            is_in_sync=lambda role: self._is_in_sync(run.accepted, role),
        )
        reason = self._reason_not_to_write(run) if plan.changes else None
        writes = bool(plan.changes) and reason is None
        if writes:
            run, ended = self._write_and_verify(run, plan, planned_debts(plan, facts))
        else:
            skipped = tuple(Skipped(change, reason or "") for change in plan.changes)
            ended = Ended(skipped, result_without_writes(plan), observation, plan.drifts)
        clean = clean_look(spec, run.before, self.sweep_records) if plan.drifts else None
        opened = opened_by(run.cause, plan, run.before, clean) if plan.drifts else Opened()
        report = report_of(self._rolled_out(run, plan, observation, clean), plan, ended, self.clock.now(), opened)
        publishes = is_published(run, report)
        # Whatever was published or asked for can be looked up; a run with nothing to report leaves no entry.
        if not writes and not publishes and call_of(run.cause) is None:
            return run, report, ended
        if publishes:
            announce(self.alerts, report)
            run = replace(run, intruder=False)  # reported once, however many tries follow
        # Closed after it was published: a process that dies in between publishes twice rather than not at all.
        planned = run.record.debts.sessions
        run = self._close(run, report)
        if run.record.debts.sessions not in (None, planned):
            # Narrowing the trust policy took so long that sessions were opened after the planned cut-off.
            self._enqueue(run, [run.spec.target])
        return run, report, ended

    def _rolled_out(self, run: Run, plan: Plan, observation: Observation, looked: datetime | None) -> Run:
        """The run as it is reported: whether the accepted version brought about what it found, or somebody else.

        The version did where the documents are as the replaced version asked for, and no look shows that the accepted
        one was in effect. Somebody else did where an outsider gets in whom the replaced version did not let in, and a
        look shows that this one was in effect. It decides no write.
        """
        home = {run.spec.target.account, *run.accepted.accounts}
        if (
            not plan.drifts
            or run.intruder
            or (run.cause.rolls_out and not any(lets_in(one, home) for one in plan.drifts))
        ):
            return run
        own = replace(run, cause=replace(run.cause, root=f"{CauseKind.RUN}/{run.id}"))
        try:
            replaced = self.specs.replaced()
            older = None if replaced is None else spec_for(run.spec.target, replaced.spec)
            if replaced is None or older is None:
                return run
            before = diff(as_observed(older, observation), observation, now=run.started_at)
            if run.cause.rolls_out:
                stood = looked is not None and replaced.since < looked < replaced.at
                return replace(own, older=older) if stood and any(lets_in(one, home) for one in before) else run
            if all(at is None or at < replaced.at for at in (looked, run.before.written_at)):
                cause = Cause(CauseKind.SPEC, run.accepted.version)
                return replace(run, older=older) if before else replace(run, cause=cause)
        except Exception:  # an attacker may have written what cannot be compared: then it is not the version's
            return own if run.cause.rolls_out else run
        return run

    def _wait_for_pace(self, run: Run, report: RunReport) -> None:
        """Have the next tick give back what had to wait; noted once a minute, however often the document is written."""
        if any(held.reason is HoldReason.PACED for held in report.plan.held):
            minute = self.clock.now().replace(second=0, microsecond=0)
            self.state.wait(run.spec.target, minute + timedelta(minutes=1))

    def _facts(self, run: Run) -> Facts:
        return Facts(
            now=self.clock.now(),
            cutoff_margin=self.cutoff_margin,
            debts=run.record.debts,
            written_at=run.record.written_at,
            refusals=run.refusals,
            paced=paced(run.record.repairs, run.cause, self.clock.now()),
            expected={at: taken.live for at, taken in expected_of(run.spec.target, run.accepted, run.record).items()},
        )

    def _is_in_sync(self, accepted: CompiledSpec, role: Target) -> bool:
        spec = accepted.targets.get(role.key)
        if spec is None:
            return False
        observation = self.documents.read(spec)
        return not diff(as_observed(spec, observation), observation, now=self.clock.now())

    def _reason_not_to_write(self, run: Run) -> str | None:
        pause = pause_of(run.spec.target, run.record.pause, self.state.pattern_pauses(), self.clock.now())
        return self.switch.reason_to_stop() if pause is None else str(pause)

    def _write_and_verify(self, run: Run, plan: Plan, debts: Debts) -> tuple[Run, Ended]:
        self._check_spec(run)
        opened = OpenRun(run.id, run.cause, run.mode, plan, run.started_at)
        self.state.open_run(run.lease, opened, debts)
        run = replace(run, record=replace(run.record, debts=debts))
        outcomes = apply_plan(opened, run.lease, documents=self.documents, state=self.state, switch=self.switch)
        after = self.documents.read(run.spec)
        outcomes, now = verified(outcomes, after), self.clock.now()
        spec = as_observed(run.spec, after)
        remaining = diff(spec, after, now=now, debts=debts_to_verify(plan, debts), written_at=now)
        return run, Ended(outcomes, result_of(plan, outcomes, remaining, after), after, remaining)

    def _check_spec(self, run: Run) -> None:
        """Raises SpecSuperseded if another version was accepted since the run read it.

        Another run may have reconciled the target with that version before this one took the lease, and none can since.
        """
        accepted = self.specs.accepted()
        if accepted is None or accepted.version != run.accepted.version:
            raise SpecSuperseded(
                f"version {run.accepted.version} of the spec was superseded before {run.spec.target} was written",
                retryable=True,
            )

    def _close(self, run: Run, report: RunReport) -> Run:
        if report.applied:
            run = self._remember(run, remembered(run.record.repairs, report), report)
        debts = remaining_debts(report, run.record.debts)
        self.state.close_run(run.lease, report, debts)
        self.emit(measured(report))
        written_at = report.finished_at if report.applied else run.record.written_at
        return replace(run, record=replace(run.record, open_run=None, debts=debts, written_at=written_at))

    def _answer(self, run: Run, report: RunReport, *, done: bool) -> None:
        """Answer the command that asked for this run, or for the run that enqueued it."""
        call_id = call_of(run.cause)
        if call_id is not None:
            self.command_records.answer(
                call_id, CommandResult(str(run.spec.target), report.run_id, report.result, done)
            )

    def _enqueue(self, run: Run, targets: Iterable[Target]) -> None:
        # The run's own ID, for that is what caused them; the root joins the alerts.
        cause = run.cause.followed_by(run.id, self.clock.now())
        self.jobs.enqueue(ReconcileTarget(cause, target) for target in targets)


def _is_settled(job: ReconcileTarget, attempt: Attempt, record: TargetRecord) -> bool:
    """Whether a run has begun since the event reached the queue, and left nothing: it read what the event was about."""
    return (
        job.cause.kind is CauseKind.EVENT
        and record.open_run is None
        and attempt.sent is not None
        and record.settled_at is not None
        and attempt.sent + _CLOCKS_APART < record.settled_at
    )
