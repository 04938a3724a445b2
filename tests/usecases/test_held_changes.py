"""Changes of a target that wait for a person: access given back where widening is approve, and recreated identities."""

from copy import replace
from dataclasses import dataclass
from datetime import timedelta

import pytest
from ecr_warden.model.address import Address
from ecr_warden.model.alert import HoldOpened, HoldSettled
from ecr_warden.model.codec.requests import request_to_text
from ecr_warden.model.desired import CompiledSpec, HoldLimits, Widening
from ecr_warden.model.hold import HOLD_LASTS, Hold, HoldState
from ecr_warden.model.job import Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.model.observed import Unparseable
from ecr_warden.model.plan import Change, HoldReason
from ecr_warden.model.reply import HeldReply, PlanReply
from ecr_warden.model.request import Accept, AskHeld, AskPlan, Command, Reject
from ecr_warden.model.run import Result
from ecr_warden.model.target import Target
from ecr_warden.ports.errors import AccountUnreachable, Throttled

from local.testing.memory.state import MemoryHolds
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, D4, D5, PULL_USER, PUSH_USER, PUSHER
from tests.usecases.hub import HUB, ask, commands_of
from tests.usecases.world import MALLORY, OPEN, World, bare_world, world_in_sync

APPROVE = replace(ACCEPTED, limits=HoldLimits(Widening.APPROVE))
OPS = Actor(
    "AssumedRole",
    arn=f"arn:aws:sts::{CI}:assumed-role/ops/alice",
    account=CI,
    issuer=f"arn:aws:iam::{CI}:role/ops",
    session_name="alice",
)
HARD = Unparseable("too hard to compare", "{}", "hard")
TRUSTING = replace(ACCEPTED, limits=HoldLimits(trusted_actors=(f"arn:aws:iam::{CI}:role/ops",)))


def give(world: World, command: Command) -> None:
    commands_of(world)(request_to_text(command), "alice", HUB)


def holds(world: World) -> list[Hold]:
    reply = ask(world, AskHeld())
    assert isinstance(reply, HeldReply)
    return [*reply.holds]


def the_hold(world: World) -> Hold:
    [hold] = holds(world)
    return hold


def opened(world: World) -> int:
    return sum(isinstance(alert, HoldOpened) for alert in world.alerts.published)


def taken_away(accepted: CompiledSpec = APPROVE) -> World:
    """Somebody took the pullers' access away, and a run has seen it."""
    world = world_in_sync(accepted)
    world.documents.live.pop(D1)
    assert world.run(CHECKOUT) is (Result.REPORTED if accepted is APPROVE else Result.CONVERGED)
    return world


def test_where_widening_is_approve_restoring_access_waits_and_is_announced_once() -> None:
    world = taken_away()
    hold = the_hold(world)
    assert (world.writes, opened(world)) == ([], 1)
    assert hold.what == f"giving access back by the repository-policy of {CHECKOUT}"
    assert any("pull-user-1 will gain pull access to shop/checkout" in line for line in hold.gains)
    [report] = world.reports
    [held] = report.plan.held
    assert (held.reason, held.hold) == (HoldReason.ACCEPTANCE, hold.id)
    world.forget()
    world.sweep()
    world.drain()
    assert (world.writes, opened(world), world.reports) == ([], 0, [])


def test_the_plan_of_the_hub_shows_what_waits_and_by_which_id() -> None:
    world = taken_away()
    reply = ask(world, AskPlan())
    assert isinstance(reply, PlanReply)
    [plan] = reply.plans
    assert plan.changes == ()
    assert [(held.reason, held.hold) for held in plan.held] == [(HoldReason.ACCEPTANCE, the_hold(world).id)]


def test_the_plan_of_the_hub_shows_what_a_recreated_identity_waits_for() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    created(world, MALLORY)
    reply = ask(world, AskPlan())
    assert isinstance(reply, PlanReply)
    held = [one for plan in reply.plans for one in plan.held]
    assert {(one.reason, one.hold) for one in held} == {(HoldReason.RECREATED, the_hold(world).id)}
    assert [plan for plan in reply.plans if plan.changes] == []


