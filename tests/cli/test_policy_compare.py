"""`dev policy-compare`: JSON Lines, and two files for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command

OWN = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:user/a"}, "Action": "ecr:*"}
WIDE = OWN | {"Principal": {"AWS": "111111111111"}}


def _document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _line(name: str, live: Any, desired: Any, **more: Any) -> str:
    return json.dumps({"name": name, "kind": "repository", "live": live, "desired": desired} | more)


def _run(command: Command, *lines: str) -> tuple[int, list[dict[str, Any]]]:
    ran = command("dev", "policy-compare", stdin="\n".join(lines).encode())
    return ran.code, [json.loads(line) for line in ran.out.splitlines()]


def test_each_line_is_answered_in_order(command: Command) -> None:
    code, answers = _run(
        command,
        _line("same", _document(OWN), json.dumps(_document(OWN | {"Sid": "x"}))),
        _line("wider", _document(WIDE), _document(OWN), account="222222222222"),
    )
    assert code == 2
    assert [answer["name"] for answer in answers] == ["same", "wider"]
    same, wider = answers
    assert same == {
        "name": "same",
        "relation": "equal",
        "equivalent": True,
        "gained": [],
        "lost": [],
        "undecided": [],
        "summary": "the same document",
    }
    assert wider["relation"] == "more"
    assert wider["lost"] == wider["undecided"] == []
    first = wider["gained"][0]
    assert (first["action"], first["group"]) == ("ecr:PutImage", "PUSH")
    assert first["principal"] == "arn:aws:iam::111111111111:user/intruder"
    assert first["sentence"].startswith("principals that account 111111111111 allows, for example")
    assert first["example"]
    assert first["sentence"].endswith("can now push to the repository (ecr:PutImage and 4 more)")


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ("arn:aws:ecr:eu-central-1:111111111111:repository/a", "pull from arn:"),
        ("*", "pull from resources such as arn:"),
    ],
)
def test_a_resource_that_no_document_names_is_an_example(command: Command, resource: str, named: str) -> None:
    whole, less = ({"Effect": "Allow", "Action": action, "Resource": resource} for action in ("ecr:*", "ecr:PutImage"))
    _, [answer] = _run(command, _line("wider", _document(whole), _document(less), kind="identity"))
    assert any(named in gain["sentence"] for gain in answer["gained"])


def test_only_equal_access_exits_0(command: Command) -> None:
    split = [OWN | {"Action": "ecr:PutImage"}, OWN]
    code, answers = _run(command, _line("split", _document(*split), _document(OWN)))
    assert code == 0
    assert (answers[0]["relation"], answers[0]["equivalent"]) == ("equal", False)
    assert answers[0]["summary"] == "another document, the same access"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nope", "line-json"),
        ("[]", "line-type"),
        (_line("n", _document(OWN), _document(OWN), kind="bucket"), "line-kind"),
        (_line("n", _document(OWN), _document(OWN), kind=["trust"]), "line-kind"),
        (_line("n", _document(OWN), _document(OWN), account=2), "line-account"),
        (_line("n", _document(OWN), _document(OWN), boundary={}), "line-unknown"),
        (_line("n", None, _document(OWN)), "document-type"),
        (_line("n", {"Statement": {"Effect": "Allow"}}, _document(OWN)), "document-missing"),
        (json.dumps({"name": "n", "kind": "trust", "live": _document(OWN)}), "line-missing"),
        (_line("n", {"Statement": {"effect": "Allow"}}, _document(OWN)), "document-key-unknown"),
    ],
)
def test_a_bad_line_is_answered_by_its_error_and_the_other_lines_as_usual(
    command: Command, line: str, code: str
) -> None:
    exit_code, answers = _run(command, line, _line("next", _document(OWN), _document(OWN)))
    assert exit_code == 1
    assert [answer["relation"] for answer in answers] == [None, "equal"]
    assert answers[0]["error"]["code"] == code
    assert answers[0]["error"]["remedy"]


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ('"kind": "trust", "live": {"Statement": 1, "Statement": 2}', "line-key-repeated"),
        ('"kind": "trust", "live": NaN', "line-number"),
    ],
)
def test_the_error_of_a_bad_line_has_its_name(command: Command, rest: str, code: str) -> None:
    _, [answer] = _run(command, f'{{"name": "mine", {rest}}}')
    assert (answer["name"], answer["error"]["code"]) == ("mine", code)


def test_two_files_are_compared_for_people(command: Command, tmp_path: Path) -> None:
    live, desired = tmp_path / "live.json", tmp_path / "desired.json"
    live.write_text(json.dumps(_document(WIDE)))
    desired.write_text(json.dumps(_document(OWN)))
    ran = command("dev", "policy-compare", str(live), str(desired), "--kind", "repository")
    assert ran.code == 2
    lines = ran.out.splitlines()
    assert lines[0] == "live allows more"
    assert lines[1].startswith("  + principals that account 111111111111 allows")
    assert lines[-1].startswith("  as text, the first difference is statement 1: principal")
    again = command("dev", "policy-compare", str(desired), str(desired), "--json")
    assert again.code == 0
    assert again.json["relation"] == "equal"
    assert "assuming a repository policy" in again.err


@pytest.mark.parametrize("broken", ["live.json", "desired.json"])
def test_the_file_that_is_not_a_document_is_named(command: Command, tmp_path: Path, broken: str) -> None:
    for name in ("live.json", "desired.json"):
        (tmp_path / name).write_text(json.dumps(_document(OWN)))
    (tmp_path / broken).write_text('{"Version": "2012-10-17", "Statement": [{"effect": "Allow"}]}')
    ran = command("dev", "policy-compare", str(tmp_path / "live.json"), str(tmp_path / "desired.json"))
    assert (ran.code, ran.out) == (1, "")
    assert f"{broken}:Statement[0]" in ran.err
    (tmp_path / broken).write_text("{")
    again = command("dev", "policy-compare", str(tmp_path / "live.json"), str(tmp_path / "desired.json"))
    assert f"{broken}: " in again.err


def test_stdin_cannot_be_both_documents(command: Command) -> None:
    ran = command("dev", "policy-compare", "-", "-", stdin=json.dumps(_document(OWN)).encode())
    assert (ran.code, ran.out) == (1, "")
    assert "both documents from stdin; give one of them as a file" in ran.err


@pytest.mark.parametrize("files", [("one.json",), ("a.json", "b.json", "c.json"), ("missing.json", "missing.json")])
def test_other_numbers_of_files_and_missing_files_are_errors(command: Command, files: tuple[str, ...]) -> None:
    ran = command("dev", "policy-compare", *files)
    assert ran.code == 1
    assert "Traceback" not in ran.err
