"""A run whose process died between its first write and its report: what did it do?"""

from collections.abc import Sequence
from datetime import datetime

from ecr_warden.model.desired import RoleSettings
from ecr_warden.model.observed import Absent, Observation, OwnerMissing, Present
from ecr_warden.model.outcome import Applied, Outcome, Result, RunReport, Skipped
from ecr_warden.model.plan import Change, NewRole
from ecr_warden.model.run import OpenRun
from ecr_warden.planning.guardrails import decided
from ecr_warden.policy.document import Document
from ecr_warden.policy.equivalence import Equivalent, equivalent


def report_of_interrupted(run: OpenRun, observation: Observation, now: datetime) -> RunReport:
    """What an interrupted run wrote, as far as the documents that stand there now tell."""
    changes = run.plan.changes

    def outcomes_by(seen: Observation) -> tuple[Outcome, ...]:
        return tuple(
            Applied(change) if _was_written(changes[index:], seen) else Skipped(change, "the run was interrupted")
            for index, change in enumerate(changes)
        )

    return RunReport(
        run_id=run.run_id,
        cause=run.cause,
        mode=run.mode,
        result=Result.INTERRUPTED,
        plan=run.plan,
        outcomes=decided(outcomes_by, observation),
        started_at=run.started_at,
        finished_at=now,
    )


def _was_written(changes: Sequence[Change], observation: Observation) -> bool:
    """Whether the first change stands, or a later one of its address, which was planned to follow it."""
    return any(_stands(change, observation) for change in changes if change.address == changes[0].address)


def _stands(change: Change, observation: Observation) -> bool:
    observed = observation.documents.get(change.address, Absent())
    match change.after, observed:
        case None, Absent() | OwnerMissing():
            return True
        case Document() as after, Present(Document() as live):
            return isinstance(equivalent(after, live), Equivalent)
        case RoleSettings() as after, Present(RoleSettings() as live):
            return after == live
        case NewRole(), Present():
            return True
        case _:
            return False
