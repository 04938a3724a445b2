"""Many events for one target within seconds: a few runs, and each event is judged."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.job import Actor, Attempt, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.observed import Observation
from ecr_warden.core.result import Result
from ecr_warden.repair.documents import Documents
from local.testing.memory.hub import ManualClock
from local.testing.seed import CHECKOUT, D1
from tests.usecases.world import MALLORY, OPEN, World, world_in_sync, write_session

SECOND = timedelta(seconds=1)


class Slow:
    """Documents that take a second to read."""

    def __init__(self, documents: Documents, clock: ManualClock) -> None:
        self._documents, self._clock, self.readings = documents, clock, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._documents, name)

    def read(self, spec: TargetSpec) -> Observation:
        self._clock.advance(SECOND)
        self.readings += 1
        return self._documents.read(spec)


def test_two_hundred_events_within_two_seconds_lead_to_a_handful_of_runs_that_judge_each() -> None:
    world = world_in_sync()
    slow: Any = Slow(world.documents, world.clock)
    reconcile = replace(world.reconcile(), documents=slow)
    world.put(D1, OPEN)
    began = world.clock.now()
    for number in range(200):
        sent = began + number * timedelta(milliseconds=10)
        world.clock.time = max(world.clock.time, sent)
        actor = write_session("mallory", CHECKOUT) if number == 150 else MALLORY
        cause = Cause(CauseKind.EVENT, f"e-{number}", f"ecr:Call{number}", sent.isoformat(), actor=actor)
        reconcile.reconcile(ReconcileTarget(cause, CHECKOUT), Attempt(1, is_last=False, sent=sent))
    assert slow.readings <= 6
    assert [report.cause.id for report in world.reports] == ["e-0", "e-150"]
    assert [report.intruder for report in world.reports] == [False, True]
    assert {f"Call{number}" for number in range(200)} <= {*world.state.remembered[CHECKOUT.key].events}


def repaired(world: World) -> None:
    assert world.run(CHECKOUT) is Result.CONVERGED


def killed(world: World) -> None:
    repaired(world)
    world.state.remembered[CHECKOUT.key] = replace(world.state.remembered[CHECKOUT.key], open_run="r-killed")


def event(actor: Actor | None = MALLORY, kind: CauseKind = CauseKind.EVENT) -> Cause:
    return Cause(kind, "e-late", "ecr:SetRepositoryPolicy", actor=actor)


# What happened before, the job's cause, when it was sent before the last run began; and whether the target is read.
JOBS: dict[str, tuple[Callable[[World], None], Cause, timedelta | None, bool]] = {
    "an event that came before the run": (repaired, event(), 2 * SECOND, False),
    "an event that came as the run began": (repaired, event(), SECOND / 2, True),
    "an event that came later": (repaired, event(), -SECOND, True),
    "an event of which nobody knows when it came": (repaired, event(), None, True),
    "a job of a sweep": (repaired, event(None, CauseKind.SWEEP), 2 * SECOND, True),
    "an event before a run that was killed": (killed, event(), 2 * SECOND, True),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_target_is_not_read_again_for_what_a_run_has_read(name: str) -> None:
    before, cause, earlier, is_read = JOBS[name]
    world = world_in_sync()
    world.put(D1, OPEN)
    began = world.clock.now()
    before(world)
    world.clock.advance(timedelta(minutes=5))
    slow: Any = Slow(world.documents, world.clock)
    attempt = Attempt(1, is_last=False, sent=None if earlier is None else began - earlier)
    replace(world.reconcile(), documents=slow).reconcile(ReconcileTarget(cause, CHECKOUT), attempt)
    assert (slow.readings > 0) is is_read