@pytest.mark.parametrize("widening", [Widening.HOLD, Widening.FREE])
def test_elsewhere_it_is_restored_at_once(widening: Widening) -> None:
    world = taken_away(replace(ACCEPTED, limits=HoldLimits(widening)))
    assert (world.differing(), holds(world)) == ([], [])


def test_surplus_access_is_taken_away_while_what_is_missing_waits() -> None:
    world = world_in_sync(APPROVE)
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    assert world.live(D1) != OPEN
    assert world.written and the_hold(world)
    [report] = world.reports
    assert [held.reason for held in report.plan.held] == [HoldReason.ACCEPTANCE]


def test_the_roll_out_of_an_accepted_version_does_not_wait_again() -> None:
    world = bare_world(APPROVE)
    cause = Cause(CauseKind.SPEC, APPROVE.version)
    for target in (CHECKOUT, PUSHER, PULL_USER, PUSH_USER):
        world.reconcile()(ReconcileTarget(cause, target))
    world.drain()
    assert holds(world) == []
    assert world.live(D1) is not None and world.live(D4) is not None


def test_the_roll_out_of_another_version_is_none_of_this_one() -> None:
    world = bare_world(APPROVE)
    world.reconcile()(ReconcileTarget(Cause(CauseKind.SPEC, "v0"), CHECKOUT))
    assert (world.writes, len(holds(world))) == ([], 1)


def test_an_acceptance_releases_exactly_this_change_once() -> None:
    world = taken_away()
    hold = the_hold(world)
    world.forget()
    give(world, Accept("command-1", hold.id))
    world.drain()
    assert world.differing() == []
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.ACCEPTED
    world.documents.live.pop(D1)
    world.clock.advance(timedelta(minutes=1))
    assert world.run(CHECKOUT) is Result.REPORTED
    again = the_hold(world)
    assert (again.id, again.decision) == (hold.id, None), "the acceptance is used up"


def test_an_acceptance_of_another_live_document_releases_nothing() -> None:
    world = taken_away()
    hold = the_hold(world)
    world.put(D1, OPEN)
    give(world, Accept("command-1", hold.id))
    world.drain()
    assert world.differing() == [str(D1)]
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.VOID
    assert the_hold(world).id != hold.id


def test_what_is_restored_by_somebody_makes_the_hold_void() -> None:
    world = taken_away()
    hold = the_hold(world)
    wanted = APPROVE.targets[CHECKOUT.key].documents[D1]
    world.put(D1, wanted)  # type: ignore[arg-type]
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert holds(world) == []
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.VOID
    assert any(isinstance(alert, HoldSettled) for alert in world.alerts.published)


def test_a_rejected_change_is_not_announced_again_until_its_time_is_up() -> None:
    world = taken_away()
    hold = the_hold(world)
    give(world, Reject("command-1", hold.id))
    world.drain()
    world.forget()
    world.run(CHECKOUT)
    assert (world.writes, opened(world), holds(world)) == ([], 0, [])
    world.clock.advance(HOLD_LASTS)
    world.run(CHECKOUT)
    assert (world.writes, opened(world)) == ([], 1)


def recreate(world: World, target: Target = PULL_USER) -> None:
    """Somebody deletes a user with all it has, and makes one of the same name."""
    world.documents.unmake(target)
    for address in (D5,):
        world.documents.live.pop(address, None)
    world.documents.make(target)


def created(world: World, by: Actor | None, target: Target = PULL_USER, *, made: str = "") -> Result | None:
    """CloudTrail reports who made the user: the one that there is, or with the unique ID `made`."""
    cause = replace(world.event(by), action="iam:CreateUser", made=made or world.documents.owners[target])
    return world.reconcile()(ReconcileTarget(cause, target))


def test_a_user_recreated_by_nobody_trusted_gets_its_access_back_from_a_person_alone() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    created(world, MALLORY)
    world.drain()
    assert world.writes == []
    hold = the_hold(world)
    assert hold.why[0].startswith("it was recreated by mallory")
    world.sweep()
    world.drain()
    assert (world.writes, opened(world)) == ([], 1)
    give(world, Accept("command-1", hold.id))
    world.drain()
    assert world.differing() == []
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.ACCEPTED


def test_a_user_recreated_by_somebody_trusted_gets_its_access_back_at_once() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    created(world, OPS)
    world.drain()
    assert (world.differing(), holds(world)) == ([], [])


