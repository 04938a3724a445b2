"""Where the bus takes an organization's events, those of accounts that the spec does not name make no jobs."""

import json
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.failures import PortError
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.core.result import Result
from ecr_warden.events.dispatch import FRESH, Dispatch, Members
from ecr_warden.events.trigger import Ignored
from local.testing.seed import CHECKOUT, D1, HOME
from tests.usecases.world import OPEN, World, world_in_sync

HUB, ELSEWHERE = "444444444444", "555555555555"


def read(name: str, account: str, **more: object) -> dict[str, Any]:
    """A recorded event, of another account."""
    event: dict[str, Any] = json.loads((Path("events") / f"{name}.json").read_text()) | {"account": account}
    event["detail"] |= {"recipientAccountId": account, "userIdentity": {"type": "IAMUser", "accountId": account}}
    event["detail"]["requestParameters"] |= more
    return event


def heartbeat(account: str) -> dict[str, Any]:
    rule = f"arn:aws:events:eu-central-1:{account}:rule/ecr-warden-heartbeat"
    event: dict[str, Any] = json.loads(Path("events/events-ScheduledEvent.json").read_text())
    return event | {"account": account, "region": "eu-central-1", "resources": [rule]}


class Row:
    """The accepted accounts, how often they were read, and what happens then."""

    def __init__(self, found: Collection[str], error: Exception | None = None) -> None:
        self.found, self.error, self.times = found, error, 0

    def read(self) -> Collection[str]:
        self.times += 1
        if self.error is not None:
            raise self.error
        return self.found


def dispatch_in(world: World, row: Row) -> Dispatch:
    return Dispatch(world.jobs, "bucket", "access.yaml", Members(HUB, row.read, world.clock).has)


def test_a_thousand_events_of_others_make_no_job_and_one_of_ours_among_them_is_repaired() -> None:
    world, row = world_in_sync(), Row([HOME])
    dispatch = dispatch_in(world, row)
    world.put(D1, OPEN)
    for number in range(1000):
        foreign = read("iam-PutRolePolicy", f"{500_000_000_000 + number % 60}", roleName=f"role-{number}")
        assert isinstance(dispatch.dispatch(foreign), Ignored)
        if number == 500:
            dispatch.dispatch(read("ecr-SetRepositoryPolicy", HOME, repositoryName=CHECKOUT.name))
    [job] = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert job.target == CHECKOUT
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert row.times == 1, "one look serves all events of some seconds"


NO_TABLE = PortError("the table does not answer", retryable=True)
OURS: dict[str, tuple[dict[str, Any], Row, bool]] = {
    "of another account": (read("iam-PutRolePolicy", ELSEWHERE), Row([HOME]), False),
    "a heartbeat of another account": (heartbeat(ELSEWHERE), Row([HOME]), False),
    "of the hub, which the spec does not name": (read("iam-PutRolePolicy", HUB), Row([HOME]), True),
    "a heartbeat of ours": (heartbeat(HOME), Row([HOME]), True),
    "a call from another account, on a repository of ours": (
        read("ecr-SetRepositoryPolicy", ELSEWHERE, registryId=HOME),
        Row([HOME]),
        True,
    ),
    "of another account while the list cannot be read": (
        read("iam-PutRolePolicy", ELSEWHERE),
        Row([HOME], NO_TABLE),
        True,
    ),
    "of another account while the list is no list": (
        read("iam-PutRolePolicy", ELSEWHERE),
        Row([], KeyError("S")),
        True,
    ),
    "of another account before a version is accepted": (read("iam-PutRolePolicy", ELSEWHERE), Row([]), True),
    "the schedule": (json.loads(Path("events/events-ScheduledEvent.json").read_text()), Row([HOME]), True),
}


@pytest.mark.parametrize("name", OURS)
def test_an_event_makes_jobs_unless_it_is_known_to_be_of_an_account_that_the_spec_does_not_name(name: str) -> None:
    event, row, makes_jobs = OURS[name]
    world = world_in_sync()
    found = dispatch_in(world, row).dispatch(event)
    assert (bool(world.jobs.sent), isinstance(found, Ignored)) == (makes_jobs, not makes_jobs)


def test_an_account_that_is_accepted_is_known_within_seconds_and_a_table_that_fails_is_not_asked_each_time() -> None:
    world, row = world_in_sync(), Row([HOME])
    dispatch, event = dispatch_in(world, row), read("iam-PutRolePolicy", ELSEWHERE)
    assert isinstance(dispatch.dispatch(event), Ignored)
    row.found = [HOME, ELSEWHERE]
    world.clock.advance(FRESH)
    assert not isinstance(dispatch.dispatch(event), Ignored)
    row.error = NO_TABLE
    world.clock.advance(timedelta(days=1))
    for _ in range(20):
        assert not isinstance(dispatch.dispatch(read("iam-PutRolePolicy", "666666666666")), Ignored)
    assert row.times == 3
