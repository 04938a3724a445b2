"""Push roles, and the users that assume them."""

from datetime import timedelta

import pytest

from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import Refused, RetryLater
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.target import Target
from ecr_warden.notify.kinds import message_of
from ecr_warden.repair.cutoff import LOOK_MARGIN
from local.testing.seed import (
    ASSUMING,
    CUTOFF,
    D2,
    D3,
    D4,
    HOME,
    MORE_TRUST,
    NOW,
    PUSH_USER,
    PUSHER,
    ROLE,
    allow,
    desired,
    document,
    unparseable,
)
from tests.usecases.world import FIRST, bare_world, failing, world_in_sync


def test_an_unparseable_user_policy_is_deleted_and_reported_once_while_it_waits_for_its_role() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(D4, unparseable())
    for _ in range(2):
        assert world.run(PUSH_USER) is Result.WAITING
    assert (world.written, len(world.reports)) == (["delete identity-policy ecr-warden-assume"], 1)
    assert any("cannot be parsed" in line for line in message_of(world.announced).lines)
    assert world.run(PUSHER) is Result.CONVERGED
    world.drain()
    assert world.live(D4) == desired(D4)


def test_excess_access_of_a_user_is_removed_although_its_role_is_not_in_sync() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(D4, document(allow(*ASSUMING), allow("iam:*")))
    world.run(PUSH_USER)
    assert world.live(D4) == desired(D4)


def test_excess_access_of_a_user_is_removed_and_missing_access_waits() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    world.put(D4, document(allow("iam:*")))
    assert world.run(PUSH_USER) is Result.WAITING
    assert world.live(D4) is None
    assert world.written == ["delete identity-policy ecr-warden-assume"]
    assert len(world.reports) == 1
    assert world.run(PUSHER) is Result.CONVERGED
    world.drain()
    assert world.live(D4) == desired(D4)


def test_the_role_is_not_read_for_a_repair_that_only_removes_access() -> None:
    world = world_in_sync()
    world.put(D4, document(allow(*ASSUMING, "sts:SetContext", Resource=_resource())))
    assert world.run(PUSH_USER) is Result.CONVERGED
    assert world.documents.reads == 2


def _resource() -> str:
    return f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"


def test_a_role_whose_write_becomes_visible_late_still_enqueues_its_users() -> None:
    world = world_in_sync()
    world.documents.remove(D3)
    world.documents.remove(D4)
    world.run(PUSH_USER)
    late = [False]

    def lag(_: Target, change: Change | None) -> None:
        if change is not None:
            late[0] = True
        elif late[0] and D3 in world.documents.live:
            late[0] = False
            world.documents.live.pop(D3)

    world.documents.faults = lag
    with pytest.raises(RetryLater):
        world.run(PUSHER, attempt=FIRST)
    world.recover()
    world.put(D3, desired(D3))
    assert world.run(PUSHER, attempt=FIRST) is Result.IN_SYNC
    world.drain()
    assert world.live(D4) == desired(D4)


def test_a_role_of_the_same_name_under_another_path_is_not_taken_over() -> None:
    world = bare_world()
    world.put(ROLE, RoleSettings("/", 3600, None))
    world.put(D2, MORE_TRUST)
    assert world.run(PUSHER) is Result.REPORTED
    assert world.writes == []
    assert {hold.reason for hold in world.reports[0].plan.held} == {HoldReason.NOT_OURS}


def test_a_role_deleted_while_it_owes_a_cut_off_is_recreated() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    failing(world, Refused("no"), of=lambda change: change.address == CUTOFF)
    assert world.run(PUSHER) is Result.FAILED
    assert world.state.remembered[PUSHER.key].debts == Debts(
        Sessions(NOW + timedelta(minutes=1), since=NOW - LOOK_MARGIN)
    )
    world.recover()
    world.documents.remove(ROLE)
    assert world.run(PUSHER) is Result.CONVERGED
    assert world.differing() == []
    # The sessions went with the role that they belonged to.
    assert world.state.remembered[PUSHER.key].debts == Debts()
