"""`can-i` by what the hub has read, over a hub in this process."""

from datetime import timedelta

import pytest

from ecr_warden.core.pause import Pause
from ecr_warden.core.target import UserTarget
from ecr_warden.state.specs import SpecVersion
from iam_access.document.document import parse_document
from local.testing.seed import CHECKOUT, CI, D1
from tests.cli.test_hold import over
from tests.cli.test_versions import LESS, next_version
from tests.usecases.hub import ALICE
from tests.usecases.test_survey import PART, surveyed
from tests.usecases.uploads import TEXT
from tests.usecases.world import World, world_in_sync

PULLING = ("can-i", "pull", "shop/checkout", "--as")
ANN = f"arn:aws:iam::{CI}:user/pull-user-1"
PULL = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}


def with_estate() -> World:
    """A world whose accounts let pull-user-1 pull, as the accepted version says, and which the hub has read."""
    world = world_in_sync()
    world.specs.file = SpecVersion("v1", TEXT.encode())
    world.sweep()
    return world


@pytest.mark.parametrize(("writes", "answer"), [(True, "yes"), (False, "no")])
def test_what_runs_have_just_written_counts_while_the_repository_is_in_sync(writes: bool, answer: str) -> None:
    world = with_estate()
    for name in ("pull-user-1", "pull-user-2", "push-user"):
        world.documents.make(UserTarget(CI, name))
    world.documents.make(CHECKOUT)
    next_version(world, LESS, "v2")
    world.drain()
    world.sweep()
    world.drain()
    next_version(world, TEXT, "v3")
    world.switch.enabled = writes
    world.drain()
    assert over(world)(*PULLING, "ci:user/pull-user-2", "--json").json["answer"] == answer


def paused(*statements: object) -> World:
    """A world in which nobody repairs the repository, and whose policy somebody has written since it was read."""
    world = with_estate()
    now = world.clock.now()
    world.state.pause(CHECKOUT, Pause("p-1", ALICE, "migration", now, now + timedelta(hours=2)))
    world.put(D1, parse_document({"Version": "2012-10-17", "Statement": [*statements]}))
    assert surveyed(world, PART, repository=CHECKOUT.name) == "changed"
    return world


def test_a_grant_that_has_ended_since_the_policies_were_read_is_over() -> None:
    world = paused(PULL | {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-24T10:01:00Z"}}})
    command = over(world)
    answers = []
    for _ in range(2):
        answers.append(command(*PULLING, "ci:user/pull-user-1", "--json").json["answer"])
        command.clock.advance(timedelta(minutes=2))
    assert answers == ["yes", "no"]


def test_a_puller_whom_a_paused_policy_shuts_out_is_shut_out() -> None:
    shut = {"Effect": "Deny", "Principal": {"AWS": ANN}, "Action": "ecr:*"}
    assert over(paused(PULL, shut))(*PULLING, "ci:user/pull-user-1", "--json").json["answer"] == "no"
