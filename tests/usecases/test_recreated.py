"""Principals that were deleted and made again."""

from copy import replace

import pytest
from ecr_warden.model.address import identity_policy
from ecr_warden.model.job import ReconcileTarget
from ecr_warden.model.outcome import Result
from ecr_warden.model.target import UserTarget
from ecr_warden.ports.errors import Refused, Throttled

from local.testing.seed import (
    CHECKOUT,
    CI,
    D1,
    D2,
    EVERYTHING,
    PULL_USER,
    PUSH_USER,
    PUSHER,
)
from tests.usecases.world import failing, world_at_spec

X = identity_policy(PUSHER, "ecr-warden-x")


@pytest.mark.parametrize(("user", "address"), [(PULL_USER, D1), (PUSH_USER, D2)], ids=["D1", "D2"])
def test_an_equal_document_is_written_again_once_for_a_user_that_was_made_again(
    user: UserTarget, address: object
) -> None:
    world = world_at_spec()
    world.documents.unmake(user)
    world.documents.make(user)
    assert world.sweep() == (user,)
    world.drain()
    assert [change.address for change in world.writes].count(address) == 1  # type: ignore[arg-type]
    assert world.differing() == []
    world.forget()
    for spec in world.accepted.targets.values():
        assert world.run(spec.target) is Result.IN_SYNC
    assert world.writes == []


def test_what_could_not_be_enqueued_for_a_user_made_again_is_found_again() -> None:
    world = world_at_spec()
    world.documents.unmake(PULL_USER)
    world.documents.make(PULL_USER)

    class Broken:
        def enqueue(self, jobs: object) -> None:
            raise Throttled("slow down", retryable=True)

    broken = replace(world.reconcile(), jobs=Broken())
    with pytest.raises(Throttled):
        broken(ReconcileTarget(world.event(), PULL_USER))
    assert set(world.sweep()) == {CHECKOUT, PULL_USER}
    world.drain()
    assert D1 in [change.address for change in world.writes]


def test_a_principal_made_again_that_the_spec_no_longer_names_costs_nothing() -> None:
    world = world_at_spec()
    world.state.mark_recreated(CHECKOUT, f"arn:aws:iam::{CI}:user/gone")
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert world.writes == []


def test_a_rewrite_is_not_repeated_because_something_else_of_the_role_is_in_the_way() -> None:
    world = world_at_spec()
    world.state.mark_recreated(PUSHER, f"arn:aws:iam::{CI}:user/push-user")
    world.put(X, EVERYTHING)
    failing(world, Refused("no"), of=lambda change: change.address == X)
    world.run(PUSHER)
    world.run(PUSHER)
    assert world.written == ["update trust-policy"]
