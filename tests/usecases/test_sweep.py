"""The sweep finds exactly what has drifted, only reads, and enqueues once."""

from copy import replace
from datetime import timedelta
from functools import partial

import pytest

from ecr_warden.collect.sweep import Budget
from ecr_warden.core.address import identity_policy, role
from ecr_warden.core.desired import Extent, Removed, RoleSettings, TargetSpec
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing
from ecr_warden.core.job import (
    AuditAccess,
    Cause,
    CauseKind,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
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
)
from tests.usecases.broken import BROKEN
from tests.usecases.world import MALLORY, OPEN, World, failing, unreadable, world_in_sync


def keys(targets: tuple[Target, ...]) -> set[str]:
    return {target.key for target in targets}


def test_without_an_accepted_spec_there_is_nothing_to_find() -> None:
    world = world_in_sync()
    world.specs.compiled = None
    assert world.sweep() == ()


def test_the_sweep_enqueues_exactly_what_has_drifted() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.documents.remove(D4)
    assert keys(world.sweep()) == {CHECKOUT.key, PUSH_USER.key}
    assert world.writes == []
    jobs = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert {job.target.key for job in jobs} == {CHECKOUT.key, PUSH_USER.key}
    assert {job.cause.kind for job in jobs} == {CauseKind.SWEEP}


@pytest.mark.parametrize(
    ("account", "later", "found"),
    [
        (CI, timedelta(0), [PUSH_USER.key]),
        (CI, timedelta(seconds=6), []),
        (CI, timedelta(hours=-1), [PUSH_USER.key]),
        (OUTSIDER, timedelta(0), []),
    ],
    ids=["as a sweep began", "before a sweep", "after the last sweep", "in no account of the spec"],
)
def test_a_call_that_hides_what_it_changed_has_its_account_compared_once(
    account: str, later: timedelta, found: list[str]
) -> None:
    world = world_in_sync()
    at = world.clock.now().isoformat()
    world.clock.advance(later)
    world.sweep()
    world.forget()
    world.documents.remove(D4)
    read: list[Target] = []
    world.documents.faults = partial(noting, read)
    cause = Cause(CauseKind.EVENT, "e-padded", "iam:PutUserPolicy", at, actor=MALLORY)
    world.sweeper().sweep(SweepIdentities(cause, account))
    jobs = [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]
    assert [job.target.key for job in jobs] == found
    assert all(job.cause == cause for job in jobs), "who called is reported with what they changed"
    assert bool(read) is bool(found)


def test_the_sweep_finds_orphans_and_ignores_policies_of_others() -> None:
    world = world_in_sync()
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


def test_the_sweep_finds_a_recreated_identity_in_sync() -> None:
    world = world_in_sync()
    kept = dict(world.documents.live)
    world.documents.unmake(PULL_USER)
    world.documents.make(PULL_USER)
    world.documents.live = kept
    assert world.sweep() == (PULL_USER,)


def test_an_identity_seen_for_the_first_time_is_not_recreated() -> None:
    world = world_in_sync()
    world.state.remembered.clear()
    assert world.sweep() == ()


def test_unreadable_targets_are_enqueued() -> None:
    world = world_in_sync()
    unreadable(world, PermissionMissing("denied"))
    assert keys(world.sweep()) == set(ACCEPTED.targets)


def test_a_target_that_waits_for_its_role_is_enqueued_until_the_role_is_in_sync() -> None:
    world = world_in_sync()
    world.documents.remove(role(PUSHER))
    world.documents.remove(D4)
    assert keys(world.sweep()) == {PUSHER.key, PUSH_USER.key}
    world.drain()
    assert (world.sweep(), world.differing()) == ((), [])


def test_a_failing_target_is_enqueued_each_time_and_reported_once() -> None:
    world = world_in_sync()
    world.documents.remove(D1)
    failing(world, PermissionMissing("denied"))
    for _ in range(3):
        assert world.sweep() == (CHECKOUT,)
        world.drain()
    assert len(world.reports) == 1


def noting(read: list[Target], target: Target, _: Change | None) -> None:
    read.append(target)


def test_a_sweep_is_a_job_per_account_and_one_per_account_and_region_and_an_audit() -> None:
    world = world_in_sync()
    cause = Cause(CauseKind.SWEEP, "s-1")
    parts = [
        SweepIdentities(cause, CI),
        SweepIdentities(cause, HOME),
        SweepRepositories(cause, HOME, "eu-central-1"),
        AuditAccess(cause),
    ]
    assert list(world.sweeper().sweep(SweepAll(cause))) == parts
    assert world.jobs.sent == parts
    assert world.documents.reads == 0, "dividing a sweep reads no account"


def test_a_part_that_fails_or_is_unreadable_stops_no_other() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.documents.remove(D4)

    def fault(target: Target, _: Change | None) -> None:
        if target.account == CI:
            raise AccountUnreachable("closed")

    world.documents.faults = fault
    assert CHECKOUT.key in keys(world.sweep())


def test_removed_targets_belong_to_the_part_of_their_account() -> None:
    gone = RepositoryTarget("333333333333", "us-east-1", "shop/old")
    world = world_in_sync(replace(ACCEPTED, removed={gone.key: Removed(gone, "v0")}))
    cause = Cause(CauseKind.SWEEP, "s")
    parts = world.sweeper().sweep(SweepAll(cause))
    assert SweepRepositories(cause, "333333333333", "us-east-1") in parts
    assert SweepIdentities(cause, "333333333333") not in parts


def test_a_document_that_crashes_ecr_warden_is_enqueued_and_the_others_go_on() -> None:
    world = world_in_sync()
    world.documents.live[D1] = BROKEN
    world.documents.remove(D4)
    assert keys(world.sweep()) == {CHECKOUT.key, PUSH_USER.key}


@pytest.mark.parametrize("accounts", [1, 120])
def test_the_number_of_parts_depends_only_on_accounts_and_regions(accounts: int) -> None:
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
    world = World(accepted=replace(ACCEPTED, targets=targets, accounts=tuple(ids)))
    parts = world.sweeper().sweep(SweepAll(Cause(CauseKind.SWEEP, "s")))
    assert len(parts) == len(set(parts)) == 3 * accounts + 1


def test_a_part_asks_for_a_bounded_number_of_repairs_and_the_next_sweeps_find_the_rest() -> None:
    world = world_in_sync()
    world.budget = Budget(of_spec=1)
    differing = {CHECKOUT.key, PUSHER.key, PUSH_USER.key, PULL_USER.key}
    for spec in ACCEPTED.targets.values():
        if spec.target.key in differing:
            for address in spec.documents:
                world.documents.remove(address)
    asked: list[int] = []
    while world.differing():
        asked.append(len(world.sweep()))
        world.drain()
    assert asked[0] == 3
    assert all(0 < number <= 3 for number in asked)
    assert world.sweep() == ()
    assert sum(one.over for one in world.sweep_records.all()) == 0
