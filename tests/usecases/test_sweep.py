"""The sweep finds exactly what differs, reads only, and enqueues once."""

from dataclasses import replace

from ecr_warden.model.address import identity_policy, role
from ecr_warden.model.desired import Mode, RoleSettings
from ecr_warden.model.job import CauseKind, ReconcileTarget
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.ports.errors import PermissionMissing

from tests.unit.planning.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    D1,
    D4,
    EVERYTHING,
    HOME,
    OUTSIDER,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    allow,
    document,
)
from tests.usecases.world import World, failing, unreadable, world_at_spec

OPEN = document(allow("ecr:BatchGetImage", who="*"))


def keys(targets: tuple[Target, ...]) -> set[str]:
    return {target.key for target in targets}


def slice_of(world: World, index: int, of: int) -> tuple[Target, ...]:
    return world.sweep(index=index, of=of)


def test_without_an_accepted_spec_there_is_nothing_to_find() -> None:
    world = world_at_spec()
    world.specs.compiled = None
    assert world.sweep() == ()


def test_two_accounts_that_are_right_cost_no_job() -> None:
    world = world_at_spec()
    assert world.sweep() == ()
    assert world.jobs.sent == []


def test_exactly_what_differs_is_enqueued_for_the_sweep() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.documents.remove(D4)
    assert keys(world.sweep()) == {CHECKOUT.key, PUSH_USER.key}
    assert world.writes == []
    jobs = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert {job.target.key for job in jobs} == {CHECKOUT.key, PUSH_USER.key}
    assert {job.cause.kind for job in jobs} == {CauseKind.SWEEP}


def test_leftovers_of_ours_are_found_and_those_of_others_are_not() -> None:
    world = world_at_spec()
    gone, theirs = UserTarget(CI, "gone"), UserTarget(CI, "theirs")
    old, foreign_role = RoleTarget(HOME, "old-pusher"), RoleTarget(HOME, "app")
    world.put(identity_policy(gone, "ecr-warden-pull"), EVERYTHING)
    world.put(identity_policy(theirs, "work"), EVERYTHING)
    world.put(role(old), RoleSettings("/ecr-warden/", 3600, None))
    world.documents.tagged.add(old)
    world.put(role(foreign_role), RoleSettings("/ecr-warden/", 3600, None))
    world.put(identity_policy(UserTarget(OUTSIDER, "u"), "ecr-warden-pull"), EVERYTHING)
    world.put(identity_policy(RoleTarget(HOME, "ecr-warden-write"), "ecr-warden-x"), EVERYTHING)
    world.documents.make(RepositoryTarget(HOME, "eu-central-1", "another/one"))
    assert keys(world.sweep()) == {gone.key, old.key}
    world.drain()
    assert world.sweep() == ()


def test_an_owner_that_was_made_again_is_found_though_its_documents_are_right() -> None:
    world = world_at_spec()
    kept = dict(world.documents.live)
    world.documents.unmake(PULL_USER)
    world.documents.make(PULL_USER)
    world.documents.live = kept
    assert world.sweep() == (PULL_USER,)


def test_an_owner_seen_for_the_first_time_is_not_made_again() -> None:
    world = world_at_spec()
    world.state.remembered.clear()
    assert world.sweep() == ()


def test_what_cannot_be_read_is_looked_at() -> None:
    world = world_at_spec()
    unreadable(world, PermissionMissing("denied"))
    assert keys(world.sweep()) == set(ACCEPTED.targets)


def test_what_is_only_observed_is_enqueued_and_told_once() -> None:
    world = world_at_spec(replace(ACCEPTED, mode=Mode.OBSERVE))
    world.put(D1, OPEN)
    for _ in range(3):
        assert world.sweep() == (CHECKOUT,)
        world.drain()
    assert len(world.reports) == 1


def test_a_target_that_waits_for_its_role_is_found_until_the_role_is_right() -> None:
    world = world_at_spec()
    world.documents.remove(role(PUSHER))
    world.documents.remove(D4)
    assert keys(world.sweep()) == {PUSHER.key, PUSH_USER.key}
    world.drain()
    assert (world.sweep(), world.differing()) == ((), [])


def test_a_failing_target_is_found_again_and_again_and_told_once() -> None:
    world = world_at_spec()
    world.documents.remove(D1)
    failing(world, PermissionMissing("denied"))
    for _ in range(3):
        assert world.sweep() == (CHECKOUT,)
        world.drain()
    assert len(world.reports) == 1


def test_the_slices_of_a_sweep_find_each_target_once() -> None:
    world = world_at_spec()
    gone = UserTarget(CI, "gone")
    world.put(identity_policy(gone, "ecr-warden-pull"), EVERYTHING)
    for spec in ACCEPTED.targets.values():
        for address in spec.documents:
            if address.kind is not role(PUSHER).kind:
                world.documents.remove(address)
    found = [target.key for index in range(3) for target in slice_of(world, index, 3)]
    assert sorted(found) == sorted({*ACCEPTED.targets, gone.key})