def test_a_user_recreated_by_nobody_known_waits() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    world.sweep()
    world.drain()
    assert world.writes == []
    assert "by nobody known" in the_hold(world).why[0]


def test_a_late_event_vouches_for_nobody_who_recreated_the_user_since() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    made = world.documents.owners[PULL_USER]
    recreate(world)
    created(world, OPS, made=made)
    world.drain()
    assert world.writes == []
    assert "by nobody known" in the_hold(world).why[0]


def test_a_call_that_failed_made_nobody_trusted() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    made = world.documents.owners[PULL_USER]
    cause = replace(world.event(OPS), action="iam:CreateUser", error="EntityAlreadyExists", made=made)
    world.reconcile()(ReconcileTarget(cause, PULL_USER))
    assert (world.writes, len(holds(world))) == ([], 1)


def test_where_nobody_is_named_as_trusted_a_recreated_user_gets_its_access_back_as_ever() -> None:
    world = world_in_sync()
    recreate(world)
    created(world, MALLORY)
    world.drain()
    assert (world.differing(), holds(world)) == ([], [])


def test_a_policy_that_names_a_recreated_user_gives_it_nothing_before_its_own_run_either() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    world.documents.live.pop(D1)
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.writes == []
    [held] = world.reports[0].plan.held
    assert held.reason is HoldReason.RECREATED


def test_a_recreated_user_that_lacks_nothing_is_held_once_and_can_be_accepted() -> None:
    world = world_in_sync(TRUSTING)
    documents = dict(world.documents.live)
    recreate(world)
    world.documents.live |= {D5: documents[D5]}
    created(world, MALLORY)
    world.drain()
    for _ in range(3):
        world.clock.advance(timedelta(minutes=15))
        world.sweep()
        world.drain()
    hold = the_hold(world)
    assert (world.writes, opened(world)) == ([], 1)
    give(world, Accept("command-1", hold.id))
    world.drain()
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.ACCEPTED


def test_a_user_recreated_while_a_run_writes_waits_too() -> None:
    world = world_in_sync(TRUSTING)
    world.documents.live.pop(D5)
    unique_id = world.documents.owners[PULL_USER]

    def meanwhile(_: Target, change: Change | None) -> None:
        if change is not None and world.documents.owners[PULL_USER] == unique_id:
            world.documents.unmake(PULL_USER)
            world.documents.make(PULL_USER)

    world.documents.faults = meanwhile
    world.run(PULL_USER)
    world.documents.live.pop(D1)
    world.run(CHECKOUT)
    assert world.documents.live.get(D1) is None
    world.run(PULL_USER)
    assert the_hold(world).why[0].startswith("it was recreated")


def test_a_policy_that_names_a_recreated_user_gives_it_nothing_while_it_cannot_be_read() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)

    def denied(target: Target, _: Change | None) -> None:
        if target == PULL_USER:
            raise AccountUnreachable("the role is gone")

    world.documents.faults = denied
    world.documents.live.pop(D1)
    assert world.run(CHECKOUT) is Result.REPORTED
    assert world.writes == []
    assert [held.explain for held in world.reports[0].plan.held] == [
        f"{PULL_USER} cannot be read, and only trusted_actors may recreate it"
    ]


def test_a_document_that_nobody_can_take_apart_lets_no_recreated_user_in() -> None:
    world = world_in_sync(TRUSTING)
    recreate(world)
    for _ in range(2):
        world.put(D1, HARD)
        assert world.run(CHECKOUT) is Result.REPORTED
        assert D1 not in world.documents.live


@dataclass(slots=True)
class UnreadHolds(MemoryHolds):
    """The table throttles the partition."""

    def find(self, hold_id: str) -> Hold | None:
        raise Throttled(f"reading hold {hold_id}", retryable=True)


@pytest.mark.parametrize(("accepted", "target", "address"), [(APPROVE, CHECKOUT, D1), (TRUSTING, PULL_USER, D5)])
def test_holds_that_cannot_be_read_delay_no_taking_away(
    accepted: CompiledSpec, target: Target, address: Address
) -> None:
    world = world_in_sync(accepted)
    recreate(world)
    world.put(address, OPEN)
    world.holds = UnreadHolds()
    with pytest.raises(Throttled):
        world.run(target)
    assert world.live(address) != OPEN
