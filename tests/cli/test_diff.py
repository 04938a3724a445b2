"""`ecr-warden diff`: who gains and who loses what between two versions of the spec."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.access_change import AccessChange, Direction
from ecr_warden.core.judgement import Judgement, WaitCode, WaitReason
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.access_lines import DiffNames, lines_of
from ecr_warden_cli.editing.diff_text import MAX_MARKDOWN, code, markdown, summary
from ecr_warden_cli.editing.spec_diff import SettingChange, SpecDiff, TargetChange
from local.testing.seed import SPEC_FILE
from tests.cli.command import Command
from tests.cli.test_hub import over
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.tables import load
from tests.usecases.world import present, world_in_sync

DIFFS: dict[str, Any] = load((Path(__file__).parents[1] / "cases" / "diff.yaml").read_text())
START, OLD = DIFFS["head"], DIFFS["usual"]
JOBS = """[
    {github: acme/shop, owner_id: 1, repository_id: 2, branch: main},
    {github: acme/shop, owner_id: 1, repository_id: 2, tag: v1}]"""
ALONE = ", by the texts alone: no account was read"
FIRST = f"3 gains (3 principals, 1 repository){ALONE}; this is only observed: it says mode: observe"
EFFECTIVE = "once it is uploaded, it takes effect by itself"


def test_what_would_wait_for_a_person(command: Command, tmp_path: Path) -> None:
    enforced = START + OLD + "settings: {mode: enforce}\n"
    (tmp_path / "old.yaml").write_text(enforced)
    few = command("diff", str(tmp_path / "old.yaml"), "-", stdin=enforced.replace(", ci:user/bob", "").encode())
    assert few.last_line == "1 loss (1 principal, 1 repository)"
    empty = START + "repositories: []\nsettings: {mode: enforce}\n"
    ran = command("diff", str(tmp_path / "old.yaml"), "-", stdin=empty.encode())
    assert ran.out.splitlines()[:2] == [
        "once it is uploaded, it waits for a person:",
        "  removes-much: it names no repository, role or user any more",
    ]
    ran = command("diff", "--json", str(tmp_path / "old.yaml"), "-", stdin=empty.encode())
    assert ran.json["held"] == [{"code": "removes-much", "reason": "it names no repository, role or user any more"}]
    assert ran.json["unseen"] == []
    ran = command("diff", "--markdown", str(tmp_path / "old.yaml"), "-", stdin=empty.encode())
    assert ran.out.startswith(
        "**Once it is uploaded, this version waits for a person:**\n\n- `removes-much: it names no "
    )


@pytest.mark.parametrize(
    ("name", "ends", "what", "words"),
    [
        ("shop/checkout", "", "revoked", "its policy will be revoked"),
        ("shop/checkout", ", mode: observe", "left", "will be left as it is"),
        ("shop/*", "", "revoked", "its policy will be revoked"),
        ("shop/*", ", mode: observe", "left", "will be left as it is"),
    ],
)
def test_what_becomes_of_a_policy_that_is_no_longer_named(
    command: Command, tmp_path: Path, name: str, ends: str, what: str, words: str
) -> None:
    after = START + "settings: {mode: enforce}\n"
    entry = f"repositories: [{{name: {name}, account: registry, pull: [ci:user/ann]{ends}}}]\n"
    (tmp_path / "old.yaml").write_text(after + entry)
    target = f"repository/222222222222/eu-central-1/{name}"
    ran = command("diff", str(tmp_path / "old.yaml"), "-", stdin=after.encode())
    assert f"{target}: {words}" in ran.out.splitlines()
    ran = command("diff", "--json", str(tmp_path / "old.yaml"), "-", stdin=after.encode())
    assert ran.json["endings"] == [{"target": target, "what": what}]
    ran = command("diff", "--markdown", str(tmp_path / "old.yaml"), "-", stdin=after.encode())
    assert f"- `{target}: {words}`" in ran.out


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository whose main has OLD as access.yaml, and the current directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    Path("access.yaml").write_text(START + OLD)
    for argv in (
        ["init", "-q", "-b", "main"],
        ["add", "access.yaml"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "first"],
    ):
        subprocess.run(["git", *argv], check=True)
    return tmp_path


@pytest.mark.parametrize("case", DIFFS["cases"], ids=lambda case: str(case["name"]))
def test_two_files(case: dict[str, Any], command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(START + case.get("old", OLD))
    ran = command("diff", str(tmp_path / "old.yaml"), "-", stdin=(START + case.get("new", OLD)).encode())
    code = 0 if case["prints"] == "nothing changes\n" else 2
    assert (ran.out, ran.code, ran.err) == (case["prints"], code, "")


def test_a_job_is_named_by_the_conditions_on_its_token(command: Command, tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(START + OLD.replace("[ci:user/bot]", JOBS))
    new = old.read_text().replace("tag: v1", "tag: v2")
    gains, loses = command("diff", str(old), "-", stdin=new.encode()).out.splitlines()[1:3]
    issuer = "registry:oidc-provider/token.actions.githubusercontent.com"
    assert gains.startswith(f"{issuer} gains push to shop/checkout through registry:role/ecr-warden/pusher, if ")
    assert loses.startswith(f"{issuer} loses push to shop/checkout through registry:role/ecr-warden/pusher, if ")
    assert "repo:acme/shop:ref:refs/tags/v2" in gains
    assert "repo:acme/shop:ref:refs/tags/v1" in loses


def test_a_version_in_git_and_a_file(command: Command, repository: Path) -> None:
    Path("access.yaml").write_text(START + OLD.replace(", ci:user/bob", ""))
    ran = command("diff", "main:access.yaml", "access.yaml")
    assert (ran.code, ran.out.splitlines()[:2]) == (2, [EFFECTIVE, "ci:user/bob loses pull from shop/checkout"])
    assert command("diff", "HEAD:access.yaml", "main:access.yaml").out == "nothing changes\n"


def test_a_file_comes_before_a_version_in_git_of_the_same_name(command: Command, repository: Path) -> None:
    Path("main:access.yaml").write_text(START + "repositories: []\n")
    ran = command("diff", "main:access.yaml", "access.yaml")
    assert ran.last_line == FIRST


def test_the_first_version_against_none(command: Command, repository: Path) -> None:
    assert command("diff", "/dev/null", "access.yaml").last_line == FIRST
    assert command("diff", "access.yaml", "/dev/null").last_line == f"3 losses (3 principals, 1 repository){ALONE}"
    assert command("diff", "/dev/null", "/dev/null").out == "nothing changes\n"


def test_versions_in_the_hubs_bucket() -> None:
    world = world_in_sync()
    assert world.specs.compiled is not None
    text = SPEC_FILE.read_bytes()
    world.specs.file = SpecVersion(world.specs.compiled.version, text)
    command = over(world)
    assert command("diff", "-", stdin=text).out == "nothing changes\n"
    assert command("diff", f"s3:{world.specs.file.version}", "-", stdin=text).out == "nothing changes\n"
    assert command("diff", "s3:other", "-", stdin=text).err.startswith("ecr-warden: version other of the file")
    changed = text.replace(b"ci:user/pull-user-1", b"ci:user/pull-user-9")
    assert changed != text
    assert command("diff", "-", stdin=changed).out.splitlines() == [
        "once it is uploaded, it may wait for a person:",
        "  not seen: the current policies of ci:user/pull-user-9, which it may replace",
        "ci:user/pull-user-9 gains pull from shop/checkout",
        "ci:user/pull-user-1 loses pull from shop/checkout",
        "1 gain (1 principal, 1 repository), 1 loss (1 principal, 1 repository), by the texts alone: "
        "no account was read",
    ]


@pytest.mark.parametrize("case", WRONG["diff"], ids=name_of)
def test_wrong_input_is_a_named_error(case: Wrong, command: Command, repository: Path) -> None:
    ran = command("diff", *case["argv"])
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(f"ecr-warden: {case['says']}")


def test_git_is_asked_once_and_not_beyond_a_file(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    Path("access.yaml").write_text(START + OLD)
    assert command("diff", "access.yaml", "access.yaml").code == 0
    ran = command("diff", "main:access.yaml", "access.yaml", "--json")
    assert ran.json["error"]["code"] == "no-such-version"
    assert ran.json["error"]["message"] == "git is not installed"


def test_problems_name_the_version_that_has_them(command: Command, repository: Path) -> None:
    Path("bad.yaml").write_text(START + OLD.replace("[devs]", "[devz]"))
    ran = command("diff", "main:access.yaml", "bad.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0].startswith('E104 bad.yaml:8:53 unknown team "devz"')
    assert ran.err.splitlines()[-1] == "ecr-warden: bad.yaml is not valid; see the problems above"


def test_many_who_gain_alike_are_one_line() -> None:
    users = [f"arn:aws:iam::111111111111:user/{name}" for name in ("ann", "bob")]
    changes = [one for who in users for one in _changes(30, principal=who, condition="")]
    changes += _changes(1, principal="arn:aws:iam::111111111111:user/cid", access="push", condition="")
    lines = lines_of(changes, NAMES)
    assert [line.text() for line in lines] == [
        "ci:user/cid gains push to shop/0",
        "ci:user/ann and ci:user/bob gain pull from 30 repositories (shop/0, shop/1, shop/10 and 27 more)",
    ]
    assert summary(SpecDiff(tuple(changes)), lines) == "61 gains (3 principals, 30 repositories)"


def test_an_older_version_may_say_what_a_new_one_must_not_and_that_is_noted(command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(START + OLD + "settings: {exact: true}\n")
    ran = command("diff", str(tmp_path / "old.yaml"), "-", stdin=(START + OLD).encode())
    assert ran.code == 0
    [noted] = [line for line in ran.err.splitlines() if "exact of settings is gone; remove it" in line]
    assert noted.startswith("W515 ")
    ran = command("diff", "-", str(tmp_path / "old.yaml"), stdin=(START + OLD).encode())
    assert ran.code == 1 and "E030" in ran.err


def test_settings_have_the_names_of_the_spec(command: Command, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(START + OLD)
    new = START.replace('ci: {id: "111111111111"', 'ci: {mode: enforce, id: "111111111111"') + OLD
    ran = command("diff", str(tmp_path / "old.yaml"), "-", stdin=new.encode())
    assert "mode of accounts: changed" in ran.out.splitlines()


def _changes(number: int, **given: str) -> tuple[AccessChange, ...]:
    fields = {"principal": "arn:aws:iam::111111111111:user/ann", "access": "pull", **given}
    return tuple(
        AccessChange(
            fields["principal"],
            f"repository/222222222222/eu-central-1/shop/{index}",
            fields["access"],
            Direction.GAINS,
            (),
            tuple(filter(None, [given.get("condition", f"condition {index}")])),
        )
        for index in range(number)
    )


NAMES = DiffNames({"111111111111": "ci", "222222222222": "registry"})


def test_markdown_has_the_gravest_first_within_its_limit() -> None:
    changes = (
        *_changes(200),
        *_changes(1, access="push"),
        *_changes(1, principal="*"),
        *_changes(1, principal="999999999999"),
        *_changes(1, principal="o-a1b2c3d4e5"),
    )
    text = markdown(SpecDiff(changes), lines_of(changes, NAMES))
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    assert [entry.split("`")[1] for entry in entries[:5]] == [
        *("anybody (*)", "account 999999999999", "organization o-a1b2c3d4e5", "ci:user/ann", "ci:user/ann")
    ]
    assert "push to" in entries[3]
    found = present(re.fullmatch(r"- and (\d+) more changes", entries[-1]))
    assert int(found[1]) + len(entries) - 1 == len(lines_of(changes, NAMES)) == 203
    assert len(text.encode()) <= MAX_MARKDOWN


@pytest.mark.parametrize("number", [0, 1, 5, 200, 5000])
def test_markdown_counts_what_it_leaves_out_of_each_list(number: int) -> None:
    targets = {f"role/222222222222/{'r' * 40}{index}": TargetChange.CHANGED for index in range(number)}
    settings = tuple(SettingChange("", f"setting-{index}", "a", "b") for index in range(number))
    held = tuple(WaitReason(WaitCode.REMOVES_MUCH, f"reason {'x' * 90} {index}") for index in range(number))
    changes = _changes(number)
    text = markdown(SpecDiff(changes, (), targets, settings, Judgement(held)), lines_of(changes, NAMES))
    entries = [line for line in text.splitlines() if line.startswith("- ")]
    more = sum(int(line.split()[2]) for line in entries if re.fullmatch(r"- and \d+ more \w+", line))
    shown = sum(not re.fullmatch(r"- and \d+ more \w+", line) for line in entries)
    assert shown + more == 4 * number
    assert len(text.encode()) <= MAX_MARKDOWN


@pytest.mark.parametrize(
    "text",
    ["a`b", "`", "``", "a``b`", "<script>", "a|b", "@everyone", "[x](y)", "\x1b[31m", "a\n- b", "ｅcr", "-", " "],
)
def test_no_name_leaves_its_code_span(text: str) -> None:
    span = code(text)
    ticks = present(re.match("`+", span))
    inside = span[len(ticks[0]) : -len(ticks[0])]
    assert span.endswith(ticks[0])
    assert ticks[0] not in re.findall("`+", inside)
    assert inside == inside.strip("`") or inside[:1] == inside[-1:] == " "
    assert inside.isascii()
    assert inside.isprintable()


def test_json_has_every_change_in_full(command: Command, repository: Path) -> None:
    Path("access.yaml").write_text(START + OLD.replace("[ci:user/bot]", "[ci:user/bot, ci:user/eve]"))
    ran = command("diff", "main:access.yaml", "access.yaml", "--json")
    assert ran.code == 2
    assert ran.json["old"]["name"] == "main:access.yaml"
    assert ran.json["changes"] == [
        {
            "who": "ci:user/eve",
            "principal": "arn:aws:iam::111111111111:user/eve",
            "direction": "gains",
            "access": "push",
            "repository": "repository/222222222222/eu-central-1/shop/checkout",
            "through": ["arn:aws:iam::222222222222:role/ecr-warden/pusher"],
            "conditions": [],
        }
    ]
    assert (ran.json["undecided"], ran.json["targets"], ran.json["settings"]) == ([], [], [])
