"""Who wrote: one of ecr-warden's runs, or somebody with its write role."""

from datetime import timedelta

import pytest
from ecr_warden.alerting.kinds import message_of
from ecr_warden.model.job import Cause, CauseKind, ReconcileTarget
from ecr_warden.model.run import Result

from local.testing.seed import (
    CHECKOUT,
    D1,
    PUSHER,
    allow,
    document,
)
from tests.usecases.world import world_at_spec, write_session

OPEN = document(allow("ecr:BatchGetImage", who="*"))


def test_the_session_of_an_own_run_is_no_intruder() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own = world.reports[0].run_id
    world.forget()
    assert world.run(CHECKOUT, actor=write_session(f"ecrw-{own}", CHECKOUT)) is Result.IN_SYNC
    assert world.reports == []


@pytest.mark.parametrize(
    "name", ["ecrw-unknown", "mallory", "ecrw-"], ids=["an unknown run", "another name", "a run without an id"]
)
def test_a_write_role_session_that_no_run_opened_is_reported_even_in_sync(name: str) -> None:
    world = world_at_spec()
    assert world.run(CHECKOUT, actor=write_session(name, CHECKOUT)) is Result.IN_SYNC
    assert [report.intruder for report in world.reports] == [True]


def test_a_run_of_one_target_does_not_vouch_for_another() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own = world.reports[0].run_id
    world.forget()
    world.run(PUSHER, actor=write_session(f"ecrw-{own}", PUSHER))
    assert [report.intruder for report in world.reports] == [True]


@pytest.mark.parametrize(
    ("after", "intruder"),
    [(timedelta(0), []), (timedelta(seconds=150), []), (timedelta(seconds=-61), [True]), (timedelta(days=5), [True])],
    ids=["while it ran", "as late as it could", "before it", "days later"],
)
def test_a_run_id_vouches_only_for_calls_made_while_it_ran(after: timedelta, intruder: list[bool]) -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own, at = world.reports[0].run_id, world.reports[0].started_at + after
    world.forget()
    session = write_session(f"ecrw-{own}", CHECKOUT)
    cause = Cause(CauseKind.EVENT, "e-again", at=at.strftime("%Y-%m-%dT%H:%M:%SZ"), actor=session)
    world.reconcile()(ReconcileTarget(cause, CHECKOUT))
    assert [report.intruder for report in world.reports] == intruder


def test_a_write_after_a_run_is_not_attributed_to_the_run() -> None:
    """The event of our own write sets a run off, and that finds what somebody else did meanwhile."""
    world = world_at_spec()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    own = world.reports[0].run_id
    world.forget()
    world.put(D1, OPEN)
    assert world.run(CHECKOUT, actor=write_session(f"ecrw-{own}", CHECKOUT)) is Result.CONVERGED
    [report] = world.reports
    message = message_of([report])
    text = "\n".join([message.title, *(field.text for field in message.fields), *message.lines])
    assert "ecrw-" not in text and "ecr-warden-write" not in text
    assert "unknown: found when ecr-warden verified what it had written" in text
    assert "aws cloudtrail lookup-events" in text
