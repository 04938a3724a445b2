"""`ecr-warden diff`: whether the new version waits, by the versions, the baseline and a snapshot."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.state.specs import SpecVersion
from local.testing.seed import SPEC_FILE
from tests.cli.command import Command, Ran
from tests.cli.test_doctor import TEXT
from tests.cli.test_hub import over
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.unit.versions.rows import HOUSE, ROWS, compiled, edited, snapshot_of, texts_of, versions_of
from tests.usecases.world import world_in_sync

BY_NAME = {row["name"]: row for row in ROWS}


def _judged(command: Command, tmp_path: Path, row: dict[str, Any], *, seen: bool = True) -> Ran:
    """The versions of a row compared, with the baseline, and with the accounts if they are to be seen."""
    baseline, accepted, new = texts_of(row)
    named = {"old": accepted, "baseline": baseline, "new": new}
    for name, text in named.items():
        (tmp_path / f"{name}.yaml").write_text(text or "")
    old, last = ("/dev/null" if text is None else str(tmp_path / f"{name}.yaml") for name, text in [*named.items()][:2])
    argv = ["diff", old, str(tmp_path / "new.yaml"), "--baseline", last, "--json"]
    if seen:
        versions = versions_of(baseline, accepted, new)
        accounts = {account for one in (versions.accepted, versions.new) if one is not None for account in one.accounts}
        snapshot = {"schema": 1, "accounts": snapshot_of(versions, sorted(accounts), row.get("live", {}))}
        (tmp_path / "estate.json").write_text(json.dumps(snapshot))
        argv += ["--snapshot", str(tmp_path / "estate.json")]
    return command(*argv)


SHOWN = (
    "an own user joins a team",
    "an existing repository with three other readers comes under the spec",
    "a repository of the same owner's name with another ID",
    "three names become a pattern where four other policies lie",
    "last month's file by mistake, with 200 grants fewer",
    "the first observing spec",
    "the first version enforces",
    "a policy that could not be read comes under the spec",
    "an account is added, and somebody in it pulls",
    "an empty file",
)


@pytest.mark.thorough
@pytest.mark.parametrize("name", SHOWN)
def test_the_command_judges_as_the_hub_does(name: str, command: Command, tmp_path: Path) -> None:
    row = BY_NAME[name]
    ran = _judged(command, tmp_path, row)
    assert sorted({one["code"] for one in ran.json["held"]}) == sorted(row["held"]), ran.err
    assert all(one["reason"] for one in ran.json["held"])
    assert ran.json["unseen"] == []
    assert ran.code == 2


# What is unseen without a snapshot.
UNSEEN = {
    "an own user joins a team": "user/111111111111/new",
    "an existing repository with three other readers comes under the spec": "own/fresh",
    "three names become a pattern where nothing else lies": "shop/*",
    "a known organization pulls one more image": "whom the roles of account 111111111111 trust",
    "a leaver vanishes": "",
    "a retired repository": "",
    "one repository goes to observe": "",
    "the first observing spec": "",
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", UNSEEN)
def test_what_only_the_accounts_show_is_unseen(name: str, command: Command, tmp_path: Path) -> None:
    ran = _judged(command, tmp_path, BY_NAME[name], seen=False)
    assert any(UNSEEN[name] in one for one in ran.json["unseen"]) if UNSEEN[name] else ran.json["unseen"] == []
    assert {one["code"] for one in ran.json["held"]} <= {*BY_NAME[name]["held"]}


def test_without_a_baseline_the_old_version_is_that(command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(edited(HOUSE, [("ci: {id", 'spare: {id: "333333333333"}\n  ci: {id')]))
    (tmp_path / "base.yaml").write_text(HOUSE)
    new = (tmp_path / "old.yaml").read_text().replace("deployers: [", "deployers: [spare:user/eve, ").encode()
    plain = command("diff", str(tmp_path / "old.yaml"), "-", "--json", stdin=new)
    assert plain.json["held"] == []
    ran = command(
        "diff", str(tmp_path / "old.yaml"), "-", "--baseline", str(tmp_path / "base.yaml"), "--json", stdin=new
    )
    assert {one["code"] for one in ran.json["held"]} == {"outside-gains"}


def test_a_hundred_documents_that_could_not_be_read_are_counted(command: Command, tmp_path: Path) -> None:
    live = {"repositories": {f"many/r{number}": "?" for number in range(100)}}
    row = {"add": [{"name": "many/*", "account": "registry"}], "live": live}
    ran = _judged(command, tmp_path, row)
    [held] = ran.json["held"]
    assert held["code"] == "not-judged"
    assert "and 97 more" in held["reason"]
    assert len(held["reason"]) < 500


def test_a_version_that_only_has_patterns_and_one_that_is_older(command: Command, tmp_path: Path) -> None:
    start = HOUSE[: HOUSE.index("repositories:")]
    narrow = (
        start + 'repositories: [{name: "a/*", account: registry, pull: [ci:user/anna]}]\nsettings: {mode: enforce}\n'
    )
    (tmp_path / "old.yaml").write_text(narrow)
    there = command("diff", str(tmp_path / "old.yaml"), "-", "--json", stdin=narrow.replace("a/*", "*").encode())
    assert (there.json["held"], len(there.json["unseen"])) == ([], 1)
    (tmp_path / "old.yaml").write_text(narrow.replace("a/*", "*"))
    back = command("diff", str(tmp_path / "old.yaml"), "-", "--json", stdin=narrow.encode())
    assert {one["code"] for one in back.json["held"]} == {"stays-open"}


def test_the_limit_of_removals_is_that_of_the_deployments_file_here_and_without_one_that_is_said(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    row = BY_NAME["no removal at all is allowed"]
    unsure = _judged(command, tmp_path, row)
    assert (unsure.json["held"], "no ecr-warden.yaml here" in unsure.err) == ([], True)
    assert "ecr-warden.yaml" not in _judged(command, tmp_path, BY_NAME["an own user joins a team"]).err
    Path("ecr-warden.yaml").write_text(f"{TEXT}parameters: {{MaxRemoved: {row['max_removed']}}}\n")
    sure = _judged(command, tmp_path, row)
    assert ([one["code"] for one in sure.json["held"]], sure.err) == (row["held"], "")
    Path("access.yaml").write_text(HOUSE)
    ran = command("revoke", "pull", "shop/c", "access.yaml", "--from", "ci:user/anna")
    assert "  removes-much: it removes 1 grant; MaxRemoved is 0" in ran.out.splitlines()


def test_the_hub_tells_its_baseline() -> None:
    world = world_in_sync()
    assert world.specs.compiled is not None
    text = SPEC_FILE.read_bytes()
    world.specs.file = SpecVersion(world.specs.compiled.version, text)
    fewer = text.replace(b", ci:user/pull-user-2", b"")
    digest = world.specs.keep(compiled(fewer.decode(), "v0"))
    world.specs.base = digest, world.specs.keep_text(fewer), "v0"
    world.max_removed = 0
    ran = over(world)("diff", "-", "--json", stdin=fewer)
    assert {one["code"] for one in ran.json["held"]} == {"removes-much"}
    assert "MaxRemoved" not in ran.err
    del world.specs.objects.kept[digest]
    lost = over(world)("diff", "-", stdin=fewer)
    assert (lost.code, lost.out) == (1, "")
    assert lost.err.splitlines()[-1].startswith("ecr-warden: the hub does not know its baseline: ")


@pytest.mark.parametrize("case", WRONG["judged"], ids=name_of)
def test_wrong_input_is_a_named_error(
    case: Wrong, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("access.yaml").write_text(HOUSE)
    Path("bad.yaml").write_text(HOUSE.replace("[deployers]", "[deployerz]", 1))
    with Path("large.json").open("wb") as file:
        file.truncate(200_000_000)
    ran = command("diff", "access.yaml", "access.yaml", *case["argv"])
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(f"ecr-warden: {case['says']}")
