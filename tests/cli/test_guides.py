"""The commands of docs/how-to.md, recipe by recipe over a hub in this process, do what the recipe says.

Those of the first recipe are run by tests/e2e/test_onboarding.py, those of pull requests by test_pull_requests.py.
"""

import re
import shlex
import textwrap
from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from ecr_warden.core.target import RoleTarget, UserTarget
from ecr_warden.state.hold import Verdict
from ecr_warden.versions.alerts import HoldOpened
from ecr_warden_cli.terminal.console import Exit
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import CI, D1, D2, SPEC_FILE
from tests.cli.command import Command
from tests.cli.test_hold import over
from tests.template.cfn import ROOT
from tests.usecases.test_incidents import STANDING
from tests.usecases.uploads import decide, first, look
from tests.usecases.world import World

PAGE = (ROOT / "docs" / "how-to.md").read_text()
RECIPES = {heading: text for heading, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])}
PULL_1, PULL_2, PUSH, PUSH_2, ANNA, BEN, NODE = (
    f"arn:aws:iam::{CI}:{name}"
    for name in (
        *("user/pull-user-1", "user/pull-user-2", "user/push-user", "user/push-user-2", "user/anna", "user/ben"),
        "role/node",
    )
)
# Who pulls and who pushes at the end; the world begins with the spec of examples/seed.
ENDS = {
    "Add a team": ({PULL_1, PULL_2, ANNA, BEN}, {PUSH}),
    "Add an account": ({PULL_1, PULL_2}, {PUSH}),
    "Push with a grant": ({PULL_1, PULL_2}, {PUSH}),
    "Let a job of GitHub push": ({PULL_1, PULL_2}, {PUSH}),
    "Let a cluster pull": ({PULL_1, PULL_2, NODE}, {PUSH}),
    "Take out somebody who leaves": ({PULL_2}, {PUSH}),
    "Rotate a user": ({PULL_1, PULL_2}, {PUSH_2}),
    "Lose an account": (set[str](), set[str]()),
    "Answer an alert": ({PULL_1, PULL_2}, {PUSH}),
    "Cut an incident short": ({PULL_1, PULL_2}, set[str]()),
    "Roll back": ({PULL_1, PULL_2}, {PUSH}),
    "Work without the hub": ({PULL_1, PULL_2}, {PUSH}),
}


def commands(text: str) -> Iterator[list[str]]:
    """The words after `ecr-warden` of each line that is one, up to a redirection."""
    for line in re.findall(r"^ {4,}ecr-warden ([^>\n]+)", text, re.MULTILINE):
        yield shlex.split(line)


def deployed() -> World:
    """The hub has given the access of its first version."""
    world = first()
    for name in ("anna", "ben", "push-user-2"):
        world.documents.make(UserTarget(CI, name))
    world.documents.make(RoleTarget(CI, "node"))
    world.sweep()
    world.drain()
    assert not world.differing()
    alerted = replace(STANDING[0], id="3f2a9c1b")
    world.incidents.incidents = {alerted.key: alerted}
    return world


def run(command: Command, world: World, words: list[str]) -> None:
    """Run it as a person who answers yes; what it uploads takes effect."""
    ran = command(*words, stdin=b"yes\n")
    assert ran.code != Exit.ERROR, (words, ran.out, ran.err)
    if words[0] in ("apply", "rollback"):
        seen = look(world)
        if isinstance(seen, HoldOpened):
            decide(world, seen.hold, Verdict.ACCEPT)
        world.drain()


def access(world: World) -> tuple[set[str], set[str]]:
    """Who pulls and who pushes by the live policies."""
    return principals(world.live(D1)), principals(world.live(D2))


def principals(document: object) -> set[str]:
    return {*re.findall(rf"arn:aws:iam::{CI}:(?:user|role)/[a-z0-9-]+", str(document))}


def test_each_recipe_is_run() -> None:
    elsewhere = "Change the spec by pull requests"
    assert [name for name in RECIPES if name != elsewhere] == ["Onboard the repositories that are there", *ENDS]


@pytest.mark.parametrize("recipe", ENDS)
def test_its_commands_lead_to_what_it_promises(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = SPEC_FILE.read_text()
    for shown in re.findall(r"```yaml\n(.*?)```", RECIPES[recipe], re.DOTALL):
        part = textwrap.dedent(shown)
        spec = re.sub(rf"^{part.partition(':')[0]}:\n( .*\n)+", part, spec, flags=re.MULTILINE)
        assert part in spec
    Path("access.yaml").write_text(spec)
    world = deployed()
    command = replace(over(world), reader=LiveEstateReader(world.documents), terminal=True)
    assert access(world) == ({PULL_1, PULL_2}, {PUSH})
    if recipe == "Roll back":
        for words in commands(RECIPES["Cut an incident short"]):
            run(command, world, words)
        assert access(world) != ENDS[recipe]
    for words in commands(RECIPES[recipe]):
        run(command, world, words)
    assert access(world) == ENDS[recipe]
