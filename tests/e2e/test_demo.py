"""`python -m local.demo`, from outside: what it prints, what it writes, what it ends with."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.aws.launcher import ROOT
from local.demo.places import RESULT
from local.demo.play import EXAMPLES, QUESTIONS, variables
from tests.e2e.house import House

KEYS = ["tampers", "repaired", "unrepaired", "falseWrites", "alerts", "reported", "eventToRepairedMs", "checks"]
SECONDS = 600  # five times what is promised: a machine that runs tests does other things too


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[int, str]]:
    """Exit code and output; an older result file exists."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("older")
    environment = {name: value for name, value in os.environ.items() if name not in ("KEEP", "AWS_ENDPOINT_URL")}
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    yield process.returncode, output


def test_everything_is_as_documented(demo: tuple[int, str]) -> None:
    code, output = demo
    found = json.loads(RESULT.read_text())
    assert [check for check in found["checks"] if not check["ok"]] == [], output
    assert code == 0
    assert [*found] == KEYS
    assert found["tampers"] == found["repaired"] >= 12
    assert (found["unrepaired"], found["falseWrites"]) == ([], 0)
    # However many messages: what one caller does within seconds is collected, and each repair is in one of them.
    assert found["reported"] == found["repaired"]
    assert found["alerts"] > 0
    assert 0 < found["eventToRepairedMs"]["median"] <= found["eventToRepairedMs"]["max"]


def test_it_speaks_before_it_loads_the_sdk() -> None:
    reading, writing = os.pipe()
    os.close(reading)  # so that the first line is the last
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "local.demo"],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "BrokenPipeError" in ran.stderr
    assert "local.demo.screen" in imported
    assert imported.isdisjoint({"boto3", "botocore"})


def test_it_speaks_plain_text_through_a_pipe(demo: tuple[int, str]) -> None:
    _, output = demo
    assert "\x1b" not in output
    assert "who can push: push-user, a user of account 999999999999" in output


def printed(command: str, house: House) -> str:
    """What a command of the last screen prints in a terminal with the variables of that screen."""
    environment = {"PATH": os.environ["PATH"], **variables(house.stage, "222222222222")}
    ran = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_printed_examples_work(house: House) -> None:
    moment = house.now()
    answers = [printed(example.one_liner, house) for example in EXAMPLES]
    house.quiet.wait(moment.mark)
    assert "pull-user-1" in answers[0]
    assert house.is_right()
    assert [call.action for call in house.product_writes(moment)] == ["DetachRolePolicy"]


def test_the_printed_questions_to_the_hub_are_answered(house: House) -> None:
    status, history, plan = (printed(question, house) for question in QUESTIONS)
    assert "5 targets: 5 ok" in status
    assert "registry:role/ecr-pusher" in history
    assert "5 targets: 5 ok, 0 differ" in plan
