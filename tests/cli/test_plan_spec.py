"""The use case behind plan, on the memory adapter."""

from copy import replace

from ecr_warden.core.address import identity_policy, repository_policy, role
from ecr_warden.core.desired import Mode
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.hub.plan import plan_spec
from local.testing.memory.estate import LiveEstateReader
from local.testing.memory.hub import ManualClock
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    HOME,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    USERS,
    identity_document,
    repository_document,
    trust_document,
)
from tests.contracts.worlds import MemoryWorld, make_in_sync, make_targets

CLOCK = ManualClock()


def plans_of(world: MemoryWorld) -> dict[str, Plan]:
    return {str(plan.target): plan for plan in plan_spec(ACCEPTED, LiveEstateReader(world.documents).live, CLOCK)[0]}


def test_accounts_in_sync_give_an_empty_plan_for_each_target(world: MemoryWorld) -> None:
    make_in_sync(world)
    plans = plans_of(world)
    assert set(plans) == {str(target) for target in (CHECKOUT, PUSHER, *USERS)}
    assert all(plan.is_empty and not plan.held for plan in plans.values())


def test_empty_accounts_have_the_role_planned_before_its_user(world: MemoryWorld) -> None:
    make_targets(world)
    plans = plans_of(world)
    assert [change.operation for change in plans[str(PUSHER)].changes] == [Operation.CREATE, Operation.CREATE]
    assert [held.reason for held in plans[str(PUSH_USER)].held] == [HoldReason.ROLE_NOT_IN_SYNC]
    assert plans[str(PUSH_USER)].changes == ()
    assert [change.address for change in plans[str(CHECKOUT)].changes] == [repository_policy(CHECKOUT)]


def test_a_plan_is_made_as_if_enforcing_whatever_the_mode(world: MemoryWorld) -> None:
    make_in_sync(world)
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    observing = replace(ACCEPTED, mode=Mode.OBSERVE)
    every, _ = plan_spec(observing, LiveEstateReader(world.documents).live, CLOCK)
    plans = [plan for plan in every if not plan.is_empty]
    assert [change.address for plan in plans for change in plan.changes] == [repository_policy(CHECKOUT)]
    assert all(plan.held == () for plan in plans)


def test_an_unreadable_target_is_held_and_the_others_are_planned(world: MemoryWorld) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    world.close(CI)
    plans = plans_of(world)
    for user in USERS:
        assert {drift.kind for drift in plans[str(user)].drifts} == {DriftKind.UNREADABLE}
        assert plans[str(user)].changes == ()
    assert len(plans[str(CHECKOUT)].changes) == 1


def test_orphans_are_planned_too(world: MemoryWorld) -> None:
    make_in_sync(world)
    old_user, old_role = UserTarget(CI, "left-us"), RoleTarget(HOME, "old-pusher")
    world.put(identity_policy(old_user, "ecr-warden-pull"), identity_document())
    world.put(identity_policy(old_user, "own"), identity_document())
    world.make_role(old_role, SETTINGS, trust_document(), tagged=True)
    plans = plans_of(world)
    assert [change.address for change in plans[str(old_user)].changes] == [identity_policy(old_user, "ecr-warden-pull")]
    assert role(old_role) in [change.address for change in plans[str(old_role)].changes]


def test_each_account_and_each_repository_of_the_spec_is_read_once(world: MemoryWorld) -> None:
    make_in_sync(world)
    world.make(RepositoryTarget(HOME, CHECKOUT.region, "of/nobody"))
    reader = LiveEstateReader(world.documents)
    plan_spec(ACCEPTED, reader.live, CLOCK)
    assert sorted(reader.reads) == sorted([CI, HOME, str(CHECKOUT)])
    assert world.documents.writes == []
