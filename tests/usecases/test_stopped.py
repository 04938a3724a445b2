"""Observe mode, the stop switch and pauses: everything is read and reported, nothing is written."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.failures import RetryLater, Throttled
from ecr_warden.core.job import Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.pause import LONGEST_PAUSE, Pause
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import Skipped
from ecr_warden.core.target import Target
from ecr_warden.state.switch import STOPPED
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CUTOFF,
    D1,
    D2,
    EVERYTHING,
    MALLORY,
    MORE_TRUST,
    NOW,
    PUSH_USER,
    PUSHER,
    allow,
    desired,
    document,
)
from tests.usecases.world import FIRST, OPEN, World, bare_world, failing, runs_of, world_in_sync

OBSERVING = replace(ACCEPTED, mode=Mode.OBSERVE)
X = identity_policy(PUSHER, "ecr-warden-x")


def test_observe_mode_writes_nothing_and_reports_once() -> None:
    world = world_in_sync(OBSERVING)
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.sweep() == (CHECKOUT,)
    world.drain()
    assert world.writes == []
    [report] = world.reports
    assert [hold.reason for hold in report.plan.held] == [HoldReason.OBSERVE_MODE]


def test_in_observe_mode_a_second_tamper_of_the_same_document_is_reported_again() -> None:
    world = world_in_sync(OBSERVING)
    world.put(D2, document(allow("sts:AssumeRole", who=MALLORY)))
    world.run(PUSHER)
    # The first difference stays what it was; what follows it is new.
    world.put(D2, document(allow("sts:AssumeRole", who=MALLORY), allow("sts:AssumeRole", who="*")))
    world.run(PUSHER)
    assert len(world.reports) == 2


def test_in_observe_mode_drift_that_disappears_and_returns_is_reported_again() -> None:
    world = world_in_sync(OBSERVING)
    for _ in range(2):
        world.put(D1, OPEN)
        world.run(CHECKOUT)
        world.put(D1, desired(D1))
        world.run(CHECKOUT)
    assert [report.result for report in world.reports] == [Result.REPORTED, Result.IN_SYNC] * 2


def test_the_stop_switch_stops_only_writes() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.switch.enabled = False
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.run(CHECKOUT) is Result.REPORTED
    assert (world.writes, len(world.reports)) == ([], 1)
    assert [outcome.reason for outcome in world.reports[0].outcomes if isinstance(outcome, Skipped)] == [STOPPED]
    world.switch.enabled = True
    assert world.run(CHECKOUT) is Result.CONVERGED


def test_the_stop_switch_is_read_before_each_write() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(X, EVERYTHING)

    def stop(_: Target, change: Change | None) -> None:
        if change is not None:
            world.switch.enabled = False

    world.documents.faults = stop
    assert world.run(PUSHER) is Result.REPORTED
    assert len(world.writes) == 1
    skipped = [o.reason for o in world.reports[0].outcomes if isinstance(o, Skipped)]
    assert skipped[0] == STOPPED
    world.recover()
    world.switch.enabled = True
    assert world.run(PUSHER) is Result.CONVERGED
    assert world.live(CUTOFF) is not None


ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
END = timedelta(hours=1)
PAUSE = Pause("c1", ALICE, "a migration", NOW, NOW + END)


ADMIN = "arn:aws:iam::111111111111:role/Administrator"
# The name of a session is its opener's choice; the last part of root's ARN names nobody.
PAUSERS = {
    "paused by alice until": ALICE,
    "paused by root of 111111111111 until": Actor("Root", "arn:aws:iam::111111111111:root", "111111111111"),
    "paused by alice of Administrator until": Actor("AssumedRole", issuer=ADMIN, session_name="alice"),
    "paused by carol until": Actor("FederatedUser", session_name="carol"),
}


@pytest.mark.parametrize("words", PAUSERS)
def test_a_pause_names_who_set_it_like_every_other_line(words: str) -> None:
    assert str(Pause("c1", PAUSERS[words], "a migration", NOW, NOW + END)).startswith(words)


def paused_world() -> World:
    world = world_in_sync()
    world.state.pause(CHECKOUT, PAUSE)
    world.put(D1, OPEN)
    return world


@pytest.mark.parametrize(
    ("lasts", "result"),
    [
        (LONGEST_PAUSE, Result.REPORTED),
        (LONGEST_PAUSE + timedelta(hours=1), Result.CONVERGED),
        (timedelta(days=3650), Result.CONVERGED),
    ],
)
def test_a_pause_longer_than_any_command_can_set_is_not_in_force(lasts: timedelta, result: Result) -> None:
    """Whoever may write the table can write one there."""
    world = paused_world()
    now = world.clock.now()
    world.state.pause(CHECKOUT, Pause("p2", Actor("IAMUser"), "forged", now, now + lasts))
    assert world.run(CHECKOUT) is result


def asked(world: World, *targets: object) -> None:
    cause = Cause(CauseKind.CALLER, "c1", actor=ALICE)
    world.jobs.enqueue(ReconcileTarget(cause, target) for target in targets)  # type: ignore[arg-type]


def test_a_caller_gets_the_result_of_each_run_and_of_the_runs_it_enqueued() -> None:
    world = bare_world()
    asked(world, PUSH_USER)
    world.drain()
    assert [(answer.target, answer.result) for answer in world.command_records.answers("c1")] == [
        (str(PUSH_USER), Result.WAITING)
    ]
    asked(world, PUSHER)
    world.drain()
    answers = {answer.target: answer.result for answer in world.command_records.answers("c1")}
    assert answers[str(PUSHER)] is Result.CONVERGED
    assert answers[str(PUSH_USER)] is Result.CONVERGED


def test_an_answer_is_done_when_the_job_is_not_retried() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    failing(world, Throttled("slow down", retryable=True), times=1)
    job = ReconcileTarget(Cause(CauseKind.CALLER, "c1", actor=ALICE), CHECKOUT)
    with pytest.raises(RetryLater):
        world.reconcile().reconcile(job, FIRST)
    assert [(a.result, a.done) for a in world.command_records.answers("c1")] == [(Result.FAILED, False)]
    world.reconcile().reconcile(job)
    assert [(a.result, a.done) for a in world.command_records.answers("c1")] == [(Result.CONVERGED, True)]


def test_a_run_that_was_asked_for_is_journalled_even_if_it_found_nothing() -> None:
    world = world_in_sync()
    asked(world, CHECKOUT)
    world.drain()
    [answer] = world.command_records.answers("c1")
    assert world.journal.find(answer.run_id) is not None
    assert world.reports == []
    world.run(CHECKOUT)
    assert [entry.run_id for entry in runs_of(world, CHECKOUT)] == [answer.run_id]
    assert [*world.command_records.given] == [("c1", str(CHECKOUT))], "and no run answers that nobody asked for"
