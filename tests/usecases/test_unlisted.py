"""Lists that AWS did not return: what they would hold stays unknown, and that is reported."""

from collections.abc import Callable
from functools import partial

import pytest

from ecr_warden.collect.alerts import Unlisted
from ecr_warden.core.address import Address, identity_policy
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing, PortError, Refused, RetryLater, Throttled
from ecr_warden.core.job import CauseKind, ReconcileTarget
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.notify.kinds import incident
from ecr_warden.repair.documents import all_identities
from local.testing.memory.estate import all_repositories
from local.testing.seed import CHECKOUT, CI, D1, EVERYTHING, HOME, USERS
from tests.usecases.pattern_world import PATTERN, policy, shop, world_of
from tests.usecases.world import FIRST, OPEN, World, world_in_sync

DENIED = PermissionMissing("iam:ListRoles is denied", remedy="allow iam:ListRoles")
GONE = identity_policy(UserTarget(CI, "gone"), "ecr-warden-pull")

type Case = tuple[Callable[[], World], Target, Address, set[Target]]
# A world, what represents the list, a document that drifts, and what a sweep still finds: the users that the spec
# names are read one by one.
LISTS: dict[str, Case] = {
    "the identities of an account": (world_in_sync, all_identities(CI), D1, {CHECKOUT, *USERS}),
    "the repositories of a pattern": (partial(world_of, "a"), shop("*"), policy("secret"), {shop("secret")}),
}
each_list = pytest.mark.parametrize("case", LISTS.values(), ids=LISTS)


def unlistable(world: World, error: PortError | None, *lists: Target) -> None:
    asked = {all_repositories(one.account, one.region) if isinstance(one, RepositoryTarget) else one for one in lists}

    def fault(target: Target, _: Change | None) -> None:
        if error is not None and target in asked:
            raise error

    world.documents.faults = fault


def reported(world: World) -> list[Unlisted]:
    return [alert for alert in world.alerts.published if isinstance(alert, Unlisted)]


@each_list
def test_it_is_reported_once_and_stops_nothing_else(case: Case) -> None:
    make, listed, drifted, found = case
    world = make()
    world.put(drifted, OPEN)
    unlistable(world, DENIED, listed)
    assert set(world.sweep()) == found
    [alert] = reported(world)
    assert (alert.version, alert.cause.kind, alert.codes) == ("v1", CauseKind.SWEEP, ("permission-missing",))
    assert alert.problems == (f"{listed}: {DENIED}",)
    world.drain()
    world.sweep()
    assert reported(world) == [alert]


@each_list
def test_it_is_reported_again_when_the_reason_changes_or_comes_back(case: Case) -> None:
    make, listed, *_ = case
    world = make()
    reasons = (
        (DENIED, 1),
        (PermissionMissing("iam:ListRoles is denied, request 2", remedy=DENIED.remedy), 1),
        (Refused("the region is not enabled"), 2),
        (None, 2),
        (Refused("the region is not enabled"), 3),
        (AccountUnreachable("the account is suspended"), 3),  # the watch says it, once for the account
    )
    for reason, times in reasons:
        unlistable(world, reason, listed)
        world.sweep()
        assert len(reported(world)) == times


@each_list
def test_a_throttled_list_is_retried_before_it_is_reported(case: Case) -> None:
    make, listed, drifted, _ = case
    world = make()
    world.put(drifted, OPEN)
    unlistable(world, Throttled("slow down", retryable=True), listed)
    with pytest.raises(RetryLater, match="slow down"):
        world.sweep(attempt=FIRST)
    assert drifted.target in [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert reported(world) == []
    world.sweep()
    assert [alert.problems for alert in reported(world)] == [(f"{listed}: slow down",)]


def test_an_orphan_is_found_once_its_account_can_be_listed() -> None:
    world = world_in_sync()
    world.put(GONE, EVERYTHING)
    unlistable(world, DENIED, all_identities(CI))
    assert GONE.target not in world.sweep()
    world.drain()
    assert world.live(GONE) == EVERYTHING
    unlistable(world, None)
    assert GONE.target in world.sweep()


def test_each_account_is_reported_by_its_own_part_under_one_cause() -> None:
    world = world_in_sync()
    unlistable(world, DENIED, all_identities(CI), all_identities(HOME))
    world.sweep()
    assert [alert.problems for alert in reported(world)] == [
        (f"user/{account}/*: {DENIED}",) for account in sorted((CI, HOME))
    ]
    assert {alert.cause for alert in reported(world)} == {reported(world)[0].cause}
    assert len({incident(alert) for alert in reported(world)}) == 1, "one message for all of a sweep"


def test_many_unlisted_patterns_are_one_message() -> None:
    more = "".join(f"  - {{name: p{n}/*, account: registry, pull: [{{account: ci}}]}}\n" for n in range(60))
    world = world_of(text=PATTERN.replace("settings:", f"{more}settings:"))
    assert world.specs.compiled is not None
    unlistable(world, DENIED, *(pattern.target for pattern in world.specs.compiled.patterns))
    world.sweep()
    [alert] = reported(world)
    assert len(alert.problems) == 50
    world.sweep()
    assert reported(world) == [alert]
