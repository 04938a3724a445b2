"""What a run left is in `status` at once, by its own record, and an audit is asked for."""

from datetime import timedelta

import pytest

from ecr_warden.audit.finding import ConditionStatus
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import AuditAccess, SurveyRegistry
from ecr_warden.core.result import Result
from ecr_warden.state.commands import PauseUntil
from local.testing.seed import CHECKOUT, D1, NOW
from tests.usecases.hub import hub_status
from tests.usecases.test_pauses import give
from tests.usecases.world import OPEN, World, failing, world_in_sync

CAN = "anyone (*) can pull from shop/checkout"


def audited() -> World:
    """A world of which the last audit found nothing."""
    world = world_in_sync()
    world.sweep()
    world.drain()
    assert hub_status(world).access.findings == ()
    world.clock.advance(timedelta(minutes=1))
    return world


def left(world: World) -> tuple[tuple[str, ...], ConditionStatus]:
    status = hub_status(world)
    [health] = [one.health for one in status.repositories if one.target == str(CHECKOUT)]
    return status.access.left, health.audited.status


def fails(world: World) -> None:
    failing(world, PermissionMissing("denied"))


def paused(world: World) -> None:
    give(world, PauseUntil("command-1", (CHECKOUT,), "a migration", NOW + timedelta(hours=1)))


LEAVES = {"a repair that failed": (fails, Result.FAILED), "a pause": (paused, Result.REPORTED)}


@pytest.mark.parametrize("name", LEAVES)
def test_what_a_run_left_is_said_until_an_audit_has_it(name: str) -> None:
    world, (before, result) = audited(), LEAVES[name]
    before(world)
    world.put(D1, OPEN)
    world.jobs.sent.clear()
    assert world.run(CHECKOUT) is result
    assert left(world) == ((CAN,), ConditionStatus.FALSE), "before any audit"
    [asked] = [job for job in world.jobs.sent if isinstance(job, SurveyRegistry)]
    assert asked.repository == CHECKOUT.name
    world.clock.advance(timedelta(seconds=5))
    world.drain()
    status = hub_status(world)
    assert status.access.left == ()
    assert [group.places for group in status.access.findings] == [(str(CHECKOUT),)]


def test_what_is_repaired_is_left_no_longer() -> None:
    world = audited()
    failing(world, PermissionMissing("denied"), times=1)
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.FAILED
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert left(world) == ((), ConditionStatus.TRUE)


def test_the_same_failure_asks_for_one_audit() -> None:
    world = audited()
    fails(world)
    world.put(D1, OPEN)
    world.jobs.sent.clear()
    for _ in range(3):
        world.run(CHECKOUT)
    assert sum(isinstance(job, SurveyRegistry) for job in world.jobs.sent) == 1
    assert not any(isinstance(job, AuditAccess) for job in world.jobs.sent), "repair sends nothing to audit itself"
