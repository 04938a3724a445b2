"""What must be true once nothing fails any more and one sweep has done its jobs."""

from collections.abc import Iterator
from datetime import timedelta

from ecr_warden.audit.finding import AUDITED_FOR
from ecr_warden.core.address import DENY_OLDER_SESSIONS
from ecr_warden.core.job import AcceptSpec, AuditAccess, Cause, CauseKind, FollowClock, ReconcileTarget, SweepAll
from ecr_warden.repair.alerts import OutcomeKind
from ecr_warden.repair.cutoff import pre_image
from tests.prove.wiring import Hub


def swept(hub: Hub) -> list[ReconcileTarget]:
    """Look at the spec and sweep everything, as the schedule has it, and do what that finds; returns that."""
    hub.world.clock.advance(timedelta(minutes=15))
    found: list[ReconcileTarget] = []
    cause = Cause(CauseKind.SWEEP, f"sweep-{next(hub.world.ids)}")
    hub.send(FollowClock(cause))
    hub.send(AcceptSpec(cause))
    hub.send(SweepAll(cause))

    def look() -> None:
        found.extend(one.job for one in hub.waiting if isinstance(one.job, ReconcileTarget))

    hub.settle(look)
    return found


def audited_again(hub: Hub) -> None:
    """An audit that ended its process twice is tried again after a while."""
    last = hub.world.audits.last()
    if last is not None and last.failure:
        hub.world.clock.advance(AUDITED_FOR)
        hub.send(AuditAccess(Cause(CauseKind.SWEEP, f"sweep-{next(hub.world.ids)}")))
        hub.settle()


def unsettled(hub: Hub) -> Iterator[str]:
    """What differs from the spec after a sweep, and what a second one finds."""
    world, before = hub.world, len(hub.written)
    differing = world.differing()
    again = swept(hub)
    yield from (f"not as the spec says: {line}" for line in differing if DENY_OLDER_SESSIONS not in line)
    yield from (f"the second sweep sends {job.target} again" for job in again)
    yield from (f"the second sweep writes {one.change.address}" for one in hub.written[before:])
    yield from (f"a run of {key} is still open" for key, record in world.state.remembered.items() if record.open_run)


def unreported(hub: Hub) -> Iterator[str]:
    """Writes that no alert has."""
    heard_of = (OutcomeKind.APPLIED, OutcomeKind.NARROWED, OutcomeKind.FAILED)
    reported = {
        (run.run_id, change.operation, change.address)
        for run in hub.world.announced
        for change in run.changes
        if change.outcome in heard_of
    }
    for one in hub.written:
        if (one.run_id, one.change.operation, one.change.address) not in reported:
            yield f"nobody heard of the write of {one.change.address} by {one.run_id}"


def unjournalled(hub: Hub) -> Iterator[str]:
    """Writes of which the journal lacks the plan, the pre-image or the end."""
    state = hub.world.state
    for run_id, _, change, before in hub.written:
        opened = state.opened.get((change.address.target.key, run_id))
        if opened is None or change not in opened.plan.changes:
            yield f"the journal has no plan of {run_id} with the write of {change.address}"
        elif change.before != pre_image(before)[0]:
            yield f"the journal has another pre-image of {change.address} in {run_id}"
        elif (change.address.target.key, run_id) not in state.closed:
            yield f"the journal does not say how {run_id} ended"
