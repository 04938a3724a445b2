"""Accounts whose users and roles cannot be listed: orphans there stay unknown, and that is reported."""

from collections.abc import Sequence

import pytest
from ecr_warden.alerting.delivery import Gathered
from ecr_warden.alerting.kinds import route
from ecr_warden.model.address import identity_policy
from ecr_warden.model.alert import Unlisted
from ecr_warden.model.drift import DriftKind
from ecr_warden.model.job import CauseKind
from ecr_warden.model.plan import Change
from ecr_warden.model.target import Target, UserTarget
from ecr_warden.ports.documents import all_owners
from ecr_warden.ports.errors import AccountUnreachable, PermissionMissing, PortError, RetryLater, Throttled
from ecr_warden.usecases.plan import plan_spec

from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, EVERYTHING, HOME, PUSHER, allow, document
from tests.usecases.world import FIRST, World, world_at_spec

DENIED = PermissionMissing("iam:ListRoles is denied", remedy="allow iam:ListRoles")
GONE = UserTarget(CI, "gone")
USERS = [spec.target for spec in ACCEPTED.targets.values() if isinstance(spec.target, UserTarget)]


def unlistable(world: World, error: PortError | None, *, accounts: Sequence[str] = (CI,)) -> None:
    def fault(target: Target, _: Change | None) -> None:
        if error is not None and target in [all_owners(account) for account in accounts]:
            raise error

    world.documents.faults = fault


def told(world: World) -> list[Unlisted]:
    return [alert for alert in world.alerts.published if isinstance(alert, Unlisted)]


def test_an_unlisted_account_is_reported_once_and_stops_nothing() -> None:
    world = world_at_spec()
    world.put(identity_policy(GONE, "ecr-warden-pull"), EVERYTHING)
    world.put(D1, document(allow("ecr:*", who="*")))
    unlistable(world, DENIED)
    # Whoever the spec names is looked at singly instead; who left it is not known.
    assert set(world.sweep()) == {CHECKOUT, *USERS}
    [alert] = told(world)
    assert (alert.version, alert.cause.kind) == (world.accepted.version, CauseKind.SWEEP)
    assert alert.problems == (f"user/{CI}/*: {DENIED}",)
    assert alert.codes == ("permission-missing",)
    world.drain()
    world.sweep()
    assert told(world) == [alert]
    assert world.live(identity_policy(GONE, "ecr-warden-pull")) == EVERYTHING
    unlistable(world, None)
    assert GONE in world.sweep()


def test_an_account_that_can_be_listed_is_not_reported() -> None:
    world = world_at_spec()
    world.sweep()
    assert told(world) == []


def test_an_unlisted_account_is_reported_again_when_the_reason_changes_or_comes_back() -> None:
    world = world_at_spec()
    reasons = (
        (DENIED, 1),
        (PermissionMissing("iam:ListRoles is denied, request 2", remedy=DENIED.remedy), 1),
        (AccountUnreachable("the account is closed"), 2),
        (None, 2),
        (AccountUnreachable("the account is closed"), 3),
    )
    for reason, times in reasons:
        unlistable(world, reason)
        world.sweep()
        assert len(told(world)) == times


def test_a_throttled_list_is_retried_before_it_is_reported() -> None:
    world = world_at_spec()
    world.documents.remove(D1)
    unlistable(world, Throttled("slow down", retryable=True))
    with pytest.raises(RetryLater, match="slow down"):
        world.sweep(attempt=FIRST)
    assert CHECKOUT in [job.target for job in world.jobs.sent if hasattr(job, "target")]
    assert told(world) == []
    world.sweep()
    assert [alert.problems for alert in told(world)] == [(f"user/{CI}/*: slow down",)]


def test_each_account_is_reported_by_its_own_part_under_one_cause() -> None:
    world = world_at_spec()
    unlistable(world, DENIED, accounts=(CI, HOME))
    world.sweep()
    assert [alert.problems for alert in told(world)] == [
        (f"user/{account}/*: {DENIED}",) for account in sorted((CI, HOME))
    ]
    assert {alert.cause for alert in told(world)} == {told(world)[0].cause}
    [routed] = {route(alert) for alert in told(world)}
    assert isinstance(routed, Gathered), "one message for all of a sweep"


def test_a_plan_has_an_unlisted_account_beside_the_users_it_could_not_read() -> None:
    world = world_at_spec()
    unlistable(world, DENIED)
    plans = {plan.target: plan for plan in plan_spec(world.accepted, world.documents, world.clock)}
    unread = {target for target, plan in plans.items() if DriftKind.UNREADABLE in [d.kind for d in plan.drifts]}
    assert unread == {all_owners(CI), *USERS}
    [drift] = plans[all_owners(CI)].drifts
    assert (drift.explain, drift.code) == (str(DENIED), "permission-missing")
    assert plans[PUSHER].is_empty
    unlistable(world, None)
    assert all_owners(CI) not in {plan.target for plan in plan_spec(world.accepted, world.documents, world.clock)}
