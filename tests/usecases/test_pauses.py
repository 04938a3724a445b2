"""The end of a pause is found at the next tick, and only what the pause still holds is woken."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.desired import Mode
from ecr_warden.core.job import CauseKind, ReconcileTarget, SweepAll
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.result import Result
from ecr_warden.hub.reply import CommandReply
from ecr_warden.hub.request import request_to_text
from ecr_warden.repair.alerts import PauseEnded, TargetsResumed
from ecr_warden.state.commands import Call, Command, PauseUntil, Resume
from ecr_warden.state.sweeps import GRANT_ENDS
from local.testing.seed import ACCEPTED, CHECKOUT, D1, NOW, PUSH_USER, PUSHER
from tests.usecases.hub import ALICE, HUB, commands_of
from tests.usecases.pattern_world import policy, settle, shop, world_of
from tests.usecases.world import OPEN, World, present, world_in_sync

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PAUSE = PauseUntil("command-1", (CHECKOUT,), "a migration", NOW + HOUR)


def give(world: World, command: Command) -> CommandReply:
    return commands_of(world).carry_out(request_to_text(command), "alice", HUB)


def ended(world: World) -> list[PauseEnded]:
    return [alert for alert in world.alerts.published if isinstance(alert, PauseEnded)]


def pass_time(world: World, by: timedelta) -> None:
    """Time passes, then comes a tick, and whatever is due is done."""
    world.clock.advance(by)
    world.tick()
    world.drain()


def paused(command: PauseUntil = PAUSE) -> World:
    world = world_in_sync()
    world.tick()
    give(world, command)
    world.forget()
    return world


def test_a_tamper_during_a_pause_is_repaired_at_its_end_without_a_sweep() -> None:
    world = paused()
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.REPORTED
    pass_time(world, HOUR - MINUTE)
    assert world.writes == []
    pass_time(world, MINUTE)
    assert not world.differing()
    assert world.reports[-1].result is Result.CONVERGED
    assert (world.reports[-1].cause.kind, world.reports[-1].cause.id) == (CauseKind.PAUSE, "command-1")
    assert world.reports[-1].cause.actor == ALICE


def test_the_end_of_a_pause_is_announced_once() -> None:
    world = paused()
    for _ in range(8):
        pass_time(world, HOUR / 4)
    assert [(alert.targets, alert.reason, alert.until) for alert in ended(world)] == [
        ((str(CHECKOUT),), "a migration", NOW + HOUR),
    ]
    assert {alert.cause.actor for alert in ended(world)} == {ALICE}


@pytest.mark.parametrize("lasts", [timedelta(seconds=5), 3 * DAY, 7 * DAY])
def test_of_a_pause_of_any_length_the_end_alone_is_announced(lasts: timedelta) -> None:
    world = paused(replace(PAUSE, until=NOW + lasts))
    for _ in range(7 * 4):
        pass_time(world, DAY / 4)
    assert len(ended(world)) == 1


def test_a_tick_that_died_is_made_up_for_by_the_next_one() -> None:
    world = paused()
    world.put(D1, OPEN)
    world.clock.advance(HOUR)
    record = present(world.sweep_records.of(GRANT_ENDS))
    world.tick()
    world.sweep_records.note(record)  # it died before it noted that it had looked
    world.tick()
    world.drain()
    assert len(world.writes) == 1
    assert not world.differing()


def test_a_pause_that_was_replaced_wakes_nothing_and_the_later_one_does() -> None:
    world = paused()
    give(world, PauseUntil("command-2", (CHECKOUT,), "it takes longer", NOW + 3 * HOUR))
    world.put(D1, OPEN)
    pass_time(world, HOUR)
    assert (ended(world), world.writes) == ([], [])
    pass_time(world, 2 * HOUR)
    assert not world.differing()
    assert [alert.cause.id for alert in ended(world)] == ["command-2"]


def test_only_what_a_pause_still_holds_is_announced_and_woken_at_its_end() -> None:
    world = paused(replace(PAUSE, targets=(CHECKOUT, PUSHER, PUSH_USER)))
    give(world, PauseUntil("command-2", (PUSH_USER,), "it takes longer", NOW + 3 * HOUR))
    give(world, Resume("command-3", (PUSHER,)))
    world.forget()
    world.clock.advance(HOUR)
    world.tick()
    assert [alert.targets for alert in ended(world)] == [(str(CHECKOUT),)]
    assert [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)] == [CHECKOUT]


def test_the_end_of_what_was_resumed_is_not_announced() -> None:
    world = paused()
    give(world, Resume("command-2", (CHECKOUT,)))
    world.forget()
    pass_time(world, HOUR)
    assert (world.alerts.published, world.documents.reads) == ([], 0)


def test_a_target_that_left_the_spec_meanwhile_is_neither_announced_nor_woken() -> None:
    world = paused(replace(PAUSE, targets=(CHECKOUT, PUSH_USER)))
    targets = {key: spec for key, spec in ACCEPTED.targets.items() if key != CHECKOUT.key}
    world.specs.compiled = replace(ACCEPTED, targets=targets)
    world.clock.advance(HOUR)
    world.tick()
    assert [alert.targets for alert in ended(world)] == [(str(PUSH_USER),)]
    assert [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)] == [PUSH_USER]


@pytest.mark.parametrize("recorded", [None, '{"schema": 9}'], ids=["nobody", "another version"])
def test_a_pause_that_this_version_did_not_record_wakes_nothing(recorded: str | None) -> None:
    world = world_in_sync()
    world.tick()
    if recorded is not None:
        world.command_records.record(Call("command-9", ALICE.arn, recorded, NOW))
    world.state.pause_patterns(PatternPause((), Pause("command-9", ALICE, "forged", NOW, NOW + HOUR)))
    pass_time(world, HOUR)
    assert (world.alerts.published, world.jobs.sent) == ([], [])


def test_in_observe_mode_the_end_is_announced_and_nothing_is_written() -> None:
    world = paused()
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)
    world.put(D1, OPEN)
    pass_time(world, HOUR)
    assert len(ended(world)) == 1
    assert world.writes == []


def of_pattern(pattern: str = "shop/*") -> World:
    """A world with `shop/a`, in which whatever fits the pattern is paused for an hour."""
    world = world_of("a")
    command = replace(PAUSE, targets=(shop("a"),), patterns=(pattern,))
    world.tick()
    give(world, command)
    world.forget()
    return world


def create(world: World, name: str) -> None:
    """A repository that lets anybody in comes to be."""
    world.documents.make(shop(name))
    world.put(policy(name), OPEN)


COMES_TO_FIT = {
    "its pattern": ("shop/*", Result.REPORTED),
    "another pattern that it fits": ("*/ne?", Result.REPORTED),
    "everything": ("all", Result.REPORTED),
    "a pattern that it does not fit": ("shop/a*", Result.CONVERGED),
    "a pattern that fits only a part of its name": ("hop/*", Result.CONVERGED),
    "another target": (str(shop("a")), Result.CONVERGED),
}


@pytest.mark.parametrize("name", COMES_TO_FIT)
def test_a_repository_created_during_a_pause_is_paused_if_it_fits(name: str) -> None:
    pattern, result = COMES_TO_FIT[name]
    world = of_pattern(pattern)
    create(world, "new")
    assert world.run(shop("new")) is result


def test_what_came_to_fit_is_repaired_at_the_end_of_the_pause() -> None:
    world = of_pattern()
    create(world, "new")
    pass_time(world, HOUR - MINUTE)
    assert world.writes == []
    world.clock.advance(MINUTE)
    world.tick()
    assert SweepAll in map(type, world.jobs.sent)
    settle(world)
    assert world.live(policy("new")) != OPEN
    assert [alert.patterns for alert in ended(world)] == [("shop/*",)]


LATEST_WORD = {
    "resume of the target": ((Resume("command-2", (shop("new"),)),), Result.CONVERGED),
    "resume of the pattern": ((Resume("command-2", (shop("a"),), ("shop/*",)),), Result.CONVERGED),
    "resume of everything": ((Resume("command-2", (shop("a"),), ("all",)),), Result.CONVERGED),
    "resume of a wider pattern": ((Resume("command-2", (shop("a"),), ("sh*",)),), Result.CONVERGED),
    "resume of another target": ((Resume("command-2", (shop("a"),)),), Result.REPORTED),
    "resume, and pause of the pattern again": (
        (
            Resume("command-2", (shop("new"),)),
            PauseUntil("command-3", (shop("a"),), "again", NOW + 2 * HOUR, ("shop/*",)),
        ),
        Result.REPORTED,
    ),
    "a longer pause of the pattern": (
        (PauseUntil("command-2", (shop("a"),), "longer", NOW + 3 * HOUR, ("shop/*",)),),
        Result.REPORTED,
    ),
}


@pytest.mark.parametrize("name", LATEST_WORD)
def test_of_all_commands_that_concern_a_target_the_latest_decides(name: str) -> None:
    commands, result = LATEST_WORD[name]
    world = of_pattern()
    create(world, "new")
    for command in commands:
        world.clock.advance(MINUTE)
        give(world, command)
    assert world.run(shop("new")) is result


def test_the_end_of_a_pattern_that_was_resumed_is_not_announced() -> None:
    world = of_pattern()
    world.clock.advance(MINUTE)
    give(world, Resume("command-2", (shop("a"),), ("shop/*",)))
    world.forget()
    pass_time(world, HOUR)
    assert world.alerts.published == []


def test_a_pattern_is_announced_as_resumed_once() -> None:
    world = of_pattern()
    for number in range(2, 4):
        world.clock.advance(MINUTE)
        give(world, Resume(f"command-{number}", (shop("a"),), ("shop/*",)))
    resumed = [alert.cause.id for alert in world.alerts.published if isinstance(alert, TargetsResumed)]
    assert resumed == ["command-2"]


def test_a_pattern_goes_on_when_the_targets_that_were_there_are_resumed() -> None:
    world = of_pattern()
    world.clock.advance(MINUTE)
    give(world, Resume("command-2", (shop("a"),)))
    world.forget()
    world.clock.advance(HOUR)
    world.tick()
    assert [(alert.targets, alert.patterns) for alert in ended(world)] == [((), ("shop/*",))]
    assert SweepAll in map(type, world.jobs.sent)


def test_a_pause_dated_ahead_pauses_nothing_and_outranks_no_resume() -> None:
    """Whoever may write the table can write one there."""
    world = of_pattern()
    ahead = Pause("forged", ALICE, "forged", NOW + 2 * DAY, NOW + 7 * DAY)
    world.state.pause_patterns(PatternPause(("all",), ahead))
    create(world, "new")
    assert world.run(shop("new")) is Result.REPORTED
    world.clock.advance(MINUTE)
    give(world, Resume("command-2", (shop("a"),), ("shop/*",)))
    assert world.run(shop("new")) is Result.CONVERGED
