"""What AWS refuses, for a moment or for good."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.failures import (
    AccountUnreachable,
    BlockedByDeny,
    PermissionMissing,
    PortError,
    PrincipalNotFound,
    Refused,
    RetryLater,
    Throttled,
    Unanswered,
)
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import Failed
from ecr_warden.core.target import RoleTarget, Target, UserTarget
from ecr_warden.notify.kinds import message_of
from local.testing.seed import (
    CHECKOUT,
    CI,
    CUTOFF,
    D1,
    D2,
    D3,
    EVERYTHING,
    HOME,
    MORE_TRUST,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    desired,
)
from tests.usecases.world import FIRST, OPEN, World, failing, unreadable, world_in_sync

X = identity_policy(PUSHER, "ecr-warden-x")


def test_every_change_fails_if_the_write_role_cannot_be_assumed() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)

    class Locked:
        def __getattr__(self, name: str) -> object:
            return getattr(world.documents, name)

        def writer(self, plan: object, run_id: str) -> None:
            raise AccountUnreachable("the write role cannot be assumed")

    locked = replace(world.reconcile(), documents=Locked())  # type: ignore[arg-type]
    job = ReconcileTarget(cause=world.event(), target=CHECKOUT)
    assert locked.reconcile(job) is Result.FAILED
    assert locked.reconcile(replace(job, cause=world.event())) is Result.FAILED
    [report] = world.reports
    assert [o.code for o in report.outcomes if isinstance(o, Failed)] == ["account-unreachable"]


def test_after_a_failed_write_only_changes_that_remove_access_go_on() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(X, EVERYTHING)
    world.documents.remove(D3)
    failing(world, Refused("no"), of=lambda change: change.address == X)
    assert world.run(PUSHER) is Result.FAILED
    assert world.written == ["update trust-policy", "create identity-policy ecr-warden-deny-older-sessions"]
    assert [type(outcome).__name__ for outcome in world.reports[0].outcomes] == [
        "Failed",
        "Applied",
        "Applied",
        "Skipped",
    ]


def test_older_sessions_are_denied_again_although_another_write_fails() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.run(PUSHER)
    first = world.live(CUTOFF)
    world.clock.advance(timedelta(minutes=10))
    world.put(D2, MORE_TRUST)
    world.put(X, EVERYTHING)
    failing(world, Refused("no"), of=lambda change: change.address == X)
    assert world.run(PUSHER) is Result.FAILED
    assert world.live(D2) == desired(D2)
    assert world.live(CUTOFF) not in (None, first)


@pytest.mark.parametrize(
    "error",
    [Throttled("slow down", retryable=True), PrincipalNotFound("who?", retryable=True)],
    ids=["throttled", "a principal that AWS does not see yet"],
)
def test_a_retryable_failure_is_retried_before_it_is_reported(error: PortError) -> None:
    world = world_in_sync()
    world.documents.remove(D1)
    failing(world, error, times=2)
    for _ in range(2):
        with pytest.raises(RetryLater):
            world.run(CHECKOUT, attempt=FIRST)
    assert world.reports == []
    assert world.run(CHECKOUT, attempt=FIRST) is Result.CONVERGED
    assert len(world.reports) == 1


def unanswered(world: World, *, reads_fail: bool = False) -> None:
    """The first write takes effect, and its answer gets lost; with `reads_fail` nothing can be read for a while."""
    lost: list[Change] = []

    def fault(_: Target, change: Change | None) -> None:
        if change is not None and not lost:
            lost.append(change)
            world.documents.write(change)
            raise Unanswered("no answer", retryable=True)
        if change is None and lost and reads_fail:
            raise Throttled("slow down", retryable=True)

    world.documents.faults = fault


def test_a_write_whose_answer_was_lost_is_reported_as_the_repair_that_it_is() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    unanswered(world)
    assert world.run(CHECKOUT, attempt=FIRST) is Result.CONVERGED
    [report] = world.reports
    assert report.applied == tuple(world.writes)


def test_a_write_whose_answer_was_lost_is_reported_before_the_job_is_retried_for_the_others() -> None:
    world = world_in_sync()
    world.put(X, EVERYTHING)
    world.documents.remove(D3)
    unanswered(world)
    with pytest.raises(RetryLater):
        world.run(PUSHER, attempt=FIRST)
    assert world.run(PUSHER, attempt=FIRST) is Result.CONVERGED
    first, second = world.reports
    assert [type(outcome).__name__ for outcome in first.outcomes] == ["Failed", "Skipped"]
    assert [outcome.change for outcome in (first.outcomes[0], *second.outcomes)] == world.writes


def test_a_write_that_may_have_taken_effect_is_reported_even_if_it_cannot_be_verified() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    unanswered(world, reads_fail=True)
    with pytest.raises(RetryLater):
        world.run(CHECKOUT, attempt=FIRST)
    world.recover()
    assert world.run(CHECKOUT, attempt=FIRST) is Result.IN_SYNC
    report, ended = world.reports
    assert (report.result, ended.result) == (Result.FAILED, Result.IN_SYNC)
    assert [outcome.change for outcome in report.outcomes] == world.writes


def test_a_refused_write_is_no_repair_although_somebody_else_made_it() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)

    def fault(_: Target, change: Change | None) -> None:
        if change is not None:
            world.put(D1, desired(D1))
            raise PermissionMissing("no")

    world.documents.faults = fault
    assert world.run(CHECKOUT, attempt=FIRST) is Result.FAILED
    assert world.reports[0].applied == ()


def test_an_unreadable_target_is_unknown_unchanged_and_reported_once() -> None:
    world = world_in_sync()
    unreadable(world, PermissionMissing("denied, request 1"))
    assert world.run(CHECKOUT) is Result.UNKNOWN
    unreadable(world, PermissionMissing("denied, request 2"))
    assert world.run(CHECKOUT) is Result.UNKNOWN
    assert (world.writes, len(world.reports)) == ([], 1)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (BlockedByDeny("the repository policy denies it", remedy="aws ecr delete-repository-policy"), "critical"),
        (PermissionMissing("it is not allowed", remedy="deploy stacks/member.yaml"), "warning"),
    ],
    ids=["kept out", "not allowed"],
)
def test_a_policy_that_keeps_ecr_warden_out_is_reported_with_the_remedy(error: PortError, level: str) -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    unreadable(world, error)
    assert world.run(CHECKOUT) is Result.UNKNOWN
    message = message_of(world.announced)
    assert message.severity == level
    assert error.message in str(message.lines)
    assert error.remedy in str(message.lines)


def test_a_failed_read_that_may_succeed_soon_is_retried() -> None:
    world = world_in_sync()
    unreadable(world, Throttled("slow down", retryable=True))
    with pytest.raises(RetryLater):
        world.run(CHECKOUT, attempt=FIRST)
    assert world.reports == []


@pytest.mark.parametrize("target", [PUSH_USER, PUSHER, RoleTarget(HOME, "unknown"), UserTarget(CI, "unknown")], ids=str)
def test_an_unreadable_identity_is_never_in_sync(target: Target) -> None:
    world = world_in_sync()
    unreadable(world, PermissionMissing("denied"))
    assert world.run(target) is Result.UNKNOWN


def test_a_missing_target_is_reported_once_and_not_created() -> None:
    world = world_in_sync()
    world.documents.unmake(PULL_USER)
    world.documents.unmake(CHECKOUT)
    for target in (PULL_USER, CHECKOUT, PULL_USER, CHECKOUT):
        assert world.run(target) is Result.REPORTED
    assert world.writes == []
    assert [report.plan.held[0].reason for report in world.reports] == [HoldReason.TARGET_MISSING] * 2
