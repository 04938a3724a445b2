"""A process that dies between any two calls of a port, and the redelivered job."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.plan import Change
from ecr_warden.core.run import Applied, Result
from ecr_warden.core.sessions import Sessions, denied_by
from ecr_warden.core.target import Target
from ecr_warden.repair.cutoff import LOOK_MARGIN
from ecr_warden.repair.results import LONGEST_RUN
from iam_access.document.document import Document
from local.testing.seed import (
    CHECKOUT,
    CI,
    CUTOFF,
    D1,
    D2,
    D3,
    EVERYTHING,
    MORE_TRUST,
    NOW,
    OPEN_TRUST,
    PUSH_USER,
    PUSHER,
    ROLE,
    allow,
    desired,
    document,
)
from tests.usecases.broken import BROKEN
from tests.usecases.world import Crash, Fuse, World, bare_world, world_in_sync

LONGER_THAN_A_LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Scene:
    """A world in trouble and the target whose run dies."""

    target: Target
    make: Callable[[], World]


def _repository() -> World:
    world = world_in_sync()
    world.put(D1, document(allow("ecr:*", who="*")))
    return world


def _opened_role() -> World:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(identity_policy(PUSHER, "extra"), EVERYTHING)
    world.put(D3, document(allow("ecr:PutImage", "iam:*")))
    return world


def _role_turned_over() -> World:
    world = world_in_sync()
    world.put(D2, OPEN_TRUST)
    world.put(D3, document(allow("ecr:PutImage", "iam:*")))
    return world


def _reopened_sessions() -> World:
    world = _role_turned_over()
    world.run(PUSHER)
    world.drain()
    world.documents.remove(CUTOFF)
    world.forget()
    return world


def _deleted_role() -> World:
    world = world_in_sync()
    world.documents.remove(ROLE)
    return world


def _marked_repository() -> World:
    world = world_in_sync()
    world.state.mark_recreated(CHECKOUT, f"arn:aws:iam::{CI}:user/pull-user-1")
    return world


def _recreated_user() -> World:
    world = world_in_sync()
    world.documents.unmake(PUSH_USER)
    world.documents.make(PUSH_USER)
    return world


AN_OPEN_ROLE = "an open role"
SCENES = {
    "an open repository": Scene(CHECKOUT, _repository),
    AN_OPEN_ROLE: Scene(PUSHER, _opened_role),
    "a role that is not ecr-warden's": Scene(PUSHER, _role_turned_over),
    "a role whose ended sessions live again": Scene(PUSHER, _reopened_sessions),
    "a deleted role": Scene(PUSHER, _deleted_role),
    "no role yet": Scene(PUSHER, bare_world),
    "a repository to be written again": Scene(CHECKOUT, _marked_repository),
    "a recreated user": Scene(PUSH_USER, _recreated_user),
}


def _calls(scene: Scene) -> int:
    fuse = Fuse()
    scene.make().run(scene.target, fuse=fuse)
    assert fuse.calls
    return fuse.calls


CASES = [
    pytest.param(
        scene,
        at,
        after,
        id=f"{name}, {'after' if after else 'before'} call {at}",
        marks=[] if name == AN_OPEN_ROLE else [pytest.mark.thorough],
    )
    for name, scene in SCENES.items()
    for at in range(1, _calls(scene) + 1)
    for after in (False, True)
]


def _settled(world: World) -> list[str]:
    return [line for line in world.differing() if not line.endswith(CUTOFF.name)]


@pytest.mark.parametrize(("scene", "at", "after"), CASES)
def test_wherever_a_process_dies_the_next_run_finishes_and_reports_everything(
    scene: Scene, at: int, after: bool
) -> None:
    world = scene.make()
    trust_was_open = world.live(D2) in (MORE_TRUST, OPEN_TRUST) or scene.make is _reopened_sessions
    with pytest.raises(Crash):
        world.run(scene.target, fuse=Fuse(at=at, after=after))
    world.clock.advance(LONGER_THAN_A_LEASE)
    world.run(scene.target)
    world.drain()
    # What the dead process did not enqueue, the sweep does.
    world.sweep()
    world.drain()
    assert _settled(world) == []
    assert world.sweep() == ()
    applied = [o.change for report in world.reports for o in report.outcomes if isinstance(o, Applied)]
    assert all(write in applied for write in world.writes), "a repair was silent"
    assert all(record.open_run is None for record in world.state.remembered.values())
    if trust_was_open:
        live = world.live(CUTOFF)
        assert isinstance(live, Document)
        denied, debts = denied_by(live), world.state.remembered[PUSHER.key].debts
        assert denied is not None and debts.sessions is not None
        assert debts.sessions_ended
        assert debts.sessions.before > NOW
        assert denied.covers(debts.sessions)


@pytest.mark.thorough
@pytest.mark.parametrize("name", SCENES)
def test_a_process_may_die_twice(name: str) -> None:
    scene = SCENES[name]
    for at in range(1, _calls(scene) + 1):
        world = scene.make()
        for later in range(2):
            with suppress(Crash):
                world.run(scene.target, fuse=Fuse(at=at + later, after=bool(later)))
            world.clock.advance(LONGER_THAN_A_LEASE)
        world.run(scene.target)
        world.drain()
        world.sweep()
        world.drain()
        assert _settled(world) == []


def test_a_document_that_crashes_the_engine_does_not_keep_an_interrupted_run_open() -> None:
    left_open = 0
    for at in range(1, _calls(SCENES["an open repository"]) + 1):
        world = _repository()
        with suppress(Crash):
            world.run(CHECKOUT, fuse=Fuse(at=at, after=True))
        left_open += world.state.remembered[CHECKOUT.key].open_run is not None if world.state.remembered else 0
        world.documents.live[D1] = BROKEN
        world.clock.advance(LONGER_THAN_A_LEASE)
        assert world.run(CHECKOUT) is Result.CONVERGED
        assert world.state.remembered[CHECKOUT.key].open_run is None
        assert world.live(D1) == desired(D1)
    assert left_open


def test_a_run_that_died_between_its_writes_is_reported_as_interrupted() -> None:
    world = _opened_role()
    dies_after_a_write(world, 2)
    world.clock.advance(LONGER_THAN_A_LEASE)
    world.run(PUSHER)
    first, second = world.reports
    assert (first.result, second.result) == (Result.INTERRUPTED, Result.CONVERGED)
    assert sum(isinstance(outcome, Applied) for outcome in first.outcomes) == 2
    assert first.run_id != second.run_id


def test_the_sweep_finds_an_interrupted_run_on_a_target_in_sync() -> None:
    world = _repository()
    fuse = Fuse()
    world.documents.faults = lambda _target, change: _die_on_verifying(world, change is None)
    with pytest.raises(Crash):
        world.run(CHECKOUT, fuse=fuse)
    world.recover()
    assert world.live(D1) == desired(D1)
    assert world.reports == []
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.sweep() == (CHECKOUT,)
    world.drain()
    assert [report.result for report in world.reports] == [Result.INTERRUPTED]
    assert world.sweep() == ()


def _die_on_verifying(world: World, reads: bool) -> None:
    if reads and world.writes:
        raise Crash


def test_sessions_are_ended_although_the_process_died_right_after_the_trust_policy() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    dies_after_a_write(world, 1)
    assert world.live(D2) == desired(D2)
    assert world.live(CUTOFF) is None
    world.clock.advance(LONGER_THAN_A_LEASE)
    assert world.sweep() == (PUSHER,)
    world.drain()
    live = world.live(CUTOFF)
    assert isinstance(live, Document)
    # When the first run wrote is not known: by then it had lost its lease. Sessions opened since go on.
    assert denied_by(live) == Sessions(NOW + LONGEST_RUN, since=NOW - LOOK_MARGIN)
    assert [report.plan.drifts for report in world.reports][1:] == [()], "nobody else took anything away"


def dies_after_a_write(world: World, number: int) -> None:
    """Run the push role and let the process die with its `number`-th write done."""

    def die(_: Target, change: Change | None) -> None:
        if change is not None and len(world.writes) == number:
            raise Crash

    world.documents.faults = die
    fuse = Fuse()
    with pytest.raises(Crash):
        world.run(PUSHER, fuse=fuse)
    world.recover()
