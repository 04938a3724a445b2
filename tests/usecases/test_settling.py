"""A document that AWS does not show yet as it was written."""

import json
from datetime import timedelta

import pytest
from ecr_warden.model.plan import Change
from ecr_warden.model.run import Result
from ecr_warden.model.target import Target
from ecr_warden.planning.cutoff import cutoff_of
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.ports.errors import RetryLater

from local.testing.seed import CI, CUTOFF, D2, MORE_TRUST, PUSH_USER, PUSHER, desired
from tests.usecases.world import FIRST, World, world_at_spec

SECOND = timedelta(seconds=1)
TRUST = desired(D2)
WITH_IDS = parse_document(json.loads(TRUST.text.replace(f"arn:aws:iam::{CI}:user/push-user", "AIDAQWERTYUIOPASDFGHJ")))


def world_just_written() -> World:
    """A run has put the trust policy right and reads it back with a unique id."""
    world = world_at_spec()
    world.put(D2, MORE_TRUST)

    def show_ids(_: Target, change: Change | None) -> None:
        if change is None and world.live(D2) == TRUST:
            world.put(D2, WITH_IDS)

    world.documents.faults = show_ids
    with pytest.raises(RetryLater, match="not-yet-visible"):
        world.run(PUSHER, attempt=FIRST)
    assert len(world.reports) == 1
    world.documents.faults = lambda _target, _change: None
    world.forget()
    return world


def test_unique_ids_shown_just_after_a_write_are_waited_out() -> None:
    world = world_just_written()
    for _ in range(3):
        world.clock.advance(5 * SECOND)
        with pytest.raises(RetryLater, match="not-yet-visible"):
            world.run(PUSHER, attempt=FIRST)
    assert world.run(PUSHER) is Result.NOT_YET_VISIBLE
    assert (world.writes, world.reports) == ([], [])
    world.put(D2, TRUST)
    assert world.run(PUSHER) is Result.IN_SYNC
    assert (world.writes, world.reports, world.sweep()) == ([], [], ())


def test_unique_ids_that_stay_are_deleted_principals() -> None:
    world = world_just_written()
    world.clock.advance(120 * SECOND)
    assert world.run(PUSHER) is Result.NOT_YET_VISIBLE
    world.clock.advance(SECOND)
    assert world.sweep() == (PUSHER,)
    world.drain()
    assert world.written == ["update trust-policy", "update identity-policy ecr-warden-deny-older-sessions"]
    live = world.live(CUTOFF)
    assert isinstance(live, Document)
    # Whoever is gone may have left sessions behind.
    assert cutoff_of(live) == world.clock.now() + timedelta(minutes=1)
    assert len(world.reports) == 1


def test_a_user_known_to_be_recreated_is_not_waited_for() -> None:
    world = world_just_written()
    world.documents.unmake(PUSH_USER)
    world.documents.make(PUSH_USER)
    world.run(PUSH_USER)
    world.drain()
    assert world.live(D2) == TRUST


def test_the_users_of_a_settling_role_are_enqueued_once_it_has_settled() -> None:
    world = world_just_written()
    world.put(D2, TRUST)
    assert world.run(PUSHER) is Result.IN_SYNC
    assert PUSH_USER in [getattr(job, "target", None) for job in world.jobs.sent]
