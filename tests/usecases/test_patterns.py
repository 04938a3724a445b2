"""Repositories that fit a pattern: existing, created later, deleted."""

from copy import replace

import pytest
from ecr_warden.model.alert import SpecAccepted
from ecr_warden.model.drift import DriftKind
from ecr_warden.model.job import SweepAll
from ecr_warden.model.plan import Change
from ecr_warden.model.run import Result
from ecr_warden.model.target import RepositoryTarget, Target, UserTarget
from ecr_warden.policy.document import Document
from ecr_warden.ports.errors import PermissionMissing
from ecr_warden.usecases.plan import plan_spec

from local.testing.seed import CI, allow, document
from tests.usecases.pattern_world import PATTERN, policy, settle, shop, world_of
from tests.usecases.uploads import enqueued, upload
from tests.usecases.world import World

ANNA = UserTarget(CI, "anna")
OPEN = document(allow("ecr:*", who="*"))


def pullers(world: World, name: str) -> str:
    live = world.live(policy(name))
    return live.text if isinstance(live, Document) else ""


def test_the_sweep_gives_each_existing_repository_its_policy() -> None:
    world = world_of("a", "b/c", "internal/x")
    assert "user/anna" in pullers(world, "a")
    assert "user/anna" in pullers(world, "b/c")
    assert pullers(world, "internal/x") == ""
    assert "user/bob" in pullers(world, "secret") and "user/anna" not in pullers(world, "secret")
    assert world.sweep() == ()


def test_a_new_repository_falls_under_its_pattern_at_once() -> None:
    world = world_of()
    world.documents.make(shop("new"))
    assert world.run(shop("new")) is Result.CONVERGED
    assert "user/anna" in pullers(world, "new")


@pytest.mark.parametrize("name", ["internal/x", "internal/deep/y"])
def test_excluded_repositories_are_not_even_read(name: str) -> None:
    world = world_of()
    world.put(policy(name), OPEN)
    world.documents.reads = 0
    assert world.run(shop(name)) is None
    assert world.documents.reads == 0


def test_a_tampered_policy_under_a_pattern_is_repaired_by_event_and_by_sweep() -> None:
    world = world_of("a")
    right = world.live(policy("a"))
    world.put(policy("a"), OPEN)
    world.run(shop("a"))
    assert world.live(policy("a")) == right
    world.put(policy("a"), OPEN)
    world.sweep()
    world.drain()
    assert world.live(policy("a")) == right


def test_a_deleted_repository_under_a_pattern_is_no_drift() -> None:
    world = world_of("a")
    world.documents.unmake(shop("a"))
    assert world.run(shop("a")) is Result.IN_SYNC
    assert world.sweep() == ()
    assert world.reports == []


def test_a_deleted_repository_that_the_spec_names_is_reported() -> None:
    world = world_of()
    world.documents.unmake(shop("secret"))
    assert world.run(shop("secret")) is Result.REPORTED


def test_a_changed_pattern_starts_a_sweep_caused_by_the_version() -> None:
    world = world_of("a")
    accepted = upload(world, PATTERN.replace("pull: [ci:user/anna]", "pull: [ci:user/anna, ci:user/bob]"), "v2")
    assert isinstance(accepted, SpecAccepted)
    assert shop("*").key in accepted.changed
    assert [job.cause.id for job in world.jobs.sent if isinstance(job, SweepAll)] == ["v2"]
    settle(world)
    assert "user/bob" in pullers(world, "a")


def test_an_unchanged_pattern_starts_no_sweep() -> None:
    world = world_of("a")
    upload(world, PATTERN + "# again\n", "v2")
    assert not [job for job in world.jobs.sent if isinstance(job, SweepAll)]


def test_a_newly_excluded_repository_is_released() -> None:
    world = world_of("a")
    accepted = upload(world, PATTERN.replace("[shop/secret,", "[shop/secret, shop/a,"), "v2")
    assert isinstance(accepted, SpecAccepted)
    assert accepted.released == (shop("a").key,)
    assert world.run(shop("a")) is None


def test_a_removed_pattern_is_released() -> None:
    world = world_of("a")
    lines = [line for line in PATTERN.split("\n") if "shop/*" not in line]
    accepted = upload(world, "\n".join(lines), "v2")
    assert isinstance(accepted, SpecAccepted)
    assert accepted.released == (shop("*").key,)
    assert ANNA.key in enqueued(world)
    world.drain()
    assert world.sweep() == ()
    assert "user/anna" in pullers(world, "a")


def test_a_repository_whose_own_entry_is_removed_falls_under_the_pattern() -> None:
    world = world_of("a")
    lines = [line for line in PATTERN.split("\n") if "name: shop/secret" not in line]
    accepted = upload(world, "\n".join(lines).replace("shop/secret, ", ""), "v2")
    assert isinstance(accepted, SpecAccepted)
    assert accepted.released == ()
    assert shop("secret").key in enqueued(world)
    settle(world)
    assert "user/anna" in pullers(world, "secret") and "user/bob" not in pullers(world, "secret")


def test_a_recreated_user_is_written_again_into_each_repository_of_the_pattern() -> None:
    world = world_of("a", "b")
    world.documents.unmake(ANNA)
    world.documents.make(ANNA)
    world.run(ANNA)
    assert {shop("a").key, shop("b").key} <= set(enqueued(world))
    world.drain()
    written = {change.address for change in world.writes}
    assert {policy("a"), policy("b")} <= written


def no_listing(target: Target, change: Change | None) -> None:
    if isinstance(target, RepositoryTarget) and "*" in target.name:
        raise PermissionMissing("ecr:DescribeRepositories is denied")


def test_a_recreated_user_is_not_forgotten_while_the_list_cannot_be_read() -> None:
    world = world_of("a")
    world.documents.unmake(ANNA)
    world.documents.make(ANNA)
    world.documents.faults = no_listing
    assert world.run(ANNA) is Result.CONVERGED
    world.recover()
    world.forget()
    assert ANNA in world.sweep()
    world.drain()
    assert policy("a") in {change.address for change in world.writes}


def test_a_plan_has_the_repositories_that_fit_and_the_pattern_that_could_not_be_listed() -> None:
    world = world_of("a", "b")
    accepted = world.specs.compiled
    assert accepted is not None
    world.put(policy("a"), OPEN)
    plans = {plan.target: plan for plan in plan_spec(accepted, world.documents, world.clock)}
    assert plans[shop("a")].changes and plans[shop("b")].is_empty
    world.documents.faults = no_listing
    plans = {plan.target: plan for plan in plan_spec(accepted, world.documents, world.clock)}
    assert [drift.kind for drift in plans[shop("*")].drifts] == [DriftKind.UNREADABLE]
    assert shop("a") not in plans and plans[shop("secret")].is_empty


def test_a_pattern_does_not_reach_into_another_account_or_region() -> None:
    world = world_of()
    for target in (replace(shop("a"), region="eu-west-1"), replace(shop("a"), account=CI)):
        world.documents.make(target)
        assert world.run(target) is None
    assert world.sweep() == ()
