"""Targets that the spec names no longer, or never named: orphans, repositories, everything removed at once."""

from copy import replace
from itertools import permutations

import pytest

from ecr_warden.core.address import identity_policy, role
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.versions.alerts import SpecAccepted
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
    OUTSIDER,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    allow,
    deny,
    document,
)
from tests.usecases.uploads import TEXT, enqueued, first, upload
from tests.usecases.world import World, bare_world, world_in_sync

LEFT = TEXT.replace("shop/checkout", "shop/basket")
THEIRS = document(allow("ecr:BatchGetImage", who="222222222222"))


def left(mode: str = "enforce") -> World:
    """The repository has just left the spec; its jobs wait."""
    world = first(TEXT)
    world.documents.make(CHECKOUT)
    world.drain()
    world.put(D1, document(allow("ecr:BatchGetImage", who="222222222222")))
    world.run(CHECKOUT)
    world.forget()
    assert isinstance(upload(world, LEFT.replace("mode: enforce", f"mode: {mode}"), "v2"), SpecAccepted)
    return world


def test_its_policy_is_deleted_first_and_once() -> None:
    world = left()
    kinds = [key.partition("/")[0] for key in enqueued(world)]
    assert CHECKOUT.key in enqueued(world)
    assert kinds == sorted(kinds, key=["repository", "role", "user"].index)
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert world.live(D1) is None
    assert world.run(CHECKOUT) is None


def test_afterwards_the_repository_is_left_alone() -> None:
    world = left()
    world.drain()
    world.put(D1, THEIRS)
    assert world.run(CHECKOUT) is None
    upload(world, LEFT + "# again\n", "v3")
    world.drain()
    assert CHECKOUT not in world.sweep()
    assert world.live(D1) == THEIRS


@pytest.mark.parametrize("versions", [1, 3])
def test_the_sweep_repeats_a_lost_job_any_number_of_versions_later(versions: int) -> None:
    world = left()
    for number in range(versions):
        world.jobs.sent.clear()
        upload(world, f"{LEFT}# {number}\n", f"w{number}")
    world.jobs.sent.clear()
    assert CHECKOUT in world.sweep()
    world.drain()
    assert world.live(D1) is None
    assert CHECKOUT not in world.sweep()


def test_in_observe_mode_it_waits_until_the_spec_says_enforce() -> None:
    world = left("observe")
    assert world.run(CHECKOUT) is Result.REPORTED
    upload(world, LEFT, "v3")
    assert world.run(CHECKOUT) is Result.CONVERGED
    assert world.live(D1) is None


def test_a_repository_that_returns_and_is_removed_again_is_cleared_again() -> None:
    world = left()
    world.drain()
    world.estate_store.pieces.clear()  # what it wrote is read again
    upload(world, TEXT, "v3")
    world.drain()
    assert world.live(D1) is not None
    upload(world, LEFT, "v4")
    world.drain()
    assert world.live(D1) is None


def test_a_deleted_repository_has_nothing_to_revoke() -> None:
    world = left()
    world.documents.unmake(CHECKOUT)
    assert world.run(CHECKOUT) is Result.IN_SYNC
    assert world.run(CHECKOUT) is None


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
    world = world_in_sync()
    assert world.run(target) is None
    assert world.documents.reads == 0


def test_a_role_that_is_not_ecr_wardens_is_left_alone() -> None:
    world = world_in_sync()
    mine = RoleTarget(HOME, "theirs")
    world.put(role(mine), RoleSettings("/", 3600, None))
    world.put(identity_policy(mine, "work"), EVERYTHING)
    assert world.run(mine) is Result.IN_SYNC
    assert world.sweep() == ()
    assert (world.writes, world.reports) == ([], [])


def test_a_push_role_without_grants_is_deleted_with_all_its_policies() -> None:
    world = world_in_sync()
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
    world = world_in_sync()
    theirs = identity_policy(PUSH_USER, "work")
    world.put(theirs, EVERYTHING)
    without = {key: spec for key, spec in ACCEPTED.targets.items() if spec.target != PUSH_USER}
    world.specs.compiled = replace(ACCEPTED, targets=without, version="v2")
    assert world.sweep() == (PUSH_USER,)
    world.drain()
    assert world.live(D4) is None
    assert world.live(theirs) == EVERYTHING


NOTHING = TEXT[: TEXT.index("    pull:")] + "settings: {mode: enforce}\n"
PULL_USER_2 = UserTarget(CI, "pull-user-2")
TARGETS = (CHECKOUT, PUSHER, PULL_USER, PULL_USER_2, PUSH_USER)


def taken_away() -> World:
    """Everything is as the old version says; the new one is accepted and its jobs wait."""
    world = first()
    for owner in (CHECKOUT, PULL_USER, PULL_USER_2, PUSH_USER):
        world.documents.make(owner)
    world.sweep()
    world.drain()
    assert not world.differing()
    world.forget()
    upload(world, NOTHING, "v2")
    return world


def test_the_registrys_side_is_sent_first() -> None:
    assert enqueued(taken_away()) == [target.key for target in TARGETS]


@pytest.mark.thorough
@pytest.mark.parametrize("order", list(permutations(range(len(TARGETS)))), ids=str)
def test_no_order_of_runs_adds_access_and_every_order_ends_the_same(order: tuple[int, ...]) -> None:
    world = taken_away()
    jobs = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    before = world.values
    for index in order:
        world.reconcile().reconcile(jobs[index])
        now = world.values
        assert now.items() <= before.items(), "a document that is new or another one"
        before = now
    assert before == {}
    assert PUSHER not in world.documents.owners


@pytest.mark.parametrize("broken", TARGETS, ids=str)
def test_a_failing_target_does_not_stop_others_from_losing_access(broken: Target) -> None:
    world = taken_away()

    def fault(target: Target, _: Change | None) -> None:
        if target == broken:
            raise AccountUnreachable("no way in")

    world.documents.faults = fault
    world.drain()
    assert {address.target for address in world.values} == {broken}
    world.recover()
    world.sweep()
    world.drain()
    assert world.values == {}
