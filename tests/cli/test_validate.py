"""`ecr-warden validate`."""

import shlex

import pytest

from local.testing.seed import SPEC_FILE
from tests.cli.command import Command
from tests.template.cfn import ROOT

WARNED = b"""\
version: 1
accounts: {ci: {id: "111111111111"}}
teams:
  a: [ci:user/x, ci:user/x]
"""
TWICE_WRONG = b"""\
version: 1
accounts: {ci: {id: "111111111111"}}
repositories:
  - {name: shop/checkout, account: registri, pull: [deployrs]}
"""


def test_a_valid_spec_is_one_line(command: Command) -> None:
    ran = command("validate", str(SPEC_FILE))
    assert (ran.code, ran.out, ran.err) == (0, f"{SPEC_FILE}: valid\n", "")


def test_every_problem_is_one_line(command: Command) -> None:
    ran = command("validate", "-", stdin=TWICE_WRONG)
    first, second, last = ran.out.splitlines()
    assert ran.code == 1
    assert first.startswith('E103 <stdin>:4:36 unknown account "registri"; define it')
    assert second.startswith('E104 <stdin>:4:53 unknown team "deployrs"; define it')
    assert last == "<stdin>: not valid (2 errors)"
    assert ran.err == ""


def test_warnings_are_printed_and_leave_the_spec_valid(command: Command) -> None:
    ran = command("validate", "-", stdin=WARNED)
    assert ran.code == 0
    assert ran.out.startswith("W503 <stdin>:4:18 ")
    assert ran.last_line == "<stdin>: valid (1 warning)"


def test_json_has_each_problem_with_its_place_and_remedy(command: Command) -> None:
    ran = command("validate", "--json", "-", stdin=TWICE_WRONG)
    assert ran.code == 1
    assert ran.json["valid"] is False
    first, _ = ran.json["problems"]
    assert first == {
        "code": "E103",
        "severity": "error",
        "line": 4,
        "column": 36,
        "message": 'unknown account "registri"',
        "remedy": first["remedy"],
    }
    assert "define it under accounts:" in first["remedy"]


def test_json_has_the_warnings_of_a_valid_spec(command: Command) -> None:
    ran = command("validate", "--json", "-", stdin=WARNED)
    assert [(problem["code"], problem["severity"]) for problem in ran.json["problems"]] == [("W503", "warning")]
    assert ran.json["valid"] is True


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x7fELF\x02\x00\xff\xfe", "E002"), (b"", "E004"), (b"a: \x1b[31m", "E012"), (b"#" * (6 << 20), "E001")],
    ids=["a binary", "an empty file", "an escape sequence", "a huge file"],
)
def test_input_that_is_not_a_spec_is_a_problem_like_any_other(command: Command, data: bytes, code: str) -> None:
    ran = command("validate", "-", stdin=data)
    assert ran.code == 1
    assert ran.out.startswith(f"{code} <stdin>:1:")
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(("example", "policies"), [("identity-center", 3), ("eks", 1)])
def test_what_somebody_else_has_to_write_is_printed_by_the_command_that_is_named(
    command: Command, example: str, policies: int
) -> None:
    ran = command("validate", str(ROOT / "examples" / example / "access.yaml"))
    named = [shlex.split(line)[1:] for line in ran.out.splitlines() if line.startswith("  ecr-warden render ")]
    assert (ran.code, len(named)) == (0, policies)
    for argv in named:
        assert command(*argv).out.startswith(f"# inline policy of {argv[-1]}\n")
