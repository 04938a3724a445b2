"""`versions` and `rollback`, over a hub in this process."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.job import ReconcileTarget
from ecr_warden.hub.request import MAX_ENTRIES
from ecr_warden.state.specs import SpecVersion
from ecr_warden_cli.terminal.context import Uploaded
from local.testing.seed import CHECKOUT
from tests.cli.command import Command
from tests.cli.test_hold import Working, over
from tests.usecases.test_holds import EMPTY, held
from tests.usecases.uploads import TEXT, accept_of, first, offer
from tests.usecases.world import World, bare_world, present

LESS = TEXT.replace(", ci:user/pull-user-2]", "]")


def next_version(world: World, text: str, version: str) -> None:
    """A version that comes a minute after the one before."""
    world.clock.time += timedelta(minutes=1)
    assert world.specs.file is not None
    world.specs.older = (*world.specs.older, world.specs.file)
    offer(world, text, version)


def with_versions() -> World:
    """The first version in force, a broken one, and one that waits."""
    world = first()
    next_version(world, "versio: 1", "v2")
    next_version(world, EMPTY, "v3")
    return world


def test_each_version_is_listed_with_what_became_of_it() -> None:
    lines = over(with_versions())("versions").out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "v3  held at 2026-11-24T10:02:00Z",
        "v2  refused at 2026-11-24T10:01:00Z",
        "v1  in force since 2026-11-24T10:00:00Z, by alice",
    ]
    assert "  uploaded at 2026-11-24T10:02:00Z, the hub does not know by whom" in lines
    assert any(line.startswith("  version v3 of the spec; it names no repository") for line in lines)
    assert any(line.startswith("  E0") for line in lines)


def test_who_rejected_a_version_is_named() -> None:
    world = first()
    assert world.specs.file is not None
    world.specs.older = (world.specs.file,)
    command = over(world)
    assert command("reject", held(world).id, "--yes").code == 0
    assert command("versions").out.splitlines()[0] == "v2  rejected at 2026-11-24T10:00:00Z, by alice"
    newest = command("versions", "--json").json["versions"][0]
    assert (newest["fate"], newest["decidedBy"]["arn"]) == ("rejected", "arn:aws:iam::111111111111:user/alice")


def test_an_applied_version_names_its_uploader() -> None:
    world = first()
    command = over(world)
    ran = command("rollback", "v1", "--yes", "--json")
    assert (ran.code, ran.json["uploaded"]) == (0, True)
    newest = command("versions", "--json").json["versions"][0]
    assert newest["version"] == ran.json["version"]
    assert newest["uploadedBy"]["arn"] == "arn:aws:iam::111111111111:user/alice"
    assert newest["fate"] == "in-force"
    assert "by alice" in command("versions").out


def test_the_limit_says_that_there_are_more() -> None:
    command = over(with_versions())
    ran = command("versions", "--limit", "2")
    assert ran.last_line == "there are older ones: raise --limit"
    as_json = command("versions", "--limit", "2", "--json").json
    assert ([one["version"] for one in as_json["versions"]], as_json["more"]) == (["v3", "v2"], True)


def test_without_any_version_that_is_said() -> None:
    world = bare_world()
    world.specs.compiled, world.specs.file = None, None
    assert over(world)("versions").out == "no version of the spec was ever uploaded\n"


def test_rollback_shows_who_gains_and_uploads_the_text_as_a_new_version() -> None:
    world = first()
    next_version(world, LESS, "v2")
    assert world.specs.compiled is not None
    command = over(world)
    asked = command("rollback", "v1")
    assert asked.code == 2
    assert asked.out.splitlines()[0] == "against the accepted version:"
    assert GAIN in asked.out.splitlines()
    assert world.specs.file == SpecVersion("v2", LESS.encode())
    ran = command("rollback", "v1", "--yes")
    assert ran.code == 0, ran.err
    assert world.specs.file.data == TEXT.encode()
    assert world.specs.file.version not in ("v1", "v2")
    accept_of(world)
    assert [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]


class Beaten(Working):
    """A hub that others use, too: before it is asked about the write scope, and before it looks at an upload."""

    def answer(self, request: str) -> dict[str, Any]:
        if '"scopes"' in request and present(self.world.specs.file).version == "v2":
            next_version(self.world, TEXT.replace("ci:user/pull-user-1, ", ""), "v3")
        return super().answer(request)

    def pass_time(self, seconds: float) -> None:
        if present(self.world.specs.file).version == "u2":
            self.world.clock.time += timedelta(microseconds=1)
            over(self.world)("rollback", "v2", "--yes", "--no-wait")
        super().pass_time(seconds)


def test_of_two_who_apply_at_once_one_is_asked_again_or_hears_that_the_other_came_later() -> None:
    world = first()
    next_version(world, LESS, "v2")
    hub = Beaten(world)
    command = Command(hub=hub, clock=world.clock, sleep=hub.pass_time, terminal=True)
    moved = command("rollback", "v1", "--json", stdin=b"yes\n")
    assert (moved.code, moved.json["error"]["code"], present(world.specs.file).version) == (1, "version-moved", "v3")
    beaten = command("rollback", "v1", stdin=b"yes\n")
    assert beaten.code == 1
    assert "version u2 was replaced: a later one came before the hub looked" in beaten.last_line
    fates = [one["fate"] for one in command("versions", "--json").json["versions"]]
    assert fates == ["in-force", "replaced", "accepted", "accepted", "accepted"]


BEGINNINGS = {
    "the only one": ("3HL4", "version 3HL4kq"),
    "all of one with which another begins": ("v2", "version v2"),
    "all of the longer one": ("v2b", "version v2b"),
    "several": ("v", "ecr-warden: version v of"),
    "none": ("x", "ecr-warden: version x of"),
}


@pytest.mark.parametrize("case", BEGINNINGS)
def test_the_beginning_of_an_id_is_enough_if_no_other_begins_so(case: str) -> None:
    given, says = BEGINNINGS[case]
    world = first()
    for version in ("3HL4kq", "v2", "v2b"):
        next_version(world, LESS, version)
    command = over(world)
    assert f"{command('versions', given).err} ".replace("\n", " ").startswith(f"{says} ")
    assert command("rollback", given).code == (2 if says.startswith("version ") else 1)


def test_all_of_an_id_takes_no_right_to_list() -> None:
    world = first()
    whole = "3HL4kqtJvjVBH40Nrjfkd0000000000a"
    next_version(world, LESS, whole)
    ran = Command(hub=Unlisted(world))("versions", whole)
    assert (ran.code, ran.err) == (0, f"version {whole}\n")


class Unlisted(Working):
    """A hub of whose bucket the caller may not list the versions."""

    def uploads(self) -> Iterator[Uploaded]:
        raise AssertionError


GAIN = "ci:user/pull-user-2 gains pull from shop/checkout"


def test_a_version_that_is_no_version_or_is_not_there_is_refused() -> None:
    command = over(first())
    assert "versions lists them" in command("rollback", "v/1").err
    ran = command("rollback", "v9", "--yes", "--json")
    assert ran.code == 1
    assert "v9" in ran.json["error"]["message"]


def test_an_earlier_version_that_is_not_valid_is_refused_with_its_problems() -> None:
    ran = over(with_versions())("rollback", "v2", "--yes")
    assert ran.code == 1
    assert "version v2 is not valid" in ran.err


@pytest.mark.thorough
def test_the_history_log_is_read_beyond_one_page() -> None:
    world = with_versions()
    for number in range(MAX_ENTRIES + 20):
        world.clock.time += timedelta(minutes=1)
        assert over(world)("pause", "shop/checkout", "--for", "1h", "--reason", str(number)).code == 0
    command = over(world)
    fates = [one["fate"] for one in command("versions", "--json").json["versions"]]
    assert fates == ["held", "refused", "in-force"]


def test_runs_do_not_hide_the_history_log() -> None:
    world = with_versions()
    world.clock.time += timedelta(hours=1)
    world.run(CHECKOUT)
    [((key, run_id), run)] = [*world.state.closed.items()]
    world.state.closed |= {(key, f"{run_id}{number}"): run for number in range(20 * MAX_ENTRIES)}
    fates = [one["fate"] for one in over(world)("versions", "--json").json["versions"]]
    assert fates == ["held", "refused", "in-force"]


def test_rollback_shows_what_stays_as_it_is() -> None:
    """The version that comes back does not know the repository of the later one."""
    world = first()
    later = "  - {name: shop/cart, account: registry, pull: [deployers], mode: observe}\nsettings:"
    next_version(world, TEXT.replace("settings:", later), "v2")
    ran = over(world)("rollback", "v1")
    assert "ci:user/pull-user-1 loses pull from shop/cart" in ran.out.splitlines()
    assert "repository/222222222222/eu-central-1/shop/cart: will be left as it is" in ran.out.splitlines()
