"""Somebody else writes while a run works."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.failures import LeaseHeld, RetryLater
from ecr_warden.core.job import Attempt, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Conflict
from ecr_warden.core.target import Target
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import MessageState
from ecr_warden.repair.alerts import OutcomeKind
from ecr_warden.repair.apply import LEASE_LOST
from ecr_warden.state.accepted import SpecSuperseded
from iam_access.document.document import Document
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    D1,
    D2,
    D3,
    EVERYTHING,
    MALLORY,
    MORE_TRUST,
    OUTSIDER,
    PUSHER,
    allow,
    desired,
    document,
)
from tests.usecases.world import FIRST, OPEN, World, world_in_sync, write_session
from tests.usecases.world import MALLORY as MALLORY_OF_HOME

X = identity_policy(PUSHER, "ecr-warden-x")


def tamper_once(world: World) -> None:
    """Somebody else writes once between a run's reading and its write."""
    others = [document(allow("ecr:*", who=MALLORY))]

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None and others:
            world.put(D1, others.pop())

    world.documents.faults = tamper


def test_a_document_that_changes_between_plan_and_write_is_read_again() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    tamper_once(world)
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert len(world.writes) == 1
    assert world.live(D1) == desired(D1)
    [report] = world.reports
    assert report.plan.changes[0].before == document(allow("ecr:*", who=MALLORY)).text


@pytest.mark.parametrize("is_last", [True, False])
def test_a_run_gives_up_after_three_conflicts(is_last: bool) -> None:
    world = world_in_sync()
    contest(world)
    if is_last:
        assert world.run(CHECKOUT) is Result.CONFLICT
        assert [report.result for report in world.reports] == [Result.CONFLICT]
    else:
        with pytest.raises(RetryLater):
            world.run(CHECKOUT, attempt=FIRST)
        assert world.reports == []
    assert world.writes == []
    tries = [report for report in world.state.closed.values() if report.result is Result.CONFLICT]
    assert len(tries) == 3
    assert len({report.run_id for report in tries}) == 3
    assert all(isinstance(report.outcomes[0], Conflict) for report in tries)


def contest(world: World) -> None:
    """Another document is written whenever ecr-warden is about to write."""

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None:
            world.put(D1, _other(world))

    world.put(D1, OPEN)
    world.documents.faults = tamper


def test_a_writer_faster_than_ecr_warden_is_reported_as_critical() -> None:
    world = world_in_sync()
    contest(world)
    cause = Cause(CauseKind.EVENT, "e1", action="ecr:SetRepositoryPolicy", actor=MALLORY_OF_HOME)
    job, last = ReconcileTarget(cause, CHECKOUT), Attempt(number=5, is_last=True)
    assert world.reconcile().reconcile(job, last) is Result.CONFLICT
    [report] = world.reports
    assert report.contested == 3
    message = message_of(world.announced)
    assert message.severity is Severity.CRITICAL
    assert "CONTESTED" in message.title
    assert "the repository policy between ecr-warden's read and its write, 3 times in a row" in message.lines[0]
    assert "at attempt 5" in message.lines[0]
    assert "--region eu-central-1" in message.fields[-1].text and "SetRepositoryPolicy" in message.fields[-1].text
    assert f"came from {MALLORY_OF_HOME.arn}" in str(message.lines)


def test_a_contest_is_reported_hourly_while_it_lasts_and_again_when_it_returns() -> None:
    world = world_in_sync()
    contest(world)
    for _ in range(3):
        assert world.run(CHECKOUT) is Result.CONFLICT
    assert len(world.reports) == 1
    world.clock.advance(timedelta(hours=1))
    assert world.run(CHECKOUT) is Result.CONFLICT
    assert len(world.reports) == 2
    world.recover()
    assert world.run(CHECKOUT) is Result.CONVERGED
    contest(world)
    assert world.run(CHECKOUT) is Result.CONFLICT
    assert [report.contested for report in world.reports] == [3, 3, 0, 3]


def test_a_repair_that_is_overwritten_each_time_ends_as_contested() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)

    def write_over(_: Target, change: Change | None) -> None:
        if change is None and world.writes:
            world.put(D1, _other(world))

    world.documents.faults = write_over
    for number in (1, 2):
        with pytest.raises(RetryLater):
            world.run(CHECKOUT, attempt=Attempt(number, is_last=False))
    assert world.run(CHECKOUT, attempt=Attempt(3, is_last=True)) is Result.STILL_DRIFTED
    assert [report.contested for report in world.reports] == [0, 0, 3]
    message = message_of(world.announced[-1:])
    assert message.severity is Severity.CRITICAL
    assert (message.state, message.title[-11:]) == (MessageState.OPEN, "; CONTESTED")
    assert "right after each of ecr-warden's repairs (3 times in a row), at attempt 3" in message.lines[0]


def test_a_single_write_in_between_is_no_contest() -> None:
    world = world_in_sync()
    world.put(X, EVERYTHING)
    world.put(D3, document(allow("ecr:PutImage")))
    others = [EVERYTHING]

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None and change.address == D3 and others:
            world.put(D3, others.pop())

    world.documents.faults = tamper
    assert world.run(PUSHER) is Result.CONVERGED
    reported = [(report.result, report.contested) for report in world.reports]
    assert reported == [(Result.CONFLICT, 0), (Result.CONVERGED, 0)]
    assert message_of(world.announced[:1]).severity is not Severity.INFO
    announced = [change for report in world.reports for change in report.plan.changes]
    assert all(change in announced for change in world.writes)
    assert world.live(D3) == desired(D3)


def _other(world: World) -> Document:
    return document(allow("ecr:*", who=f"arn:aws:iam::{OUTSIDER}:user/u{next(world.ids)}"))  # another each time


def test_an_intruder_is_reported_although_somebody_else_writes_meanwhile() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    tamper_once(world)
    world.run(CHECKOUT, actor=write_session("ecrw-nobody", CHECKOUT), attempt=FIRST)
    assert [report.intruder for report in world.reports] == [True]


def test_a_run_that_lost_its_lease_stops_writing() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(X, EVERYTHING)

    def lose(_: Target, change: Change | None) -> None:
        if change is not None and len(world.writes) == 1:
            return
        if change is not None:
            world.clock.advance(timedelta(hours=1))
            world.state.acquire(PUSHER, "another")

    world.documents.faults = lose
    with pytest.raises(LeaseHeld):
        world.run(PUSHER)
    assert len(world.writes) == 1
    [run] = world.announced
    assert {change.explain for change in run.changes if change.outcome is OutcomeKind.SKIPPED} <= {
        LEASE_LOST,
        "no access is added after a change that was not made",
    }


def test_a_run_that_waited_for_its_lease_writes_nothing_by_a_version_that_was_superseded() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)

    class Slow:
        """Before the lease is given, another version is accepted, and the target reconciled with it."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.state, name)

        def acquire(self, target: Target, run_id: str) -> object:
            world.specs.compiled = replace(ACCEPTED, version="v2")
            assert world.run(CHECKOUT) is Result.CONVERGED
            world.put(D1, OPEN)
            return world.state.acquire(target, run_id)

    late = replace(world.reconcile(), state=Slow())  # type: ignore[arg-type]
    with pytest.raises(SpecSuperseded):
        late.reconcile(ReconcileTarget(world.event(), CHECKOUT))
    assert len(world.writes) == 1
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert [report.plan.spec_version for report in world.reports] == ["v2", "v2"]
