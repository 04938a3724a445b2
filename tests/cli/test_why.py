"""`why`: the grant, its story, and what the policies say, over a hub in this process."""

from datetime import timedelta
from pathlib import Path

import pytest

from ecr_warden.core.pause import Pause
from ecr_warden.core.target import UserTarget
from ecr_warden.state.specs import SpecVersion
from ecr_warden_cli.context import Failure
from iam_access.document.document import parse_document
from local.testing.seed import CHECKOUT, CI, D1, HOME
from tests.cli.command import Command
from tests.cli.test_hold import over
from tests.cli.test_hub import InProcess
from tests.cli.test_versions import LESS, next_version
from tests.usecases.hub import ALICE
from tests.usecases.test_survey import PART, surveyed
from tests.usecases.uploads import TEXT, first
from tests.usecases.world import World, bare_world, world_in_sync

ANN = f"arn:aws:iam::{CI}:user/pull-user-1"
ALLOWED = {
    "Statement": [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
    ]
}
PULL = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}


def with_estate() -> World:
    """A world whose accounts let pull-user-1 pull, as the accepted version says, and which the hub has read."""
    world = world_in_sync()
    world.specs.file = SpecVersion("v1", TEXT.encode())
    world.sweep()
    return world


def test_the_line_the_story_and_what_the_policies_say() -> None:
    lines = over(with_estate())("why", "ci:user/pull-user-1", "shop/checkout").out.splitlines()
    assert lines[:2] == [
        "yes          ci:user/pull-user-1 pull shop/checkout",
        "             by access.yaml:11:12 of version v1: deployers, a team with this member (line 7)",
    ]
    assert lines[-2:] == [
        "no           ci:user/pull-user-1 push shop/checkout",
        "             no grant of the spec names them",
    ]


def test_a_grant_is_as_old_as_the_versions_in_a_row_that_have_it() -> None:
    world = first()
    next_version(world, LESS, "v2")
    next_version(world, TEXT + "# again\n", "v3")
    next_version(world, TEXT + "# and again\n", "v4")
    lines = over(world)("why", "ci:user/pull-user-2", "shop/checkout").out.splitlines()
    assert "             since version v3, accepted at 2026-11-24T10:02:00Z" in lines
    assert "             the hub does not know who uploaded that version" in lines
    since = over(world)("why", "ci:user/pull-user-1", "shop/checkout", "--json").json["accesses"][0]["since"]
    assert (since["version"], since["at"], since["earlier"]) == ("v1", "2026-11-24T10:00:00Z", False)


def test_whoever_published_the_version_is_named(tmp_path: Path) -> None:
    world = first(LESS)
    file = tmp_path / "access.yaml"
    file.write_text(TEXT)
    command = over(world)
    assert command("apply", str(file), "--yes").code == 0
    assert world.specs.file is not None
    next_version(world, TEXT, world.specs.file.version)
    lines = command("why", "ci:user/pull-user-2", "shop/checkout").out.splitlines()
    assert "             which alice uploaded" in lines


def test_what_older_versions_do_not_show_is_said() -> None:
    world = first()
    next_version(world, TEXT + "# v2\n", "v2")
    world.specs.older = ()
    since = over(world)("why", "ci:user/pull-user-1", "shop/checkout", "--json").json["accesses"][0]["since"]
    assert (since["version"], since["earlier"]) == ("v2", True)


def test_whoever_may_not_read_the_bucket_sees_the_line_of_the_version_that_the_hub_keeps() -> None:
    class Reader(InProcess):
        def spec(self, version: str) -> bytes:
            raise Failure(f"you may not read version {version}", remedy="")

    command = Command(hub=Reader(first()))
    [pull, _] = command("why", "ci:user/pull-user-1", "shop/checkout", "--json").json["accesses"]
    assert ([grant["line"] for grant in pull["grants"]], pull["since"]["version"]) == ([11], "v1")


