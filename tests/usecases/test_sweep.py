"""The sweep finds exactly what differs, reads only, and enqueues once."""

from copy import replace
from functools import partial

import pytest
from ecr_warden.model.address import identity_policy, role
from ecr_warden.model.desired import Departed, Extent, Mode, RoleSettings, TargetSpec
from ecr_warden.model.job import Cause, CauseKind, ReconcileTarget, SweepAll, SweepIdentities, SweepRepositories
from ecr_warden.model.plan import Change
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.ports.errors import AccountUnreachable, PermissionMissing
from ecr_warden.usecases.sweep import ReportUnlisted, Sweep

from local.testing.seed import (
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
from tests.usecases.broken import BROKEN
from tests.usecases.world import World, failing, unreadable, world_at_spec

OPEN = document(allow("ecr:BatchGetImage", who="*"))


def keys(targets: tuple[Target, ...]) -> set[str]:
    return {target.key for target in targets}


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


def noting(read: list[Target], target: Target, _: Change | None) -> None:
    read.append(target)


def sweep_of(world: World) -> Sweep:
    tell = ReportUnlisted(world.state, world.alerts)
    return Sweep(world.specs, world.documents, world.state, world.jobs, world.looks, world.clock, tell)


def test_a_sweep_is_a_job_for_each_account_and_one_for_each_account_and_region() -> None:
    world = world_at_spec()
    cause = Cause(CauseKind.SWEEP, "s-1")
    parts = [SweepIdentities(cause, CI), SweepIdentities(cause, HOME), SweepRepositories(cause, HOME, "eu-central-1")]
    assert list(sweep_of(world)(SweepAll(cause))) == parts
    assert world.jobs.sent == parts
    assert world.documents.reads == 0, "whoever shares out the work reads no account"


def test_a_part_reads_its_own_targets_and_no_other() -> None:
    world = world_at_spec()
    for part in sweep_of(world)(SweepAll(Cause(CauseKind.SWEEP, "s-1"))):
        assert isinstance(part, SweepIdentities | SweepRepositories)
        read: list[Target] = []
        world.documents.faults = partial(noting, read)
        sweep_of(world)(part)
        assert read
        if isinstance(part, SweepIdentities):
            assert {(target.account, isinstance(target, RepositoryTarget)) for target in read} == {
                (part.account, False)
            }
        else:
            assert read == [CHECKOUT]


def test_a_part_that_fails_or_is_unread_stops_no_other() -> None:
    world = world_at_spec()
    world.put(D1, OPEN)
    world.documents.remove(D4)

    def fault(target: Target, _: Change | None) -> None:
        if target.account == CI:
            raise AccountUnreachable("closed")

    world.documents.faults = fault
    assert CHECKOUT.key in keys(world.sweep())


def test_what_left_the_spec_belongs_to_the_part_of_its_account() -> None:
    gone = RepositoryTarget("333333333333", "us-east-1", "shop/old")
    world = world_at_spec(replace(ACCEPTED, departed={gone.key: Departed(gone, "v0")}))
    cause = Cause(CauseKind.SWEEP, "s")
    parts = sweep_of(world)(SweepAll(cause))
    assert SweepRepositories(cause, "333333333333", "us-east-1") in parts
    assert SweepIdentities(cause, "333333333333") not in parts


def test_a_document_that_ecr_warden_fails_on_is_due_and_the_others_go_on() -> None:
    world = world_at_spec()
    world.documents.live[D1] = BROKEN
    world.documents.remove(D4)
    assert keys(world.sweep()) == {CHECKOUT.key, PUSH_USER.key}


@pytest.mark.parametrize("accounts", [1, 120])
def test_the_jobs_of_a_sweep_grow_with_accounts_and_regions_alone(accounts: int) -> None:
    """docs/supported.md: 120 accounts; each has repositories in two regions here, and a hundred users."""
    ids = [f"{number:012}" for number in range(1, accounts + 1)]
    repositories = [
        RepositoryTarget(account, region, f"team/r{n}")
        for account in ids
        for region in ("eu-central-1", "us-east-1")
        for n in range(3)
    ]
    users = [UserTarget(account, f"u{number}") for account in ids for number in range(100)]
    wanted: list[Target] = [*repositories, *users]
    targets = {target.key: TargetSpec(target, Extent.OURS, {}) for target in wanted}
    world = World(replace(ACCEPTED, targets=targets, accounts=tuple(ids)))
    parts = sweep_of(world)(SweepAll(Cause(CauseKind.SWEEP, "s")))
    assert len(parts) == len(set(parts)) == 3 * accounts
