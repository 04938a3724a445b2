"""A process that dies between any two calls of a port, and the redelivered job."""

from datetime import timedelta

import pytest

from ecr_warden.core.observed import Present, Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Failed
from ecr_warden.core.sessions import Sessions, denied_by
from ecr_warden.core.target import Target
from ecr_warden.repair.cutoff import LOOK_MARGIN
from ecr_warden.state.own_runs import LONGEST_RUN
from iam_access.document.document import Document
from local.testing.seed import (
    CHECKOUT,
    CUTOFF,
    D1,
    D2,
    D3,
    MORE_TRUST,
    NOW,
    PUSHER,
    allow,
    desired,
    document,
)
from tests.usecases.broken import BROKEN
from tests.usecases.world import Crash, Fuse, World, expect, world_in_sync

LONGER_THAN_A_LEASE = timedelta(minutes=10)


def _repository() -> World:
    world = world_in_sync()
    world.put(D1, document(allow("ecr:*", who="*")))
    return world


def test_a_document_that_crashes_the_engine_does_not_keep_an_interrupted_run_open() -> None:
    world = _repository()
    dies_after_a_write(world, 1, CHECKOUT)
    assert world.state.remembered[CHECKOUT.key].open_run is not None
    world.documents.live[D1] = BROKEN
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert world.state.remembered[CHECKOUT.key].open_run is None
    assert world.live(D1) == desired(D1)


def test_a_run_that_died_between_its_writes_is_reported_as_interrupted() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(D3, document(allow("ecr:PutImage", "iam:*")))
    dies_after_a_write(world, 2)
    world.clock.advance(LONGER_THAN_A_LEASE)
    world.run(PUSHER)
    first, second = world.reports
    assert (first.result, second.result) == (Result.INTERRUPTED, Result.CONVERGED)
    assert sum(isinstance(outcome, Applied) for outcome in first.outcomes) == 2
    assert first.run_id != second.run_id


CHANGED_SINCE: dict[str, Present | Unparseable] = {
    "another policy": Present(document(allow("ecr:BatchGetImage", who="*")), "another"),
    "no policy at all": Unparseable("it is not JSON", "{", "broken"),
}


@pytest.mark.parametrize("name", CHANGED_SINCE)
def test_whether_a_run_that_died_wrote_what_somebody_changed_since_is_not_known(name: str) -> None:
    world = _repository()
    dies_after_a_write(world, 1, CHECKOUT)
    world.documents.live[D1] = CHANGED_SINCE[name]
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.run(CHECKOUT) is Result.CONVERGED
    [outcome] = world.reports[0].outcomes
    assert expect(Failed, outcome).code == "changed-since"


def test_the_sweep_finds_an_interrupted_run_on_a_target_in_sync() -> None:
    world = _repository()
    dies_after_a_write(world, 1, CHECKOUT)
    assert world.live(D1) == desired(D1)
    assert world.reports == []
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.sweep() == (CHECKOUT,)
    world.drain()
    assert [report.result for report in world.reports] == [Result.INTERRUPTED]
    assert world.sweep() == ()


def test_sessions_are_ended_although_the_process_died_right_after_the_trust_policy() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    dies_after_a_write(world, 1)
    assert world.live(D2) == desired(D2)
    assert world.live(CUTOFF) is None
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.sweep() == (PUSHER,)
    world.drain()
    live = expect(Document, world.live(CUTOFF))
    # When the first run wrote is not known: by then it had lost its lease. Sessions opened since go on.
    assert denied_by(live) == Sessions(NOW + LONGEST_RUN, since=NOW - LOOK_MARGIN)
    assert [report.plan.drifts for report in world.reports][1:] == [()], "nobody else took anything away"


def dies_after_a_write(world: World, number: int, target: Target = PUSHER) -> None:
    """Run a target and let the process die with its `number`-th write done, at its next call about a document."""

    def die(_: Target, _change: Change | None) -> None:
        if len(world.writes) == number:
            raise Crash

    world.documents.faults = die
    with pytest.raises(Crash):
        world.run(target, fuse=Fuse())
    world.recover()
