"""Who opened a target, since when, and who ended it: what the message on its repair says, at any later time."""

from datetime import timedelta

import pytest

from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import Cause, CauseKind, ReconcileTarget, short_name
from ecr_warden.core.result import Result
from ecr_warden.notify.kinds import message_of
from ecr_warden.state.commands import PauseUntil, Resume
from iam_access.text.printable import show_time
from local.testing.seed import CHECKOUT, D1, NOW
from tests.usecases.hub import ALICE
from tests.usecases.test_pauses import give
from tests.usecases.world import MALLORY, OPEN, World, failing, world_in_sync

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ASKED = Cause(CauseKind.CALLER, "c-9", "reconcile", actor=ALICE)
TAGGED = Cause(CauseKind.EVENT, "e-tag", "ecr:TagResource", actor=ALICE)


def called(at: timedelta) -> Cause:
    """A call of mallory's that opens the repository."""
    return Cause(CauseKind.EVENT, f"e-{at}", "ecr:SetRepositoryPolicy", (NOW + at).isoformat(), actor=MALLORY)


def run(world: World, cause: Cause) -> Result | None:
    return world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


def fields(world: World) -> dict[str, str]:
    return {one.label: one.text for one in message_of([world.announced[-1]]).fields}


def test_who_ended_a_pause_did_not_open_what_it_left() -> None:
    world = world_in_sync()
    give(world, PauseUntil("command-1", (CHECKOUT,), "a migration", NOW + HOUR))
    world.put(D1, OPEN)
    assert run(world, called(MINUTE)) is Result.REPORTED
    world.clock.advance(30 * MINUTE)
    assert run(world, TAGGED) is Result.REPORTED, "somebody else's call that wrote no document"
    give(world, Resume("command-2", (CHECKOUT,)))
    assert run(world, ASKED) is Result.CONVERGED
    said = fields(world)
    assert said["By"].startswith(f"session {MALLORY.session_name} " if MALLORY.session_name else MALLORY.arn)
    assert "ecr:SetRepositoryPolicy" in said["By"]
    assert said["Ended by"].startswith("command reconcile by ")
    assert f"make sure that {short_name(MALLORY)} may not do it again" in said["To do"]
    assert f"between {show_time(NOW + MINUTE)} and {show_time(world.clock.now())}" in said["To do"]
    assert message_of([world.announced[-1]]).lasted == "after 29 min"


def test_a_repair_that_failed_is_ended_by_the_tick_that_succeeds_and_not_opened_by_it() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    failing(world, PermissionMissing("denied"), times=1)
    assert run(world, called(-MINUTE / 2)) is Result.FAILED
    world.clock.advance(HOUR)
    assert run(world, Cause(CauseKind.SWEEP, "s-9")) is Result.CONVERGED
    said = fields(world)
    assert "ecr:SetRepositoryPolicy" in said["By"]
    assert said["Ended by"] == "sweep"
    assert message_of([world.announced[-1]]).lasted == "after 1 h 30 s"


def test_without_an_event_the_window_begins_at_the_last_look_in_sync() -> None:
    world = world_in_sync()
    world.sweep()
    swept = world.clock.now()
    world.clock.advance(HOUR)
    world.put(D1, OPEN)
    world.sweep()
    world.drain()
    said, message = fields(world), message_of([world.announced[-1]])
    assert said["By"].startswith("unknown: ")
    assert f"between {show_time(swept)} and {show_time(world.clock.now())}" in said["To do"]
    assert message.lasted == "", "nobody knows how long"


@pytest.mark.parametrize("early", [timedelta(), timedelta(seconds=2)], ids=["in the same second", "by a clock ahead"])
def test_no_repair_takes_less_than_a_second(early: timedelta) -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    run(world, called(early))
    assert message_of([world.announced[-1]]).lasted == "after 1 s"


def test_what_is_over_is_forgotten() -> None:
    world = world_in_sync()
    for at in (timedelta(), HOUR):
        world.put(D1, OPEN)
        run(world, called(at))
        world.clock.advance(HOUR)
    assert [one.opened.by for one in world.announced] == [called(timedelta()), called(HOUR)]
    assert world.state.remembered[CHECKOUT.key].opened is None
