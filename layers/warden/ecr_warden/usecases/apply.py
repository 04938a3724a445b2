"""Carrying out a plan as it stands: applying decides nothing."""

from ecr_warden.model.outcome import Applied, Conflict, Failed, Outcome, Skipped
from ecr_warden.model.plan import Change, Plan
from ecr_warden.planning.ordering import gains
from ecr_warden.ports.documents import Documents, Writer
from ecr_warden.ports.errors import DocumentConflict, PortError
from ecr_warden.ports.state import Lease, State
from ecr_warden.ports.switch import Switch

LEASE_LOST = "another run has taken the target over"


def apply_plan(
    plan: Plan, run_id: str, lease: Lease, *, documents: Documents, state: State, switch: Switch
) -> tuple[Outcome, ...]:
    """Write a plan's changes in order, asking switch and lease just before each.

    After a failure what only takes away is still written, and nothing is widened; after a conflict nothing is.
    """
    try:
        writer = documents.writer(plan, run_id)
    except PortError as error:
        return tuple(_failed(change, error) for change in plan.changes)
    outcomes: list[Outcome] = []
    for change in plan.changes:
        reason = _reason_to_skip(change, outcomes) or _reason_to_stop(lease, state, switch)
        outcomes.append(Skipped(change, reason) if reason else _write(writer, change))
    return tuple(outcomes)


def _reason_to_skip(change: Change, outcomes: list[Outcome]) -> str | None:
    if any(isinstance(outcome, Conflict) for outcome in outcomes):
        return "the target changed while it was written"
    if gains(change) and any(isinstance(outcome, Failed | Skipped) for outcome in outcomes):
        return "nothing is widened after a change that was not made"
    return None


def _reason_to_stop(lease: Lease, state: State, switch: Switch) -> str | None:
    return switch.reason_to_stop() or (None if state.holds(lease) else LEASE_LOST)


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
