"""The examples of docs/who-can.md print what they show, and its snapshot is one."""

import json
import re
import shlex
from datetime import UTC, datetime

import pytest

from tests.cli.command import Command
from tests.snapshots import estate_from_text
from tests.template.cfn import ROOT

TEXT = (ROOT / "docs" / "who-can.md").read_text()
EXAMPLES = re.findall(r"```console\n\$ ecr-warden ([^\n]+)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command[:20] for command, _ in EXAMPLES])
def test_an_example_prints_what_it_shows(command: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert Command(columns=80)(*shlex.split(command)).out == output


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_the_snapshot_shown_is_one() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    account = estate_from_text(text, at=datetime.now(UTC)).accounts["222222222222"]
    assert account.organization is not None
    assert set(json.loads(text)["accounts"]["222222222222"]) >= {"iam", "ecr", "unread"}
