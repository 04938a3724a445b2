"""Commands: the caller is proven and recorded first, then the command is carried out or refused as a whole."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.desired import Mode
from ecr_warden.core.failures import CallerUnauthenticated, CommandRepeated
from ecr_warden.core.job import CauseKind, ReconcileTarget
from ecr_warden.core.pause import LONGEST_PAUSE, Pause
from ecr_warden.core.result import Result
from ecr_warden.core.target import RoleTarget, UserTarget
from ecr_warden.hub.commands import BadEnd
from ecr_warden.hub.reply import CommandReply
from ecr_warden.hub.request import request_to_text
from ecr_warden.hub.selecting import NoSuchTarget, NothingAccepted
from ecr_warden.repair.alerts import TargetsPaused, TargetsResumed
from ecr_warden.state.commands import BadRequest, Command, PauseUntil, ReconcileTargets, Resume
from iam_access.errors import NamedError
from local.testing.seed import CHECKOUT, CI, D1, NOW, PUSH_USER, PUSHER
from tests.usecases.hub import ALICE, HUB, Callers, commands_of
from tests.usecases.world import OPEN, World, present, world_in_sync

HOUR = timedelta(hours=1)
PAUSE = PauseUntil("command-1", (CHECKOUT,), "a migration", NOW + HOUR)


def give(world: World, command: Command, proof: object = "alice") -> CommandReply:
    return commands_of(world).carry_out(request_to_text(command), proof, HUB)


def test_apply_enqueues_a_run_per_target_in_the_callers_name_registry_first() -> None:
    world = world_in_sync()
    reply = give(world, ReconcileTargets("command-1", (PUSH_USER, PUSHER, CHECKOUT, PUSHER)))
    assert (reply.enqueued, reply.caller, reply.mode) == (True, ALICE.arn, Mode.ENFORCE)
    assert [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)] == [CHECKOUT, PUSHER, PUSH_USER]
    assert {(job.cause.kind, job.cause.id, job.cause.actor) for job in world.jobs.sent} == {
        (CauseKind.CALLER, "command-1", ALICE)
    }


def test_a_pause_is_recorded_with_its_caller_and_announced() -> None:
    world = world_in_sync()
    reply = give(world, PAUSE)
    assert (reply.targets, reply.enqueued) == ((str(CHECKOUT),), False)
    kept = world.state.records([CHECKOUT])[CHECKOUT.key].pause
    assert kept == Pause("command-1", ALICE, "a migration", NOW, NOW + HOUR)
    [alert] = world.alerts.published
    assert isinstance(alert, TargetsPaused)
    assert (alert.cause.actor, alert.targets, alert.reason, alert.until) == (
        ALICE,
        (str(CHECKOUT),),
        "a migration",
        NOW + HOUR,
    )
    assert world.jobs.sent == []


def test_resume_ends_pauses_announces_that_and_reconciles() -> None:
    world = world_in_sync()
    give(world, PAUSE)
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.REPORTED
    world.forget()
    reply = give(world, Resume("command-2", (CHECKOUT, PUSHER)))
    assert (reply.targets, reply.enqueued) == ((str(CHECKOUT),), True)
    [alert] = world.alerts.published
    assert isinstance(alert, TargetsResumed)
    assert (alert.targets, alert.cause.actor) == ((str(CHECKOUT),), ALICE)
    world.drain()
    assert not world.differing()


def test_resume_of_a_target_that_is_not_paused_does_nothing() -> None:
    world = world_in_sync()
    give(world, PAUSE)
    world.clock.advance(HOUR)
    world.forget()
    reply = give(world, Resume("command-2", (CHECKOUT,)))
    assert (reply.targets, reply.enqueued, world.alerts.published, world.jobs.sent) == ((), False, [], [])


def test_every_command_is_recorded_with_its_caller_and_text() -> None:
    world = world_in_sync()
    give(world, PAUSE)
    kept = world.command_records.taken["command-1"]
    assert (kept.caller, kept.text, kept.at) == (ALICE.arn, request_to_text(PAUSE), NOW)


def test_the_proof_must_be_for_the_exact_text_and_for_this_hub() -> None:
    callers, world = Callers(), world_in_sync()
    commands_of(world, callers).carry_out(request_to_text(PAUSE), "alice", HUB)
    assert callers.asked == [(request_to_text(PAUSE), HUB)]


def _bare() -> World:
    world = world_in_sync()
    world.specs.compiled = None
    return world


REFUSED: dict[str, tuple[object, type[NamedError]]] = {
    "no text": (None, BadRequest),
    "an object": ({}, BadRequest),
    "no JSON": ("{", BadRequest),
    "a text that is too long": ('{"schema":1}' + " " * 2_000_000, BadRequest),
    "a later schema": ('{"schema":2}', BadRequest),
    "a question": ('{"schema":1,"action":"status","id":"command-1","targets":["all"]}', BadRequest),
    "no targets": ('{"schema":1,"action":"reconcile","id":"command-1","targets":[]}', BadRequest),
    "a selection": ('{"schema":1,"action":"reconcile","id":"command-1","targets":["all"]}', BadRequest),
    "an id that is a key of its own": ('{"schema":1,"action":"reconcile","id":"a#b/../c","targets":["x"]}', BadRequest),
    "a pause without a reason": (request_to_text(replace(PAUSE, reason="  ")), BadRequest),
    "a pause with a reason of two lines": (request_to_text(replace(PAUSE, reason="a\nb")), BadRequest),
    "a pause with a reason that is too long": (request_to_text(replace(PAUSE, reason="x" * 201)), BadRequest),
    "a pause without an end": (request_to_text(PAUSE).replace('"until"', '"till"'), BadRequest),
    "a pause that ends without a zone": (
        request_to_text(replace(PAUSE, until=PAUSE.until.replace(tzinfo=None))),
        BadRequest,
    ),
    "a pause that has ended": (request_to_text(replace(PAUSE, until=NOW)), BadEnd),
    "a pause for longer than seven days": (
        request_to_text(replace(PAUSE, until=NOW + LONGEST_PAUSE + timedelta(seconds=1))),
        BadEnd,
    ),
    "a target of an account that is not the spec's": (
        request_to_text(replace(PAUSE, targets=(CHECKOUT, UserTarget("999999999999", "eve")))),
        NoSuchTarget,
    ),
    "one of ecr-warden's own roles": (
        request_to_text(replace(PAUSE, targets=(RoleTarget(CI, "ecr-warden-write"),))),
        NoSuchTarget,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_command_is_refused_as_a_whole(name: str) -> None:
    text, error = REFUSED[name]
    world = world_in_sync()
    with pytest.raises(error):
        commands_of(world).carry_out(text, "alice", HUB)
    assert (world.command_records.taken, world.alerts.published, world.jobs.sent) == ({}, [], [])
    assert all(record.pause is None for record in world.state.records([CHECKOUT]).values())


def test_an_unproven_caller_changes_nothing() -> None:
    world = world_in_sync()
    with pytest.raises(CallerUnauthenticated):
        give(world, PAUSE, proof="mallory")
    assert (world.command_records.taken, world.alerts.published) == ({}, [])


def test_a_repeated_command_is_refused() -> None:
    world = world_in_sync()
    give(world, PAUSE)
    give(world, Resume("command-2", (CHECKOUT,)))
    world.forget()
    with pytest.raises(CommandRepeated):
        give(world, PAUSE)
    assert world.alerts.published == []
    kept = present(world.state.records([CHECKOUT])[CHECKOUT.key].pause)
    assert (kept.id, kept.is_on(NOW)) == ("command-2", False)


def test_commands_are_refused_before_a_spec_is_accepted() -> None:
    with pytest.raises(NothingAccepted):
        give(_bare(), PAUSE)
