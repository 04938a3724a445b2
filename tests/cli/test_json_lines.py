"""JSON Lines: each line has its own answer."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ecr_warden_cli.console import Console, Exit
from ecr_warden_cli.json_lines import MAX_LINE, answer_lines


def answers(data: bytes) -> tuple[Exit, list[dict[str, Any]]]:
    """The exit code and answers of a verb that fails on request."""

    def handle(fields: Mapping[str, Any]) -> dict[str, Any]:
        match fields.get("do"):
            case "crash":
                return {"verdict": fields["gone"]}
            case "recurse":
                return handle(fields)
            case "unwritable":
                return {"verdict": object()}
            case _:
                return {"verdict": "yes"}

    out = io.StringIO()
    code = answer_lines(io.BytesIO(data), Console(out, io.StringIO(), {}, 80), handle, blank={"verdict": None})
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


GOOD = b'{"name": "good"}\n'


@pytest.mark.parametrize(
    ("line", "name", "code"),
    [
        (b'{"name": "bad", "do": "crash"}', "bad", "line-crashed"),
        (b'{"name": "bad", "do": "recurse"}', "bad", "line-crashed"),
        (b'{"name": "bad", "do": "unwritable"}', "bad", "line-crashed"),
        (b"\xff\xfe", None, "line-json"),
        (b'{"name": 1}', None, "line-type"),
        (b'{"name": "\\ud800", "do": "crash"}', "\ud800", "line-crashed"),
        (b"[" * 100_000, None, "line-too-deep"),
        (b"9" * 100_000, None, "line-number"),
        (b" " * MAX_LINE + b'{"name": "late"}', None, "line-too-large"),
        (b"\t" * (3 * MAX_LINE) + b"x", None, "line-too-large"),
    ],
    ids=[
        *("a crash", "no end", "no JSON in the answer", "no UTF-8", "a name that is none", "half a character", "depth"),
        *("a long number", "a mebibyte of spaces first", "three mebibytes of tabs first"),
    ],
)
def test_a_failing_line_is_answered_by_its_error_and_the_others_as_usual(
    line: bytes, name: str | None, code: str
) -> None:
    exit_code, found = answers(GOOD + line + b"\n" + GOOD)
    assert exit_code is Exit.ERROR
    assert [answer.get("verdict") for answer in found] == ["yes", None, "yes"]
    assert (found[1]["error"]["code"], found[1]["name"]) == (code, name)
    assert found[1]["error"]["message"] and found[1]["error"]["remedy"]


@pytest.mark.parametrize("blank", [b"", b" \t", b" " * (2 * MAX_LINE)], ids=["empty", "spaces", "mebibytes of spaces"])
def test_blank_lines_are_skipped(blank: bytes) -> None:
    exit_code, found = answers(GOOD + blank + b"\n" + GOOD)
    assert (exit_code, len(found)) == (Exit.FINE, 2)


def test_the_last_line_needs_no_newline() -> None:
    assert answers(GOOD + b'{"do": "crash"}')[1][1]["error"]["code"] == "line-crashed"
