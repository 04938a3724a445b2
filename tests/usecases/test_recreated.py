"""Principals that were recreated, and documents that AWS does not show yet as they were written."""

import json
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.failures import Refused, RetryLater, Throttled
from ecr_warden.core.job import Cause, CauseKind, ReconcileTarget
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.sessions import Sessions, denied_by
from ecr_warden.core.target import Target, UserTarget
from iam_access.document.document import Document, parse_document
from local.testing.seed import (
    CHECKOUT,
    CI,
    CUTOFF,
    D1,
    D2,
    EVERYTHING,
    MORE_TRUST,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    desired,
)
from tests.usecases.world import FIRST, World, expect, failing, world_in_sync

X = identity_policy(PUSHER, "ecr-warden-x")


@pytest.mark.parametrize(("user", "address"), [(PULL_USER, D1), (PUSH_USER, D2)], ids=["D1", "D2"])
def test_an_equal_document_is_rewritten_once_for_a_recreated_user(user: UserTarget, address: object) -> None:
    world = world_in_sync()
    world.documents.unmake(user)
    world.documents.make(user)
    assert world.sweep() == (user,)
    world.drain()
    assert [change.address for change in world.writes].count(address) == 1  # type: ignore[arg-type]
    assert world.differing() == []
    world.forget()
    for spec in world.accepted.targets.values():
        assert world.run(spec.target) is Result.IN_SYNC
    assert world.writes == []


@pytest.mark.parametrize(
    ("user", "target", "cause", "found"),
    [
        (PUSH_USER, PUSHER, CauseKind.EVENT, True),
        (PULL_USER, CHECKOUT, CauseKind.EVENT, True),
        (PUSH_USER, PUSHER, CauseKind.SWEEP, False),
    ],
    ids=["trusted by a role", "named by a repository", "which the sweep finds anyway"],
)
def test_what_names_a_user_that_was_deleted_or_renamed_is_looked_at_at_once(
    user: UserTarget, target: Target, cause: CauseKind, *, found: bool
) -> None:
    """The document shows a unique ID or the new name, and older sessions of a role have to end."""
    world = world_in_sync()
    world.documents.unmake(user)
    assert world.reconcile().reconcile(ReconcileTarget(Cause(cause, "c-1", "iam:DeleteUser"), user)) is Result.REPORTED
    sent = [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert sent == ([target] if found else [])


def test_jobs_lost_for_a_recreated_user_are_found_again() -> None:
    world = world_in_sync()
    world.documents.unmake(PULL_USER)
    world.documents.make(PULL_USER)

    class Broken:
        def enqueue(self, jobs: object) -> None:
            raise Throttled("slow down", retryable=True)

    broken = replace(world.reconcile(), jobs=Broken())
    with pytest.raises(Throttled):
        broken.reconcile(ReconcileTarget(world.event(), PULL_USER))
    assert set(world.sweep()) == {CHECKOUT, PULL_USER}
    world.drain()
    assert D1 in [change.address for change in world.writes]


def test_a_recreated_principal_that_the_spec_no_longer_names_causes_no_write() -> None:
    world = world_in_sync()
    world.state.mark_recreated(CHECKOUT, f"arn:aws:iam::{CI}:user/gone")
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert world.writes == []


def test_a_rewrite_is_not_repeated_because_another_write_fails() -> None:
    world = world_in_sync()
    world.state.mark_recreated(PUSHER, f"arn:aws:iam::{CI}:user/push-user")
    world.put(X, EVERYTHING)
    failing(world, Refused("no"), of=lambda change: change.address == X)
    world.run(PUSHER)
    world.run(PUSHER)
    assert world.written == ["update trust-policy"]


SECOND = timedelta(seconds=1)
TRUST = desired(D2)
WITH_IDS = parse_document(json.loads(TRUST.text.replace(f"arn:aws:iam::{CI}:user/push-user", "AIDAQWERTYUIOPASDFGHJ")))


def world_just_written() -> World:
    """A run has put the trust policy right and reads it back with a unique id."""
    world = world_in_sync()
    world.put(D2, MORE_TRUST)

    def show_ids(_: Target, change: Change | None) -> None:
        if change is None and world.live(D2) == TRUST:
            world.put(D2, WITH_IDS)

    world.documents.faults = show_ids
    with pytest.raises(RetryLater, match="not-yet-visible"):
        world.run(PUSHER, attempt=FIRST)
    assert len(world.reports) == 1
    world.recover()
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
    assert (world.writes, world.sweep()) == ([], ())
    assert [report.result for report in world.reports] == [Result.IN_SYNC], "what an earlier run saw is over"


def test_unique_ids_that_stay_are_deleted_principals() -> None:
    world = world_just_written()
    world.clock.advance(120 * SECOND)
    assert world.run(PUSHER) is Result.NOT_YET_VISIBLE
    world.clock.advance(SECOND)
    assert world.sweep() == (PUSHER,)
    world.drain()
    assert world.written == ["update trust-policy", "update identity-policy ecr-warden-deny-older-sessions"]
    live = expect(Document, world.live(CUTOFF))
    # The deleted principal may have left sessions behind.
    assert denied_by(live) == Sessions(world.clock.now() + timedelta(minutes=1))
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
