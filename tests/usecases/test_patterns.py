"""Repositories that fit a pattern: existing, created later, deleted."""

from copy import replace

import pytest

from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import SweepAll
from ecr_warden.core.judgement import WaitCode
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted
from iam_access.document.document import Document, parse_document, raw_statements
from local.testing.seed import CI, HOME, allow, document
from tests.usecases.pattern_world import PATTERN, policy, settle, shop, world_of
from tests.usecases.uploads import codes, enqueued, offer, upload
from tests.usecases.world import World, expect

ANNA = UserTarget(CI, "anna")
OPEN = document(allow("ecr:*", who="*"))
LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{HOME}:function:*"}},
}


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


def test_a_changed_pattern_starts_a_sweep_caused_by_the_version() -> None:
    world = world_of("a")
    accepted = expect(
        SpecAccepted, upload(world, PATTERN.replace("pull: [ci:user/anna]", "pull: [ci:user/anna, ci:user/bob]"), "v2")
    )
    assert shop("*").key in accepted.changed
    assert [job.cause.id for job in world.jobs.sent if isinstance(job, SweepAll)] == ["v2"]
    settle(world)
    assert "user/bob" in pullers(world, "a")


def test_an_unchanged_pattern_starts_no_sweep() -> None:
    world = world_of("a")
    upload(world, PATTERN + "# again\n", "v2")
    assert not [job for job in world.jobs.sent if isinstance(job, SweepAll)]


EXCLUDING = PATTERN.replace("[shop/secret,", "[shop/secret, shop/a,")
WITHOUT = "\n".join(line for line in PATTERN.split("\n") if "shop/*" not in line)


@pytest.mark.parametrize(
    ("text", "revoked", "stays"), [(EXCLUDING, ["a"], ["b"]), (WITHOUT, ["a", "b"], [])], ids=["excluded", "removed"]
)
def test_a_repository_that_leaves_a_pattern_loses_what_it_gave(text: str, revoked: list[str], stays: list[str]) -> None:
    world = world_of("a", "b")
    assert isinstance(upload(world, text, "v2"), SpecAccepted)
    assert [job.cause.id for job in world.jobs.sent if isinstance(job, SweepAll)] == ["v2"]
    settle(world)
    assert [pullers(world, name) for name in revoked] == [""] * len(revoked)
    assert all("user/anna" in pullers(world, name) for name in stays)
    assert "user/bob" in pullers(world, "secret")
    assert world.sweep() == ()


def test_an_event_of_a_repository_that_leaves_a_pattern_revokes_it_before_the_sweep() -> None:
    world = world_of("a")
    upload(world, WITHOUT, "v2")
    assert world.run(shop("a")) is Result.CONVERGED
    assert pullers(world, "a") == ""


def test_a_repository_with_another_policy_than_its_pattern_gave_keeps_it() -> None:
    world = world_of("a", "b")
    world.put(policy("a"), OPEN)
    upload(world, WITHOUT, "v2")
    assert world.run(shop("a")) is Result.IN_SYNC
    settle(world)
    assert world.live(policy("a")) == OPEN
    assert pullers(world, "b") == ""


def test_what_the_pattern_gave_beside_a_statement_of_lambda_is_revoked_and_the_statement_stays() -> None:
    keeping = PATTERN.replace(
        "account: registry, pull: [ci:user/anna]",
        "account: registry, foreign_statements: [lambda-image-retrieval], pull: [ci:user/anna]",
    )
    world = world_of("a", text=keeping)
    given = expect(Document, world.live(policy("a")))
    world.put(policy("a"), parse_document({"Statement": [*raw_statements(given), LAMBDA]}))
    upload(world, WITHOUT, "v2")
    settle(world)
    left = expect(Document, world.live(policy("a")))
    assert [statement["Principal"] for statement in raw_statements(left)] == [{"Service": "lambda.amazonaws.com"}]


def test_a_policy_that_somebody_gives_a_repository_afterwards_stays() -> None:
    world = world_of("a")
    given = expect(Document, world.live(policy("a")))
    upload(world, WITHOUT, "v2")
    settle(world)
    world.sweep()
    world.documents.make(shop("later"))
    for name in ("a", "later"):
        world.put(policy(name), given)
        assert world.run(shop(name)) is None
    settle(world)
    assert world.live(policy("a")) == world.live(policy("later")) == given


def test_a_removed_pattern_is_not_done_while_its_repositories_cannot_be_listed() -> None:
    world = world_of("a")
    upload(world, WITHOUT, "v2")
    world.documents.faults = no_listing
    settle(world)
    assert "user/anna" in pullers(world, "a")
    world.recover()
    settle(world)
    assert pullers(world, "a") == ""


def test_a_pattern_that_returns_before_it_was_revoked_gives_again() -> None:
    world = world_of("a")
    upload(world, WITHOUT, "v2")
    upload(world, PATTERN, "v3")
    settle(world)
    assert "user/anna" in pullers(world, "a")
    assert world.specs.compiled is not None and world.specs.compiled.removed_patterns == ()


def test_a_pattern_that_was_only_observed_is_left_as_it_is() -> None:
    world = world_of("a", text=PATTERN.replace("name: shop/*,", "name: shop/*, mode: observe,"))
    world.put(policy("a"), OPEN)
    upload(world, WITHOUT, "v2")
    settle(world)
    assert world.live(policy("a")) == OPEN
    assert world.specs.compiled is not None and world.specs.compiled.removed_patterns == ()


def test_a_repository_whose_own_entry_is_removed_falls_under_the_pattern() -> None:
    world = world_of("a")
    lines = [line for line in PATTERN.split("\n") if "name: shop/secret" not in line]
    upload(world, "\n".join(lines).replace("shop/secret, ", ""), "v2")
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


def test_a_pattern_does_not_reach_into_another_account_or_region() -> None:
    world = world_of()
    for target in (replace(shop("a"), region="eu-west-1"), replace(shop("a"), account=CI)):
        world.documents.make(target)
        assert world.run(target) is None
    assert world.sweep() == ()


@pytest.mark.parametrize(("repositories", "waits"), [(12, True), (3, False)])
def test_a_pattern_that_loses_everybody_is_judged_by_the_repositories_that_fit_it(
    repositories: int, waits: bool
) -> None:
    world = world_of(*(f"r{number}" for number in range(repositories)))
    world.estate_store.pieces.clear()
    seen = offer(world, PATTERN.replace(", pull: [ci:user/anna]", ""), "v2")
    assert f"{HOME}/eu-central-1" in world.estate_store.pieces
    assert [codes(seen.hold)] == [[WaitCode.REMOVES_MUCH]] if isinstance(seen, HoldOpened) else not waits
