"""The plan shown is the plan that a run makes, with what the hub remembers of each target."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import by_target
from ecr_warden.core.desired import DocumentTakeover
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.plan import Plan
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.target import Target
from ecr_warden.hub.plan import plan_spec
from ecr_warden.hub.reply import CheckReply, PlanReply
from ecr_warden.hub.request import AskCheck, AskPlan
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    CUTOFF,
    D1,
    D2,
    MALLORY,
    MORE_TRUST,
    NOW,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    allow,
    document,
    spec_of,
)
from tests.usecases.hub import queries_of
from tests.usecases.test_removed import left
from tests.usecases.world import World, expect, world_in_sync


def owing(target: Target, debts: Debts) -> World:
    world = world_in_sync()
    record = world.state.remembered[target.key]
    world.state.remembered[target.key] = replace(record, debts=debts)
    return world


def recreated() -> World:
    world = world_in_sync()
    world.documents.unmake(PULL_USER)
    world.documents.make(PULL_USER)
    return world


def opened() -> World:
    world = world_in_sync()
    world.clock.advance(timedelta(hours=1))
    world.put(D2, MORE_TRUST)
    return world


def moved() -> World:
    """A document that a version takes over has changed since it was judged, and lacks something too."""
    world = opened()
    world.put(D2, document(allow("sts:AssumeRole", who=MALLORY)))
    assert world.specs.compiled is not None
    world.specs.compiled = replace(
        world.specs.compiled, taken_over=by_target({str(D2): DocumentTakeover("another digest", "v1")})
    )
    return world


def opened_after_a_sweep() -> World:
    world = world_in_sync()
    world.clock.advance(timedelta(hours=1))
    assert world.sweep() == ()
    world.clock.advance(timedelta(minutes=1))
    world.put(D2, MORE_TRUST)
    return world


SITUATIONS: dict[str, tuple[Callable[[], World], Target]] = {
    "a session cut-off that an interrupted repair still owes": (
        lambda: owing(PUSHER, Debts(Sessions(NOW + timedelta(seconds=60)))),
        PUSHER,
    ),
    "a session cut-off that somebody removed": (
        lambda: owing(PUSHER, Debts(Sessions(NOW + timedelta(seconds=60)), sessions_ended=True)),
        PUSHER,
    ),
    "a recreated user that a run has noted": (
        lambda: owing(CHECKOUT, Debts(recreated_principals=(f"arn:aws:iam::{CI}:user/pull-user-1",))),
        CHECKOUT,
    ),
    "a removed repository that has to be revoked": (left, CHECKOUT),
}


def asked(world: World) -> PlanReply:
    return expect(PlanReply, queries_of(world).answer(AskPlan()))


def gist(plan: Plan) -> tuple[object, ...]:
    writes = tuple((change.operation, change.address, change.after) for change in plan.changes)
    return plan.target, writes, tuple((drift.address, drift.kind) for drift in plan.drifts)


OPENED: dict[str, tuple[Callable[[], World], Target]] = {
    "a trust policy that was opened after a run had read it in sync": (opened, PUSHER),
    "a trust policy that was opened after a sweep had read it in sync": (opened_after_a_sweep, PUSHER),
}


@pytest.mark.parametrize("name", [*SITUATIONS, *OPENED])
def test_the_documented_plan_is_the_plan_that_a_run_makes(name: str) -> None:
    make, target = (SITUATIONS | OPENED)[name]
    world = make()
    world.forget()
    [shown] = [plan for plan in asked(world).plans if plan.target == target]
    assert shown.changes
    assert world.writes == []
    world.run(target)
    made = world.reports[-1].plan
    assert gist(shown) == gist(made)


@pytest.mark.parametrize("name", SITUATIONS)
def test_without_the_hubs_memory_the_plan_is_empty(name: str) -> None:
    make, target = SITUATIONS[name]
    world = make()
    assert world.specs.compiled is not None
    plans, _ = plan_spec(world.specs.compiled, world.reader.live, world.clock)
    assert [plan for plan in plans if plan.target == target and not plan.is_empty] == []


def test_what_has_changed_since_it_was_judged_is_shown_as_held() -> None:
    world = moved()
    [shown] = [plan for plan in asked(world).plans if plan.target == PUSHER]
    world.run(PUSHER)
    made = world.reports[-1].plan
    assert (shown.held[0].reason, gist(shown)) == (HoldReason.MOVED, gist(made))


def test_a_recreated_user_that_no_run_has_seen_is_planned_for_and_named() -> None:
    world = recreated()
    reply = asked(world)
    assert reply.recreated == (str(PULL_USER),)
    [shown] = [plan for plan in reply.plans if plan.target == CHECKOUT]
    assert [(change.address, drift.kind) for change, drift in zip(shown.changes, shown.drifts, strict=True)] == [
        (D1, DriftKind.PRINCIPAL_RECREATED)
    ]
    world.run(PULL_USER)
    world.drain()
    assert D1 in [change.address for change in world.writes]
    afterwards = asked(world)
    assert (afterwards.plans, afterwards.recreated) == ((), ())


def test_a_recreated_user_is_not_named_for_targets_that_do_not_name_it() -> None:
    reply = expect(PlanReply, queries_of(recreated()).answer(AskPlan((str(PUSHER),))))
    assert (reply.plans, reply.recreated) == ((), ())


def test_verify_reports_recreated_users_too() -> None:
    reply = expect(CheckReply, queries_of(recreated()).answer(AskCheck((str(CHECKOUT), str(PUSH_USER)))))
    kinds = {one.target: [drift.kind for drift in one.drifts] for one in reply.targets}
    assert kinds == {str(CHECKOUT): [DriftKind.PRINCIPAL_RECREATED], str(PUSH_USER): []}


def test_an_expired_cut_off_is_planned_for_deletion_and_is_no_drift() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.run(PUSHER)
    world.clock.advance(timedelta(days=1))
    assert [(change.operation, change.address) for plan in asked(world).plans for change in plan.changes] == [
        ("delete", CUTOFF)
    ]
    verified = expect(CheckReply, queries_of(world).answer(AskCheck()))
    assert [one.drifts for one in verified.targets] == [()] * 5


def test_the_end_of_a_grant_is_planned_until_a_run_has_ended_its_sessions() -> None:
    role = replace(spec_of(PUSHER), ends=(NOW + timedelta(hours=1),))
    world = world_in_sync(replace(ACCEPTED, targets={**ACCEPTED.targets, PUSHER.key: role}))
    world.clock.advance(timedelta(hours=2))
    [plan] = [plan for plan in asked(world).plans if plan.changes]
    assert plan.drifts == ()
    assert [(change.operation, change.address, change.why) for change in plan.changes] == [
        ("create", CUTOFF, "a grant has ended: denies sessions issued before 2026-11-24T11:01:00Z")
    ]
    world.run(PUSHER)
    assert [plan.changes for plan in asked(world).plans if plan.changes] == []
