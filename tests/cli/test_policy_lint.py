"""`ecr-warden dev policy-lint`."""

import json
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from iam_access.text.strict_json import MAX_CHARACTERS
from tests.cli.command import Command
from tests.template.cfn import ROOT

PUSHER = {"AWS": "arn:aws:iam::111111111111:user/push-user"}
RIGHT = {"Effect": "Allow", "Principal": PUSHER, "Action": "sts:AssumeRole"}
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
DOUBTFUL = {"Effect": "Allow", "Principal": PUSHER, "Action": ["ecr:PutImag", "ecr:PutImage"]}


def written(folder: Path, name: str, statement: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(text(statement))
    return str(path)


def text(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_document_without_findings_is_fine_and_its_kind_is_printed(command: Command) -> None:
    ran = command("dev", "policy-lint", stdin=text(RIGHT).encode())
    assert (ran.code, ran.out) == (0, "1 document: nothing found\n")
    assert ran.err == (
        "<stdin>: assuming kind trust, because it has Principal and sts actions; use --kind to override\n"
    )


def test_a_finding_is_one_line_with_place_and_remedy(command: Command) -> None:
    ran = command("dev", "policy-lint", "-", "--kind", "trust", stdin=text(OPEN).encode())
    assert ran.code == 1
    assert ran.err == ""
    assert ran.out == (
        "error principal-anyone <stdin>:Statement[0].Principal the principal * without a Condition is anyone;"
        " name accounts, users or roles\n1 document: 1 error\n"
    )


def test_warnings_are_not_errors(command: Command) -> None:
    ran = command("dev", "policy-lint", "--kind", "repository", stdin=text(DOUBTFUL).encode())
    assert ran.code == 0
    assert ran.out.startswith('warning action-unknown <stdin>:Statement[0].Action[0] no action "ecr:PutImag" ')
    assert ran.last_line == "1 document: 1 warning"


def test_the_kind_decides_what_is_wrong(command: Command) -> None:
    ran = command("dev", "policy-lint", "--kind", "identity", "--json", stdin=text(RIGHT).encode())
    assert ran.code == 1
    codes = [finding["code"] for finding in ran.json["files"][0]["findings"]]
    assert sorted(codes) == ["element-missing", "element-of-kind"]


def test_an_unreadable_file_does_not_stop_the_others(command: Command, tmp_path: Path) -> None:
    good, bad = written(tmp_path, "good.json", RIGHT), written(tmp_path, "open.json", OPEN)
    broken = tmp_path / "broken.json"
    broken.write_text('{"Statement": [}')
    ran = command("dev", "policy-lint", str(broken), str(tmp_path / "gone.json"), str(tmp_path), good, bad)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert [line.split()[1] for line in lines[:4]] == [
        *("document-json", "document-unreadable", "document-unreadable", "principal-anyone"),
    ]
    assert ran.last_line == "5 documents: 4 errors"


def test_json_has_each_file_with_its_kind_and_findings(command: Command, tmp_path: Path) -> None:
    path = written(tmp_path, "open.json", OPEN)
    ran = command("dev", "policy-lint", path, "-", "--json", stdin=b"[]")
    assert (ran.code, ran.err) == (1, "")
    first, second = ran.json["files"]
    assert (first["file"], first["kind"], first["guessed"]) == (path, "trust", True)
    (finding,) = first["findings"]
    assert finding == {
        "code": "principal-anyone",
        "severity": "error",
        "place": "Statement[0].Principal",
        "message": "the principal * without a Condition is anyone",
        "remedy": "name accounts, users or roles",
    }
    assert (second["kind"], second["findings"], second["error"]["code"]) == (None, [], "document-type")
    assert ran.json["summary"] == {"files": 2, "errors": 2, "warnings": 0, "notes": 0}


def test_an_end_date_is_compared_with_the_commands_clock(command: Command) -> None:
    condition = {"DateLessThan": {"aws:CurrentTime": command.clock.now().isoformat()}}
    ran = command("dev", "policy-lint", stdin=text({**RIGHT, "Condition": condition}).encode())
    assert ran.out.startswith("warning condition-ended ")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "document-empty"),
        (b"\x7fELF\x00\xff", "document-json"),
        (b"\x1b[31m", "document-json"),
        (b"[" * 100_000, "document-too-deep"),
        (b" " * (MAX_CHARACTERS + 1), "document-too-large"),
        (b'{"Version":"2012-10-17","Version":"2012-10-17"}', "document-key-repeated"),
        (b'{"Statement":{"Effect":"Allow","Action":"*","Resource":["\\ud800\\u0000"]}}', "document-character"),
        (b'{"Statement":{"Effect":"Allow","action":"*"}}', "document-key-unknown"),
    ],
    ids=["nothing", "a binary", "an escape", "depth", "size", "a key twice", "surrogates", "an element's case"],
)
def test_bad_input_is_a_named_error(command: Command, data: bytes, code: str) -> None:
    ran = command("dev", "policy-lint", stdin=data)
    assert ran.code == 1
    assert ran.out.startswith(f"error {code} <stdin>: ")
    assert "\x1b" not in ran.out


def test_an_unknown_kind_is_wrong_usage(command: Command) -> None:
    ran = command("dev", "policy-lint", "--kind", "bucket", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "usage")


@pytest.mark.parametrize(
    ("page", "file", "statements", "options"),
    [
        ("cli.md", "push-trust.json", [OPEN], ()),
        (
            "policy-lint.md",
            "repository-policy.json",
            [
                {"Effect": "Allow", "Principal": PUSHER, "Action": "ecr:BatchGetImage"},
                {"Effect": "Allow", "Principal": PUSHER, "Action": ["ecr:GetAuthorizationToken", "ecr:PutImage"]},
            ],
            ("--kind", "repository"),
        ),
    ],
)
def test_the_examples_of_the_documentation_are_as_printed(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    file: str,
    statements: list[dict[str, Any]],
    options: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    ran = replace(command, columns=80)("dev", "policy-lint", file, *options)
    printed = " ".join(("$ ecr-warden dev policy-lint", file, *options)) + "\n" + ran.err + ran.out
    assert f"```\n{printed}```" in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_document_text_cannot_steer_the_terminal(command: Command) -> None:
    ran = command("dev", "policy-lint", stdin=text({**RIGHT, "Sid": "\u202e\x9b31m"}).encode())
    assert ran.out.isascii()
