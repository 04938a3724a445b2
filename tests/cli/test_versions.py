"""`versions` and `rollback`, over a hub in this process."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
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


def accepted(*texts: str) -> World:
    """The first version, and these after it, each in force before the next."""
    world = first()
    for number, text in enumerate(texts, 2):
        next_version(world, text, f"v{number}")
    return world


NOT_VALID, SAME = "versio: 1", f"# the same\n{LESS}"
# name: the versions after the first, and the one that is gone back to, or words of the error
BEFORE: dict[str, tuple[tuple[str, ...], str]] = {
    "the one before": ((LESS,), "v1"),
    "not the one before that": ((LESS, SAME), "v2"),
    "not a refused one": ((LESS, NOT_VALID), "v1"),
    "not one with the same text": ((LESS, LESS), "v1"),
    "after going back, the one that was left": ((LESS, TEXT), "v2"),
    "none": ((), "no other version was accepted before; ecr-warden versions lists all"),
    "none with another text": ((TEXT,), "no other version was accepted before; ecr-warden versions lists all"),
    "while one waits": ((LESS, EMPTY), "version v3 came later and waits for a person; ecr-warden held shows it"),
}


@pytest.mark.parametrize("answer", ["yes", "no", "--yes", "--json"])
@pytest.mark.parametrize("case", BEFORE)
def test_without_a_version_rollback_names_the_one_before_and_asks(case: str, answer: str) -> None:
    texts, wanted = BEFORE[case]
    world = accepted(*texts)
    at_first = present(world.specs.file)
    options = ["--yes"] if answer == "--yes" else ["--yes", "--json"] if answer == "--json" else []
    ran = over(world, terminal=not options)("rollback", *options, stdin=f"{answer}\n".encode())
    if " " in wanted:
        assert (ran.code, wanted in (ran.json["error"]["message"] if answer == "--json" else ran.err)) != (0, False)
        assert present(world.specs.file) == at_first
        return
    assert f"back to\n{wanted}  accepted at 2026-11-24T10:0" in ran.err
    assert "\n  uploaded at " in ran.err
    gone_back = {"v1": TEXT, "v2": LESS}[wanted]
    assert (present(world.specs.file).data == gone_back.encode()) is (answer != "no")
    assert ran.code == (2 if answer == "no" else 0)
    if answer == "--json":
        assert (ran.json["earlier"], ran.json["uploaded"]) == (wanted, True)
    elif answer == "no":
        assert f"upload version {wanted}?" in ran.err


SAYS_OTHERWISE = "your access.yaml still says something else than version {}, which is in force: ecr-warden versions "
# name: the file here (None: there is none), the command, and the version that the file differs from, if one is named
FILES: dict[str, tuple[str | None, str, str | None]] = {
    "rolled back, the file is the newer one": (LESS, "rollback v1 --yes", "u1"),
    "rolled back, in JSON": (LESS, "rollback --yes --json", "u1"),
    "rolled back, the file is it": (TEXT, "rollback v1 --yes", None),
    "rolled back, without a file": (None, "rollback v1 --yes", None),
    "rolled back, not waited for": (LESS, "rollback v1 --yes --no-wait", None),
    "not rolled back": (LESS, "rollback v1", None),
    "rejected, the file is it": (EMPTY, "reject HOLD --yes", "v2"),
    "rejected, the file is what is in force": (LESS, "reject HOLD --yes", None),
    "accepted, the file is it": (EMPTY, "accept HOLD --yes", None),
    "accepted, the file is the one before": (LESS, "accept HOLD --yes", "v3"),
    "not accepted": (EMPTY, "accept HOLD", None),
}


@pytest.mark.parametrize("case", FILES)
def test_where_the_file_here_says_something_else_than_what_is_in_force_that_is_said(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, line, version = FILES[case]
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("access.yaml").write_text(text)
    world = accepted(LESS)
    if "HOLD" in line:
        world.specs.older = (*world.specs.older, present(world.specs.file))
        line = line.replace("HOLD", held(world, EMPTY, "v3").id)
    command = over(world)
    ran = command(*line.split())
    assert ("still says" in ran.err) is (version is not None)
    if version is not None:
        assert f"{SAYS_OTHERWISE.format(version)}accepted --write access.yaml" in ran.err
        assert command("versions", "accepted", "--write", "access.yaml", "--yes").code == 0
        assert Path("access.yaml").read_text() == command("versions", "accepted", "--json").json["text"]
        assert "still says" not in command("versions", "accepted", "--write", "access.yaml").err


# name: the arguments, what is in FILE before and after (None: there is none), what is typed, the exit code, and words
WRITES: dict[str, tuple[str, str | None, str | None, str | None, int, str]] = {
    "a new file": ("v1 --write FILE", None, TEXT, None, 0, "FILE is now version v1"),
    "what is in force": ("accepted --write FILE", None, LESS, None, 0, "FILE is now version v2"),
    "a file with this text": ("v1 --write FILE", TEXT, TEXT, None, 0, "FILE already was version v1"),
    "another, without a person": ("v1 --write FILE", LESS, LESS, None, 2, "answer yes, or add --yes"),
    "another, and a person says no": ("v1 --write FILE", LESS, LESS, "no", 2, "replace FILE by version v1?"),
    "another, and a person says yes": ("v1 --write FILE", LESS, TEXT, "yes", 0, "FILE is now version v1"),
    "another, and --yes": ("v1 --write FILE --yes", LESS, TEXT, None, 0, "FILE is now version v1"),
    "a version that is not there": ("v9 --write FILE --yes", LESS, LESS, None, 1, "v9"),
    "no version": ("--write FILE", None, None, None, 1, "name it: ecr-warden versions accepted --write FILE"),
    "a folder that is not there": ("v1 --write x/FILE", None, None, None, 1, "x/FILE cannot be written: No such file"),
    "a folder": ("v1 --write .", None, None, None, 1, ". is a directory"),
    "no name": ("v1 --write=", None, None, None, 1, "the name of the file is empty"),
}


@pytest.mark.parametrize("case", WRITES)
def test_the_text_of_a_version_is_written_to_a_file_and_over_another_only_if_a_person_agrees(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, before, after, typed, code, words = WRITES[case]
    monkeypatch.chdir(tmp_path)
    if before is not None:
        Path("FILE").write_text(before)
    command = over(accepted(LESS), terminal=typed is not None)
    ran = command("versions", *line.split(), stdin=f"{typed or 'yes'}\n".encode())
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert (Path("FILE").read_text() if Path("FILE").exists() else None) == after
    assert [one.name for one in tmp_path.iterdir()] == [] if after is None else ["FILE"]


def test_a_version_is_written_byte_by_byte(tmp_path: Path) -> None:
    world, odd, file = first(), b"# \xff\r\n", tmp_path / "odd.yaml"
    world.specs.older = (SpecVersion("v0", odd),)
    ran = over(world)("versions", "v0", "--write", str(file), "--json")
    assert (ran.code, ran.json["written"], file.read_bytes()) == (0, True, odd)


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
