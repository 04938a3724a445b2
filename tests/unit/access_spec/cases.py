"""Reads the case files of tests/cases/spec."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CASES = Path(__file__).parents[2] / "cases" / "spec"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNTS = """\
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
teams: {deployers: [ci:user/anna]}"""

_MARK = re.compile("«([A-Z][0-9]{3})»")


@dataclass(frozen=True, slots=True)
class Case:
    """A spec and the (code, line, column) of its problems."""

    name: str
    text: str
    expected: tuple[tuple[str, int, int], ...]


def sections(file: str) -> list[tuple[str, str]]:
    """(sentence, text) of each section."""
    parts = (CASES / file).read_text(encoding="utf-8").split("\n== ")[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].rstrip("\n")) for part in parts]


def problem_cases() -> list[Case]:
    return [_case(name, text) for name, text in sections("problems.txt")]


def _case(name: str, marked: str) -> Case:
    marked = marked.replace("@accounts", ACCOUNTS)
    text, expected = "", []
    for index, piece in enumerate(_MARK.split(marked)):
        if index % 2:
            expected.append((piece, text.count("\n") + 1, len(text) - text.rfind("\n")))
        else:
            text += piece
    return Case(name, text, tuple(sorted(expected, key=lambda entry: (entry[1], entry[2], entry[0]))))


def wording_cases() -> list[tuple[str, str, list[str]]]:
    """(sentence, spec, reported lines) of each section."""
    parts = ((name, text.partition("\n--\n")) for name, text in sections("wording.txt"))
    return [(name, spec.replace("@accounts", ACCOUNTS), lines.split("\n")) for name, (spec, _, lines) in parts]
