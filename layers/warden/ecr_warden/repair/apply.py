"""Applying a plan as it is, deciding nothing; and what an interrupted run had applied."""

from collections.abc import Sequence
from datetime import datetime

from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import DocumentConflict, PortError
from ecr_warden.core.observed import Absent, Observation, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.core.plan import Change, NewRole
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Conflict, Failed, OpenRun, Outcome, RunReport, Skipped
from ecr_warden.repair.documents import Documents, Writer
from ecr_warden.repair.hard_documents import decided
from ecr_warden.repair.ordering import gains
from ecr_warden.state.state import Lease, State
from ecr_warden.state.switch import Switch
from iam_access.document.document import Document
from iam_access.equivalent.canonical import equivalent

LEASE_LOST = "another run has taken over the target"


def apply_plan(
    run: OpenRun, lease: Lease, *, documents: Documents, state: State, switch: Switch
) -> tuple[Outcome, ...]:
    """Write the changes of a run's plan in order, checking stop switch and lease just before each.

    After a failure, changes that only remove access are still written and none that adds any; after a conflict, none.
    """
    try:
        writer = documents.writer(run.plan, run.run_id)
    except PortError as error:
        return tuple(_failed(change, error) for change in run.plan.changes)
    outcomes: list[Outcome] = []
    for change in run.plan.changes:
        reason = _reason_to_skip(change, outcomes) or switch.reason_to_stop()
        reason = reason or (None if state.holds(lease) else LEASE_LOST)
        outcomes.append(Skipped(change, reason) if reason else _write(writer, change))
    return tuple(outcomes)


def _reason_to_skip(change: Change, outcomes: list[Outcome]) -> str | None:
    if any(isinstance(outcome, Conflict) for outcome in outcomes):
        return "the target changed while it was being written"
    if gains(change) and any(isinstance(outcome, Failed | Skipped) for outcome in outcomes):
        return "no access is added after a change that was not made"
    return None


def _write(writer: Writer, change: Change) -> Outcome:
    try:
        writer.write(change)
    except DocumentConflict:
        return Conflict(change)
    except PortError as error:
        return _failed(change, error)
    return Applied(change)


def _failed(change: Change, error: PortError) -> Failed:
    return Failed(change, error.code, error.message, error.retryable, error.remedy)


def verified(outcomes: tuple[Outcome, ...], seen: Observation) -> tuple[Outcome, ...]:
    """The outcomes, with each failed write as applied that took effect all the same: an answer can get lost.

    `seen`: the verifying read. Where others were skipped because of it, it stays failed, and the job is retried.
    """
    if any(isinstance(outcome, Skipped) for outcome in outcomes):
        return outcomes
    return tuple(
        Applied(outcome.change)
        if isinstance(outcome, Failed) and outcome.retryable and _is_live(outcome.change, seen)
        else outcome
        for outcome in outcomes
    )


def may_have_written(outcomes: Sequence[Outcome], seen: Observation) -> bool:
    """Whether a run has written, as far as its answers and the verifying read show."""
    return any(
        isinstance(outcome, Applied)
        or (isinstance(outcome, Failed) and outcome.retryable and _may_be_live(outcome.change, seen))
        for outcome in outcomes
    )


def _may_be_live(change: Change, seen: Observation) -> bool:
    return isinstance(seen.documents.get(change.address), Unreadable) or _is_live(change, seen)


def report_of_interrupted(run: OpenRun, observation: Observation, now: datetime) -> RunReport:
    """The report of a run whose process died, from what the live documents show of its writes."""
    changes = run.plan.changes

    def outcome_by(seen: Observation, index: int) -> Outcome:
        change = changes[index]
        match seen.documents.get(change.address):
            case Unreadable(error=error):
                # It may have been written, and nobody would hear of it if it counted as skipped.
                return Failed(
                    change, error.code, "the process died, and whether this was written cannot be read", retryable=True
                )
            case _ if _was_written(changes[index:], seen):
                return Applied(change)
            case Present(digest=digest) | Unparseable(digest=digest) if digest != change.expect:
                return Failed(
                    change,
                    "changed-since",
                    "the process died, and somebody changed it since: whether this was written is not known",
                    retryable=True,
                )
            case _:
                return Skipped(change, "the run was interrupted")

    return RunReport(
        run_id=run.run_id,
        cause=run.cause,
        mode=run.mode,
        result=Result.INTERRUPTED,
        plan=run.plan,
        outcomes=decided(lambda seen: tuple(outcome_by(seen, index) for index in range(len(changes))), observation),
        started_at=run.started_at,
        finished_at=now,
    )


def _was_written(changes: Sequence[Change], observation: Observation) -> bool:
    """Whether the first change, or a later one of the same address, is what AWS returns."""
    return any(_is_live(change, observation) for change in changes if change.address == changes[0].address)


def _is_live(change: Change, observation: Observation) -> bool:
    match change.after, observation.documents.get(change.address, Absent()):
        case None, Absent() | TargetMissing():
            return True
        case Document() as after, Present(Document() as live):
            return equivalent(after, live)
        case RoleSettings() as after, Present(RoleSettings() as live):
            return after == live
        case NewRole(), Present():
            return True
        case _:
            return False
