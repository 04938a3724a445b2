"""Drift that a sweep found and no event has reported within 20 minutes is announced once, with the call's name."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.collect.alerts import EventMissed
from ecr_warden.core.address import WRITES, Address
from ecr_warden.core.job import Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.observed import LiveValue
from ecr_warden.core.result import Severity
from ecr_warden.core.target import Target
from ecr_warden.events.calls import WATCHED
from ecr_warden.notify.kinds import message_of
from local.testing.seed import ACCEPTED, CHECKOUT, D1, D2, D5, MORE_TRUST, PUSHER, allow, document
from tests.usecases.world import MALLORY, OPEN, World, runs_of, world_in_sync, write_session

MINUTE = timedelta(minutes=1)
EXPECTED = {D1: "SetRepositoryPolicy", D2: "UpdateAssumeRolePolicy", D5: "PutUserPolicy"}


def missed(world: World) -> list[EventMissed]:
    found = [alert for alert in world.alerts.published if isinstance(alert, EventMissed)]
    world.alerts.published.clear()
    return found


def swept(world: World, minutes: int = 15) -> list[EventMissed]:
    """A sweep, what follows from it, and then some minutes."""
    world.sweep()
    world.drain()
    world.clock.advance(minutes * MINUTE)
    return missed(world)


def event(world: World, target: Target, call: str, *, ago: timedelta = timedelta(), actor: Actor = MALLORY) -> None:
    at = (world.clock.now() - ago).isoformat()
    world.reconcile().reconcile(
        ReconcileTarget(Cause(CauseKind.EVENT, f"e{next(world.ids)}", call, at, actor=actor), target)
    )


def tampered(address: Address, value: LiveValue) -> World:
    """Seen in sync by a sweep, then changed without an event, and found by the next sweep."""
    world = world_in_sync()
    assert swept(world) == []
    world.put(address, value)
    assert swept(world) == []
    return world


@pytest.mark.parametrize(
    ("address", "value"), [(D1, OPEN), (D2, MORE_TRUST), (D5, OPEN)], ids=["repository", "trust", "identity"]
)
def test_a_change_that_no_event_reported_is_announced_once_with_its_calls(address: Address, value: LiveValue) -> None:
    world = tampered(address, value)
    assert swept(world) == [], "15 minutes"
    [alert] = swept(world)
    assert alert.target == address.target
    assert EXPECTED[address] in alert.calls
    message = message_of([alert])
    assert message.severity is Severity.WARNING
    assert any(EXPECTED[address] in line for line in message.lines)
    for _ in range(3):
        assert swept(world) == []


def test_the_calls_that_are_expected_are_watched() -> None:
    watched = {name for rows in WATCHED.values() for name in rows}
    assert {call for calls in WRITES.values() for call in calls} <= watched


def late(world: World) -> None:
    event(world, CHECKOUT, "ecr:SetRepositoryPolicy", ago=16 * MINUTE)


def before_its_sweep(world: World) -> None:
    event(world, CHECKOUT, "ecr:DeleteRepositoryPolicy", ago=29 * MINUTE)


def twice(world: World) -> None:
    late(world)
    late(world)


def timeless(world: World) -> None:
    cause = Cause(CauseKind.EVENT, "e", "ecr:SetRepositoryPolicy", actor=MALLORY)
    world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


ARRIVALS: dict[str, tuple[Callable[[World], None], bool]] = {
    "nothing": (lambda _: None, True),
    "late": (late, False),
    "the call of a moment before the sweep": (before_its_sweep, False),
    "twice": (twice, False),
    "another call on it": (lambda world: event(world, CHECKOUT, "ecr:PutLifecyclePolicy"), True),
    "it was recreated": (lambda world: event(world, CHECKOUT, "ecr:CreateRepository"), False),
    "another target's": (lambda world: event(world, PUSHER, "iam:UpdateAssumeRolePolicy"), True),
    "one of long before": (lambda world: event(world, CHECKOUT, "ecr:SetRepositoryPolicy", ago=60 * MINUTE), True),
    "one without a time": (timeless, False),
}


@pytest.mark.parametrize("name", ARRIVALS)
def test_only_an_event_of_such_a_call_since_it_was_in_sync_counts(name: str) -> None:
    arrive, is_missed = ARRIVALS[name]
    world = tampered(D1, OPEN)
    arrive(world)
    assert swept(world) == []
    assert len(swept(world)) == is_missed


def test_the_event_of_our_own_repair_does_not_count() -> None:
    world = tampered(D1, OPEN)
    [run] = runs_of(world, CHECKOUT)
    actor = write_session(f"ecrw-{run.run_id}", CHECKOUT, f"ecrw-{run.run_id}")
    event(world, CHECKOUT, "ecr:SetRepositoryPolicy", ago=15 * MINUTE, actor=actor)
    assert swept(world) == []
    assert len(swept(world)) == 1


def test_a_change_that_its_event_reported_first_is_not_awaited() -> None:
    world = world_in_sync()
    swept(world)
    world.switch.enabled = False
    world.put(D1, OPEN)
    event(world, CHECKOUT, "ecr:SetRepositoryPolicy")
    for _ in range(4):
        assert swept(world) == []


def test_drift_from_another_version_of_the_spec_was_made_by_nobody() -> None:
    world = world_in_sync()
    swept(world)
    world.specs.compiled = replace(ACCEPTED, version="v2")
    world.put(D1, OPEN)
    for _ in range(4):
        assert swept(world) == []


def test_what_aws_shows_of_a_deleted_user_was_changed_by_no_call_on_the_document() -> None:
    world = tampered(D2, document(allow("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession", who="AIDAGONE")))
    assert [swept(world), swept(world)] == [[], []]


def test_drift_that_was_there_at_the_first_sweep_is_not_awaited() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    for _ in range(4):
        assert swept(world) == []
