"""Targets that no grant names."""

from copy import replace

import pytest
from ecr_warden.model.address import identity_policy, role
from ecr_warden.model.desired import RoleSettings
from ecr_warden.model.run import Result
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget

from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    D1,
    D2,
    D4,
    EVERYTHING,
    HOME,
    MORE_TRUST,
    NOW,
    OUTSIDER,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    allow,
    deny,
    document,
)
from tests.usecases.world import bare_world, world_at_spec

OPEN = document(allow("ecr:BatchGetImage", who="*"))


def test_without_an_accepted_spec_nothing_is_read() -> None:
    world = bare_world()
    world.specs.compiled = None
    assert world.run(CHECKOUT) is None
    assert world.documents.reads == 0


@pytest.mark.parametrize(
    "target",
    [
        RepositoryTarget(HOME, "eu-central-1", "another/one"),
        UserTarget(OUTSIDER, "u"),
        RoleTarget(HOME, "ecr-warden-write"),
        RoleTarget(HOME, "ECR-Warden-Read"),
    ],
    ids=["a repository that no grant names", "a user of a foreign account", "our write role", "our read role"],
)
def test_targets_that_ecr_warden_leaves_alone_are_not_even_read(target: Target) -> None:
    world = world_at_spec()
    assert world.run(target) is None
    assert world.documents.reads == 0


def test_a_role_that_is_not_ecr_wardens_is_left_alone() -> None:
    world = world_at_spec()
    mine = RoleTarget(HOME, "theirs")
    world.put(role(mine), RoleSettings("/", 3600, None))
    world.put(identity_policy(mine, "work"), EVERYTHING)
    assert world.run(mine) is Result.IN_SYNC
    assert world.sweep() == ()
    assert (world.writes, world.reports) == ([], [])


def test_a_push_role_without_grants_is_deleted_with_all_its_policies() -> None:
    world = world_at_spec()
    world.put(D2, MORE_TRUST)
    world.run(PUSHER)
    world.put(identity_policy(PUSHER, "AWSRevokeOlderSessions"), document(deny("*")))
    without = {key: spec for key, spec in ACCEPTED.targets.items() if spec.target != PUSHER}
    world.specs.compiled = replace(ACCEPTED, targets=without, version="v2")
    assert PUSHER in world.sweep()
    assert world.run(PUSHER) is Result.CONVERGED
    assert PUSHER not in world.documents.owners
    assert world.run(PUSHER) is Result.IN_SYNC
    assert world.sweep() == ()


def test_a_removed_identity_loses_only_ecr_wardens_policies() -> None:
    world = world_at_spec()
    theirs = identity_policy(PUSH_USER, "work")
    world.put(theirs, EVERYTHING)
    without = {key: spec for key, spec in ACCEPTED.targets.items() if spec.target != PUSH_USER}
    world.specs.compiled = replace(ACCEPTED, targets=without, version="v2")
    assert world.sweep() == (PUSH_USER,)
    world.drain()
    assert world.live(D4) is None
    assert world.live(theirs) == EVERYTHING


def test_a_report_has_the_times_and_the_accounts_of_the_spec() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    assert (world.reports[0].started_at, world.reports[0].finished_at) == (NOW, NOW)
    assert world.reports[0].accounts == (CI, HOME)
    assert SETTINGS.path == "/ecr-warden/"
