"""Others who write while a run works."""

from datetime import timedelta

import pytest
from ecr_warden.model.address import identity_policy
from ecr_warden.model.outcome import Conflict, Result, Skipped
from ecr_warden.model.plan import Change
from ecr_warden.model.target import Target
from ecr_warden.policy.document import Document
from ecr_warden.ports import (
    LeaseHeld,
)
from ecr_warden.usecases.apply import LEASE_LOST
from ecr_warden.usecases.reconcile import RetryLater

from tests.unit.planning.seed import (
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
from tests.usecases.world import FIRST, World, world_at_spec, write_session

OPEN = document(allow("ecr:BatchGetImage", who="*"))
X = identity_policy(PUSHER, "ecr-warden-x")


def test_a_document_that_changes_between_plan_and_write_is_looked_at_afresh() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    others = [document(allow("ecr:*", who=MALLORY))]

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None and others:
            world.put(D1, others.pop())

    world.documents.faults = tamper
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert len(world.writes) == 1
    assert world.live(D1) == desired(D1)
    [report] = world.reports
    assert report.plan.changes[0].before == document(allow("ecr:*", who=MALLORY)).text


@pytest.mark.parametrize("is_last", [True, False])
def test_three_conflicts_are_enough(is_last: bool) -> None:
    world = world_at_spec()
    world.put(D1, OPEN)

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None:
            world.put(D1, _other(world))

    world.documents.faults = tamper
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


def _other(world: World) -> Document:
    return document(allow("ecr:*", who=f"arn:aws:iam::{OUTSIDER}:user/u{next(world.ids)}"))  # another each time


def test_what_was_written_before_a_conflict_is_told() -> None:
    world = world_at_spec()
    world.put(X, EVERYTHING)
    world.put(D3, document(allow("ecr:PutImage")))
    once = [True]

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None and change.address == D3 and once.pop() if once else False:
            world.put(D3, EVERYTHING)

    world.documents.faults = tamper
    assert world.run(PUSHER) is Result.CONVERGED
    told = [change for report in world.reports for change in report.plan.changes]
    assert all(change in told for change in world.writes)
    assert world.live(D3) == desired(D3)


def test_an_intruder_is_told_though_somebody_else_writes_meanwhile() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    others = [document(allow("ecr:*", who=MALLORY))]

    def tamper(_: Target, change: Change | None) -> None:
        if change is not None and others:
            world.put(D1, others.pop())

    world.documents.faults = tamper
    world.run(CHECKOUT, actor=write_session("ecrw-nobody", CHECKOUT), attempt=FIRST)
    assert [report.intruder for report in world.reports] == [True]


def test_a_run_that_lost_its_lease_writes_no_more() -> None:
    world = world_at_spec()
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
    [report] = world.reports
    assert {o.reason for o in report.outcomes if isinstance(o, Skipped)} <= {
        LEASE_LOST,
        "nothing is widened after a change that was not made",
    }


def test_a_target_that_another_run_holds_is_left_alone() -> None:
    world = world_at_spec()
    world.state.acquire(CHECKOUT, "another")
    with pytest.raises(LeaseHeld):
        world.run(CHECKOUT)
    assert world.documents.reads == 0
