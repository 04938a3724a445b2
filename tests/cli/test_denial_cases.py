"""Real messages of docker, kubelet, services and SDKs, as rows: the answer, what to do, what must not stand there."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import pytest

from tests import tables
from tests.cli.command import Command, Ran
from tests.cli.denial_house import GRANT, SPEC, answers_after, example, house
from tests.template.cfn import ROOT

_FILES = sorted((ROOT / "tests/cases/denials").glob("*.yaml"))
ROWS: dict[str, Any] = {row["name"]: row for file in _FILES for row in tables.load(file.read_text())}
_WORDS = {
    "R": "222222222222.dkr.ecr.eu-central-1.amazonaws.com",
    "ARN": "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout",
    "IAM": "arn:aws:iam::111111111111:",
    "STS": "arn:aws:sts::111111111111:",
}


@pytest.fixture(scope="module")
def estates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("denials")
    written = {"example": folder / "example.json", "house": folder / "house.json"}
    written["example"].write_text(json.dumps(example()))
    written["house"].write_text(json.dumps(house()))
    return written


def _explain(row: Any, estates: dict[str, Path], *more: str) -> Ran:
    given = [option for name in ("as", "repository", "sub") if name in row for option in (f"--{name}", row[name])]
    estate = str(estates[row.get("estate", "example")])
    message = Template(row["message"]).safe_substitute(_WORDS)
    source = ("--spec", str(SPEC), "--snapshot", estate)
    return Command()("explain-denial", *given, *source, *more, stdin=message.encode())


type Answered = Callable[[str], Any]


@pytest.fixture(scope="module")
def answered(estates: dict[str, Path]) -> Answered:
    """The answer in JSON to a row's message, by the row's name."""
    return cache(lambda name: _explain(ROWS[name], estates, "--json").json)


def test_there_are_many_rows_of_their_own() -> None:
    assert len(ROWS) > 200
    assert len({row["message"] for row in ROWS.values()}) > 180
    assert all(row["from"].startswith("https://") and row["never"] for row in ROWS.values())


@pytest.mark.parametrize("name", ROWS)
def test_a_message_is_answered(name: str, estates: dict[str, Path]) -> None:
    row = ROWS[name]
    ran = _explain(row, estates)
    out = ran.out or ran.err
    if row["verdict"] == "asks":
        assert (ran.code, ran.out) == (1, "")
        says, _, do = ran.err.partition("; ")
    else:
        assert ran.out.startswith(f"{row['verdict']}: "), out
        says, do, *_ = [*ran.out.split("\n"), ""]
        do += ran.out.partition("\ndo: ")[2].split("\n   ", 1)[0] + "".join(_commands(ran.out))
        assert "\ndo: " in ran.out
    assert row["first"] in says, out
    assert row["do"] in do, out
    assert all(words in out for words in row.get("also", ())), out
    assert [words for words in row["never"] if words in out] == [], out


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row["verdict"] == "no"])
def test_a_grant_that_is_printed_lets_the_call_through(name: str, answered: Answered) -> None:
    row, answer = ROWS[name], answered(name)
    for one in (answer, *answer.get("others", ())):
        for command in one.get("commands", ()):
            if (found := GRANT.fullmatch(command)) is not None:
                snapshot = example() if row.get("estate", "example") == "example" else house()
                assert answers_after(found, snapshot, one["asked"]) == "yes"


def _commands(out: str) -> list[str]:
    return [line for line in out.split("\n") if line.startswith("    ") and not line.startswith("     ")]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row["verdict"] not in ("asks", "not denied")])
def test_what_was_understood_of_a_message(name: str, answered: Answered) -> None:
    row, answer = ROWS[name], answered(name)
    assert answer["answer"] == row["verdict"]
    if "access" in row and answer["asked"]["access"] is not None:
        assert answer["asked"]["access"] == row["access"]
    if "who" in row:
        assert answer["asked"]["principal"].replace("ci:", "").rpartition(":")[2] == row["who"].rpartition(":")[2]
    if "policy" in row:
        assert answer["denied"]["policy"] == row["policy"]
    if "side" in row:
        named = [answer["denied"]["kind"]] if answer["denied"] else []
        assert row["side"] in named + [one["side"] for one in answer.get("missing", ())]
