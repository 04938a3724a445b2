"""`python -m local.demo`, from outside: what it prints, what it writes, what it ends with."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from local.demo.places import RESULT
from local.demo.play import EXAMPLES, variables
from local.launcher import ROOT
from tests.e2e.house import House

KEYS = ["tampers", "repaired", "unrepaired", "false_writes", "alerts", "event_to_repaired_ms", "checks"]
SECONDS = 240  # twice what is promised: a machine that runs tests does other things too


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[int, str, float]]:
    """Exit code, output, and the seconds until the first line; a result of yesterday lies there."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("yesterday's")
    environment = {name: value for name, value in os.environ.items() if name not in ("KEEP", "AWS_ENDPOINT_URL")}
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        waited = time.monotonic() - began
        try:
            rest, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    yield process.returncode, first + rest, waited


def test_everything_is_as_said(demo: tuple[int, str, float]) -> None:
    code, output, _ = demo
    found = json.loads(RESULT.read_text())
    assert [check for check in found["checks"] if not check["ok"]] == [], output
    assert code == 0
    assert [*found] == KEYS
    assert found["tampers"] == found["repaired"] >= 12
    assert (found["unrepaired"], found["false_writes"]) == ([], 0)
    # One for each repair, and one for each of the file's two versions.
    assert found["alerts"] >= found["tampers"] + 2
    assert 0 < found["event_to_repaired_ms"]["median"] <= found["event_to_repaired_ms"]["max"]


def test_it_speaks_at_once_and_in_plain_text_through_a_pipe(demo: tuple[int, str, float]) -> None:
    _, output, waited = demo
    assert waited < 3
    assert "\x1b" not in output
    assert "who can push: push-user, a user of account 999999999999" in output


def test_the_printed_examples_work(house: House) -> None:
    environment = {"PATH": os.environ["PATH"], **variables(house.stage, "222222222222")}
    moment = house.now()
    answers = [
        subprocess.run(
            example.one_liner, shell=True, env=environment, capture_output=True, text=True, timeout=30, check=True
        ).stdout
        for example in EXAMPLES
    ]
    house.quiet.wait(moment.mark)
    assert "pull-user-1" in answers[0]
    assert house.is_right()
    assert [call.action for call in house.product_writes(moment)] == ["DetachRolePolicy"]
