"""Principals that were recreated."""

from copy import replace

import pytest
from ecr_warden.model.address import identity_policy
from ecr_warden.model.job import ReconcileTarget
from ecr_warden.model.run import Result
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
def test_an_equal_document_is_rewritten_once_for_a_recreated_user(user: UserTarget, address: object) -> None:
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


def test_jobs_lost_for_a_recreated_user_are_found_again() -> None:
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


def test_a_recreated_principal_that_the_spec_no_longer_names_causes_no_write() -> None:
    world = world_at_spec()
    world.state.mark_recreated(CHECKOUT, f"arn:aws:iam::{CI}:user/gone")
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert world.writes == []


def test_a_rewrite_is_not_repeated_because_another_write_fails() -> None:
    world = world_at_spec()
    world.state.mark_recreated(PUSHER, f"arn:aws:iam::{CI}:user/push-user")
    world.put(X, EVERYTHING)
    failing(world, Refused("no"), of=lambda change: change.address == X)
    world.run(PUSHER)
    world.run(PUSHER)
    assert world.written == ["update trust-policy"]
