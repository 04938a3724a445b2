"""A spec that removes all access, its jobs run in any order, some of them failing: docs/adr/0011."""

from itertools import permutations

import pytest
from ecr_warden.model.address import Address
from ecr_warden.model.job import ReconcileTarget
from ecr_warden.model.observed import LiveValue, Present
from ecr_warden.model.plan import Change
from ecr_warden.model.target import Target, UserTarget
from ecr_warden.ports.errors import AccountUnreachable

from local.testing.seed import CHECKOUT, CI, PULL_USER, PUSH_USER, PUSHER
from tests.usecases.uploads import TEXT, enqueued, first, upload
from tests.usecases.world import World

NOTHING = TEXT[: TEXT.index("    pull:")] + "settings: {mode: enforce}\n"
PULL_USER_2 = UserTarget(CI, "pull-user-2")
TARGETS = (CHECKOUT, PUSHER, PULL_USER, PULL_USER_2, PUSH_USER)


def taken_away() -> World:
    """Everything is as the old version says; the new one is accepted and its jobs wait."""
    world = first()
    for owner in (CHECKOUT, PULL_USER, PULL_USER_2, PUSH_USER):
        world.documents.make(owner)
    world.sweep()
    world.drain()
    assert not world.differing()
    world.forget()
    upload(world, NOTHING, "v2")
    return world


def live(world: World) -> dict[Address, LiveValue]:
    return {address: seen.value for address, seen in world.documents.live.items() if isinstance(seen, Present)}


def test_the_registrys_side_is_sent_first() -> None:
    assert enqueued(taken_away()) == [target.key for target in TARGETS]


@pytest.mark.parametrize("order", list(permutations(range(len(TARGETS)))), ids=str)
def test_no_order_of_runs_adds_access_and_every_order_ends_the_same(order: tuple[int, ...]) -> None:
    world = taken_away()
    jobs = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    before = live(world)
    for index in order:
        world.reconcile()(jobs[index])
        now = live(world)
        assert now.items() <= before.items(), "a document that is new or another one"
        before = now
    assert before == {}
    assert PUSHER not in world.documents.owners


@pytest.mark.parametrize("broken", TARGETS, ids=str)
def test_a_failing_target_does_not_stop_others_from_losing_access(broken: Target) -> None:
    world = taken_away()

    def fault(target: Target, _: Change | None) -> None:
        if target == broken:
            raise AccountUnreachable("no way in")

    world.documents.faults = fault
    world.drain()
    assert {address.target for address in live(world)} == {broken}
    world.documents.faults = lambda _target, _change: None
    world.sweep()
    world.drain()
    assert live(world) == {}