def test_a_push_names_its_role_and_an_arn_is_a_name_too() -> None:
    world = first()
    world.sweep()
    ran = over(world)("why", f"arn:aws:iam::{CI}:user/push-user", "registry/eu-central-1/shop/checkout", "--json")
    pull, push = ran.json["accesses"]
    assert (ran.code, pull["grants"], pull["since"]) == (0, [], None)
    assert push["grants"] == [
        {"line": 14, "column": 14, "name": "ci:user/push-user", "role": "ecr-pusher", "teamLine": None}
    ]
    # The first version was judged, so the accounts were read: the user does not exist.
    assert (push["answer"], push["unknown"]) == ("no", "")
    assert ran.json["repository"] == str(CHECKOUT)


def test_a_grant_of_a_pattern_or_of_a_whole_account_counts() -> None:
    entry = "{name: shop/*, account: registry, except: [shop/checkout], pull: [{account: ci}]}"
    world = first(TEXT.replace("settings:", f"  - {entry}\nsettings:"))
    [pull, _] = over(world)("why", "ci:user/x", "shop/cart", "--json").json["accesses"]
    assert [(one["line"], one["name"]) for one in pull["grants"]] == [(15, "ci")]
    [pull, _] = over(world)("why", "ci:user/x", "shop/checkout", "--json").json["accesses"]
    assert pull["grants"] == []


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
    [pull, _] = over(world)("why", "ci:user/pull-user-2", "shop/checkout", "--json").json["accesses"]
    assert pull["answer"] == answer


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
        found = command("why", "ci:user/pull-user-1", "shop/checkout", "--json").json
        answers.append((found["accesses"][0]["answer"], found["readAt"]))
        command.clock.advance(timedelta(minutes=2))
    assert answers == [("yes", "2026-11-24T10:00:00Z"), ("no", "2026-11-24T10:00:00Z")]


def test_a_puller_whom_a_paused_policy_shuts_out_is_shut_out() -> None:
    shut = {"Effect": "Deny", "Principal": {"AWS": ANN}, "Action": "ecr:*"}
    [pull, _] = over(paused(PULL, shut))("why", "ci:user/pull-user-1", "shop/checkout", "--json").json["accesses"]
    assert pull["answer"] == "no"


def test_what_was_not_read_is_named_where_the_policies_do_not_answer() -> None:
    ran = over(with_estate())("why", "ci:user/push-user", "shop/checkout")
    unread = f"permissions boundary arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary was not read"
    assert f"unknown      ci:user/push-user push shop/checkout: {unread}" in ran.out


@pytest.mark.parametrize("who", ["ci:user/pull-user-1", "ci:user/nobody"])
def test_what_the_policies_do_not_answer_is_an_error_with_and_without_a_grant(who: str) -> None:
    world = first()
    world.estate_store.pieces.clear()
    ran = over(world)("why", who, "shop/checkout")
    assert (ran.code, ran.out.count("unknown  ")) == (1, 2)


# name: the arguments, and a part of the message
WRONG = {
    "a team": (("deployers", "shop/checkout"), "is no user or role"),
    "another account": (("arn:aws:iam::999999999999:user/x", "shop/checkout"), "is no user or role"),
    "another repository": (("ci:user/x", "shop/cart"), "no entry of the spec is about"),
    "a misspelt repository": (("ci:user/x", "shop/chekout"), "did you mean shop/checkout? see ecr-warden grants"),
    "a literal document": (("ci:user/x", "shop/word"), "is a literal document, access.yaml:17, which has no grants"),
}
LITERAL = """documents:
  - kind: repository-policy
    account: registry
    repository: shop/word
    document: {Statement: {Effect: Allow, Principal: {AWS: "111111111111"}, Action: "ecr:BatchGetImage"}}
"""


@pytest.mark.parametrize("name", WRONG)
def test_what_the_spec_does_not_know_is_refused(name: str) -> None:
    argv, words = WRONG[name]
    ran = over(first(TEXT + LITERAL))("why", *argv)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err


def test_nobody_has_a_grant_before_the_first_version() -> None:
    world = bare_world()
    world.specs.compiled, world.specs.file = None, None
    ran = over(world)("why", "ci:user/x", "shop/checkout")
    assert (ran.code, "no version of the spec is accepted yet" in ran.err) == (1, True)
