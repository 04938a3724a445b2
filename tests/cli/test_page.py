"""The sessions that the documentation shows are what the command prints, except for times and IDs."""

import re
import shlex
from copy import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecr_warden.core.address import trust_policy
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.state.specs import SpecVersion
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import (
    ACCEPTED,
    ASSUMING,
    CHECKOUT,
    CI,
    D1,
    HOME,
    OUTSIDER,
    PUSHER,
    SETTINGS,
    SPEC_FILE,
    allow,
    document,
)
from tests.cli.command import Command, unfolded
from tests.cli.test_doctor import TEXT, House
from tests.cli.test_hold import over as spec_hub
from tests.cli.test_hub import over
from tests.cli.test_versions import LESS
from tests.contracts.worlds import MemoryWorld, make_in_sync
from tests.template.cfn import ROOT
from tests.usecases.uploads import first, look
from tests.usecases.world import MALLORY, runs_of, world_in_sync

PAGE = (ROOT / "docs" / "cli.md").read_text()
SESSIONS = re.findall(r"^```(?:console)?\n\$ (.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
# How the sessions begin that run here.
SEEN = {
    *(
        "ecr-warden validate",
        "ecr-warden render",
        "ecr-warden plan access",
        "ecr-warden pause",
    ),
    *("ecr-warden diff", "ecr-warden grant pull", "ecr-warden versions", "ecr-warden doctor"),
}


def session(first: str) -> list[tuple[list[str], str]]:
    """(words, output) of each command in the session that begins with a command."""
    [text] = [text for text in SESSIONS if text.startswith(first)]
    commands = [one.partition("\n") for one in text.split("\n$ ")]
    return [(shlex.split(line)[1:], output.strip()) for line, _, output in commands]


def plain(text: str) -> str:
    """The text without times and IDs, and without the folds that depend on their lengths."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\(event [^)]*\)", "(event ID)", text)
    text = re.sub(r"\b(\d{8}T\d{6}Z[0-9a-f]{12}|r\d+)\b", "RUN", text)
    return unfolded(re.sub(r"([Ss]pec:? +)([0-9a-f-]{36}|v\d+)\b", r"\1VERSION", text)).strip()


@pytest.fixture
def command(command: Command) -> Command:
    """The command as the documentation shows it."""
    return replace(command, columns=80, entries=None)


@pytest.fixture(autouse=True)
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`access.yaml` in the current folder."""
    (tmp_path / "access.yaml").write_bytes(SPEC_FILE.read_bytes())
    monkeypatch.chdir(tmp_path)


def test_validate_and_render(command: Command) -> None:
    (valid, said_valid), (_, said_invalid) = session("ecr-warden validate")
    [(render, rendered)] = session("ecr-warden render")
    misspelt = SPEC_FILE.read_bytes().replace(b"deployers]", b"deployrs]")
    assert said_valid == command(*valid).out.strip()
    assert said_invalid == command("validate", "-", stdin=misspelt).out.strip()
    assert rendered == command(*render).out.strip()


def test_plan(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    trusted = {"AWS": [f"arn:aws:iam::{CI}:user/push-user", f"arn:aws:iam::{OUTSIDER}:root"]}
    world.put(trust_policy(PUSHER), document({"Effect": "Allow", "Principal": trusted, "Action": list(ASSUMING)}))
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document(allow("ecr:*")).text}
    boundary = {"Arn": SETTINGS.boundary, "PolicyVersionList": [version]}
    command = replace(command, reader=LiveEstateReader(world.documents, {HOME: {"Policies": [boundary]}}))
    for words, output in session("ecr-warden plan access"):
        assert plain(output) == plain(command(*words).out)


def test_diff(command: Command) -> None:
    seed = SPEC_FILE.read_text()
    Path("main:access.yaml").write_text(seed.replace("enforce", "observe"))
    changed = seed.replace("pull-user-1, ci:user/pull-user-2", "pull-user-1")
    Path("access.yaml").write_text(
        changed.replace("[ci:user/push-user]", "[ci:user/push-user, ci:user/new]\n        pull: true")
    )
    [(words, shown)] = session("ecr-warden diff")
    assert shown == command(*words).out.strip()


def test_grant_and_revoke(command: Command) -> None:
    for words, shown in session("ecr-warden grant pull"):
        assert shown == command(*words).out.strip()


def test_versions_of_the_spec() -> None:
    world = first()
    [(history, listed)] = session("ecr-warden versions")
    run = replace(spec_hub(world), columns=80)
    Path("access.yaml").write_text(LESS)
    assert run("apply", "access.yaml", "--yes").code == 0
    look(world)
    assert plain(listed) == plain(run(*history).out)


def test_doctor() -> None:
    [(words, shown)] = session("ecr-warden doctor")
    Path("ecr-warden.yaml").write_text(TEXT)
    ran = replace(House.without_schedule().command(), columns=80)(*words)
    # The first line has versions.
    assert shown.partition("\n")[2] == ran.out.strip().partition("\n")[2]


def test_every_session_is_run() -> None:
    assert [text for text in SESSIONS if not text.startswith(tuple(SEEN))] == []


@pytest.mark.parametrize("page", ["README.md", "docs/spec.md"])
def test_the_spec_shown_is_the_example(page: str, command: Command) -> None:
    [shown] = re.findall(r"^```yaml\n(version: 1\n.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert command("render", "-", stdin=shown.encode()).out == command("render", "access.yaml").out


def test_the_problem_shown_is_the_one_of_its_spec(command: Command) -> None:
    text = (ROOT / "docs/spec.md").read_text()
    [shown] = re.findall(r"^```yaml\n(version: 1\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    Path("access.yaml").write_text(shown.replace("[deployers]", "[deployrs]"))
    [problem] = command("validate", "access.yaml").out.splitlines()[:-1]
    assert f"`{problem}`" in re.sub(r"\s+", " ", text)


def test_the_session_with_the_hub() -> None:
    world = world_in_sync()
    world.specs.file = SpecVersion(ACCEPTED.version, SPEC_FILE.read_bytes())
    world.sweep()
    world.clock.advance(timedelta(minutes=1))
    command = replace(over(world), columns=80)
    for words, output in session("ecr-warden pause"):
        if "T" in words[-1]:
            words[-1] = runs_of(world, CHECKOUT)[0].run_id
        assert plain(output) == plain(command(*words).out)
        if words[0] == "pause":
            world.clock.advance(timedelta(seconds=2))
            pull = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
            world.put(D1, document(allow(*pull, who="*")))
            at = f"{world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
            actor = replace(MALLORY, source_ip="127.0.0.1")
            cause = replace(world.event(actor), action="ecr:SetRepositoryPolicy", at=at)
            world.clock.advance(timedelta(seconds=1))
            world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


def test_what_the_readme_shows_of_the_example_is_what_the_command_says(command: Command) -> None:
    """The lines before and after the dots."""
    shown = (ROOT / "README.md").read_text().partition("--example\n\n```\n")[2].partition("```")[0]
    before, after = shown.split("...\n")
    said = command("who-can", "push", "shop/checkout", "--example").out
    assert said.startswith(before)
    assert said.endswith(after)
