"""Observe mode and the stop switch: everything is read and reported, nothing is written."""

from copy import replace

from ecr_warden.model.address import identity_policy
from ecr_warden.model.desired import Mode
from ecr_warden.model.plan import Change, HoldReason
from ecr_warden.model.run import Result, Skipped
from ecr_warden.model.target import Target
from ecr_warden.ports.hub import STOPPED

from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CUTOFF,
    D1,
    D2,
    EVERYTHING,
    MALLORY,
    MORE_TRUST,
    PUSHER,
    allow,
    desired,
    document,
)
from tests.usecases.world import world_at_spec

OPEN = document(allow("ecr:BatchGetImage", who="*"))
OBSERVING = replace(ACCEPTED, mode=Mode.OBSERVE)
X = identity_policy(PUSHER, "ecr-warden-x")


def test_observe_mode_writes_nothing_and_reports_once() -> None:
    world = world_at_spec(OBSERVING)
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.sweep() == (CHECKOUT,)
    world.drain()
    assert world.writes == []
    [report] = world.reports
    assert [hold.reason for hold in report.plan.held] == [HoldReason.OBSERVE_MODE]


def test_in_observe_mode_a_second_tamper_of_the_same_document_is_reported_again() -> None:
    world = world_at_spec(OBSERVING)
    world.put(D2, document(allow("sts:AssumeRole", who=MALLORY)))
    world.run(PUSHER)
    # The first difference stays what it was; what follows it is new.
    world.put(D2, document(allow("sts:AssumeRole", who=MALLORY), allow("sts:AssumeRole", who="*")))
    world.run(PUSHER)
    assert len(world.reports) == 2


def test_in_observe_mode_drift_that_disappears_and_returns_is_reported_again() -> None:
    world = world_at_spec(OBSERVING)
    for _ in range(2):
        world.put(D1, OPEN)
        world.run(CHECKOUT)
        world.put(D1, desired(D1))
        world.run(CHECKOUT)
    assert [report.result for report in world.reports] == [Result.REPORTED] * 2


def test_the_stop_switch_stops_only_writes() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.switch.enabled = False
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.run(CHECKOUT) is Result.REPORTED
    assert (world.writes, len(world.reports)) == ([], 1)
    assert [outcome.reason for outcome in world.reports[0].outcomes if isinstance(outcome, Skipped)] == [STOPPED]
    world.switch.enabled = True
    assert world.run(CHECKOUT) is Result.CONVERGED


def test_the_stop_switch_is_read_before_each_write() -> None:
    world = world_at_spec()
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
    world.documents.faults = lambda _target, _change: None
    world.switch.enabled = True
    assert world.run(PUSHER) is Result.CONVERGED
    assert world.live(CUTOFF) is not None
