"""`ecr-warden dev event`: one line per event, in order."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.job import (
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.events.dispatch import Dispatch
from ecr_warden.events.trigger import Ignored, TriggerError
from ecr_warden_cli import event_input
from local.testing.memory.hub import MemoryJobs
from tests.cli.command import Command
from tests.cli.test_process import run
from tests.template.cfn import ROOT

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "tests/cases/triggers/records.jsonl").read_text().splitlines()
]
EVENT = next(case["event"] for case in CASES if case["name"] == "an attacker opens a role to another account")
OTHER = next(case["event"] for case in CASES if case["name"] == "root deletes a repository policy")
ROLE, REPOSITORY = ["role/222222222222/backdoor-me"], ["repository/222222222222/eu-west-1/shop/checkout"]


def _bytes(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def _explain(command: Command, data: bytes, *argv: str) -> list[dict[str, Any]]:
    ran = command("dev", "event", *argv, stdin=data)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == (1 if any("error" in line for line in lines) else 0)
    assert ran.err == ""
    return lines


def _targets(lines: list[dict[str, Any]]) -> list[Any]:
    return [line.get("targets", next(iter(line))) for line in lines]


@pytest.fixture(scope="module")
def explained() -> dict[str, dict[str, Any]]:
    """All cases in one run: name of the case -> its line."""
    lines = _explain(Command(), _bytes(*(case["event"] for case in CASES)))
    assert len(lines) == len(CASES)
    return dict(zip((case["name"] for case in CASES), lines, strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_record(case: dict[str, Any], explained: dict[str, dict[str, Any]]) -> None:
    line, expected = explained[case["name"]], case["line"]
    if "targets" in expected:
        optional = {key for key in ("reports", "surveys") if key in expected}
        assert set(line) == {"trigger", "targets", "actor"} | optional
        assert line.get("surveys") == expected.get("surveys")
        assert line.get("reports") == expected.get("reports")
        assert (line["targets"], line["actor"]) == (expected["targets"], expected["actor"])
        assert line["trigger"].get("action") == expected.get("action")
        assert line["trigger"]["kind"] == expected.get("kind", "api-call")
    elif "ignored" in expected:
        assert set(line) == {"ignored"}
        assert expected["ignored"] in line["ignored"]
    else:
        assert set(line) == {"error"}
        assert line["error"]["code"] == expected["error"]
        assert expected["message"] in line["error"]["message"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_dispatch_does_what_explain_says(case: dict[str, Any], explained: dict[str, dict[str, Any]]) -> None:
    line, jobs = explained[case["name"]], MemoryJobs()
    dispatch = Dispatch(jobs, "ecr-warden-spec-111111111111-eu-central-1", "access.yaml")
    try:
        done = dispatch.dispatch(case["event"])
    except TriggerError as error:
        assert line["error"]["message"] == error.message
        return
    if isinstance(done, Ignored):
        assert line == {"ignored": done.why}
    else:
        targets = [job.target for job in done if isinstance(job, ReconcileTarget | ReportCall)]
        assert line["targets"] == [str(target) for target in targets if target is not None]
        read = [job for job in done if isinstance(job, SurveyIdentities | SurveyRegistry)]
        compared = [job for job in done if isinstance(job, SweepIdentities | SweepRepositories)]
        assert len(line.get("surveys", [])) == len([*read, *compared])
        assert bool(compared) is (" compared" in case["name"])
        is_reported = any(isinstance(job, ReportCall) and job.target is None for job in done)
        assert is_reported or not any(isinstance(job, SweepIdentities) for job in compared)
        assert line.get("reports", []) == [job.thing for job in done if isinstance(job, ReportOwnChange)]


def test_a_call_has_its_id_time_place_and_why_it_is_watched(command: Command) -> None:
    (line,) = _explain(command, _bytes(EVENT), "--json")
    assert line["trigger"] == {
        "kind": "api-call",
        "id": EVENT["eventID"],
        "at": EVENT["eventTime"],
        "action": "iam:UpdateAssumeRolePolicy",
        "account": "222222222222",
        "region": "us-east-1",
        "why": "replaces the trust policy",
    }


def test_bad_lines_are_errors_with_their_place_and_the_rest_go_on(command: Command) -> None:
    data = b"not json\n\n" + _bytes(EVENT) + b'{"a":\n\xff\xfe\n[]\nnull\n"x"\n' + _bytes(OTHER)
    lines = _explain(command, data)
    assert _targets(lines) == ["error", ROLE, "error", "error", "error", "error", REPOSITORY]
    assert [line["error"]["at"] for line in lines if "error" in line] == [f"<stdin>:{n}" for n in (1, 4, 6, 7, 8)]
    assert [line["error"]["code"] for line in lines if "error" in line] == ["json"] * 2 + ["trigger"] * 3


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (b"[" * 200_000, "json", "nested too deeply"),
        (b"1" * 100_000, "json", "a number is too long"),
        (b"x" * (1 << 20), "json", "not JSON"),
        (b"\x7fELF\x02\x00\xff", "json", "not JSON"),
        (b'{"detail-type": "\xff"}', "json", "not UTF-8"),
        (b'{"detail-type": "\\ud800\\u001b[31m", "detail": 1}', "trigger", "detail"),
    ],
    ids=["endless depth", "an endless number", "a huge line", "a binary", "another encoding", "an escape sequence"],
)
def test_a_hostile_line_is_one_error_and_the_rest_go_on(command: Command, line: bytes, code: str, message: str) -> None:
    ran = command("dev", "event", stdin=_bytes(EVENT) + line + b"\n" + _bytes(OTHER))
    first, error, last = map(json.loads, ran.out.splitlines())
    assert ran.code == 1
    assert ran.out.isascii()
    assert (first["targets"], last["targets"]) == (ROLE, REPOSITORY)
    assert error["error"]["code"] == code
    assert message in error["error"]["message"]
    assert max(map(len, ran.out.splitlines())) < 2000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_bytes({"Records": [EVENT, OTHER]}), id="a log file"),
        pytest.param(json.dumps({"Records": [EVENT, OTHER]}, indent=2).encode(), id="an indented log file"),
        pytest.param(b'{"Records": [{\n' + _bytes({"Records": [EVENT, OTHER]})[14:], id="a log file with a line break"),
        pytest.param(gzip.compress(_bytes({"Records": [EVENT, OTHER]})), id="a gzipped log file"),
        pytest.param(_bytes([EVENT, OTHER]), id="an array"),
        pytest.param(json.dumps([EVENT, OTHER], indent=4).encode(), id="an indented array"),
        pytest.param(b"[\n" + _bytes(EVENT)[:-1] + b",\n" + _bytes(OTHER) + b"]\n", id="an array, an event a line"),
        pytest.param("\n".join(json.dumps(e, indent=1) for e in (EVENT, OTHER)).encode(), id="indented events"),
        pytest.param(b"\xef\xbb\xbf" + _bytes(EVENT, OTHER).replace(b"\n", b"\r\n"), id="a byte order mark and CRLF"),
        pytest.param(
            _bytes({"Events": [{"CloudTrailEvent": json.dumps(e)} for e in (EVENT, OTHER)]}), id="lookup-events"
        ),
        pytest.param(_bytes(EVENT, OTHER)[:-1], id="no line break at the end"),
    ],
)
def test_events_are_read_in_every_common_form(command: Command, data: bytes) -> None:
    assert _targets(_explain(command, data)) == [ROLE, REPOSITORY]


def test_a_log_file_larger_than_any_event_is_read(command: Command) -> None:
    records = [{**EVENT, "padding": "x" * 10_000}] * 200
    lines = _explain(command, _bytes({"Records": records}, EVENT))
    assert _targets(lines) == [ROLE] * 201


def test_a_truncated_indented_document_is_one_error(command: Command) -> None:
    (line,) = _explain(command, json.dumps(EVENT, indent=2).encode()[:-40])
    assert line["error"]["code"] == "json"


def test_a_broken_first_line_does_not_swallow_the_lines_after_it(command: Command) -> None:
    lines = _explain(command, b'{"eventVersion": "1.08", "userIdentity": {\n' + _bytes(EVENT, OTHER) + b"{\n")
    assert _targets(lines) == ["error", ROLE, REPOSITORY, "error"]


def test_a_truncated_gzip_file_is_an_error_after_its_readable_events(command: Command) -> None:
    lines = _explain(command, gzip.compress(_bytes(EVENT) + b"x" * 50)[:-9])
    assert lines[-1]["error"]["code"] == "unreadable"


def test_files_are_read_in_order_and_a_missing_one_does_not_stop_the_others(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(_bytes(EVENT))
    lines = _explain(command, _bytes(OTHER), str(tmp_path / "a.json"), str(tmp_path / "gone"), str(tmp_path), "-")
    assert _targets(lines) == [ROLE, "error", "error", REPOSITORY]
    assert lines[1]["error"] == {
        "code": "unreadable",
        "message": f"there is no file {tmp_path}/gone",
        "remedy": "name a readable file, or - for stdin",
        "at": f"{tmp_path}/gone",
    }
    assert lines[2]["error"]["message"] == f"{tmp_path} is a directory"


def test_hostile_file_names_are_printed_escaped(command: Command) -> None:
    lines = _explain(command, b"", "\x1b[31m", "a\0b")
    assert [line["error"]["code"] for line in lines] == ["unreadable"] * 2
    assert lines[0]["error"]["message"] == "there is no file \\x1b[31m"


def test_a_file_of_another_kind_is_one_error(command: Command) -> None:
    found = _explain(command, b"\xff\x00\n" * 5000 + _bytes(EVENT) + b"nope\n" + _bytes(OTHER))
    assert _targets(found) == ["error", ROLE, "error", REPOSITORY]
    assert found[0]["error"]["at"] == "<stdin>:1"
    assert found[0]["error"]["message"].endswith(", and so on up to <stdin>:5000")


def test_what_is_too_large_is_not_read_in_part(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_input, "LIMIT", 5000)
    assert _targets(_explain(command, _bytes(EVENT))) == [ROLE]
    for data in (_bytes(EVENT) + b" " * 5000, gzip.compress(_bytes(EVENT) + b" " * 5000)):
        [line] = _explain(command, data)
        assert line["error"]["code"] == "size"


@pytest.mark.parametrize(
    ("event", "words"),
    [({"a": 1}, "it has none"), ({"detail-type": None}, "it has a JSON null"), ({"detail-type": ""}, "a string of 0")],
)
def test_missing_and_null_fields_are_distinguished(command: Command, event: dict[str, Any], words: str) -> None:
    [line] = _explain(command, _bytes(event))
    assert words in line["error"]["message"]
    assert line["error"]["remedy"] == "send EventBridge events or CloudTrail records unchanged"


def test_no_input_gives_no_output(command: Command) -> None:
    assert _explain(command, b"") == _explain(command, b"\n \n") == []


@pytest.mark.parametrize("argv", [("dev",), ("dev", "nonsense"), ("dev", "event", "--nonsense")])
def test_wrong_usage_is_an_error(command: Command, argv: tuple[str, ...]) -> None:
    ran = command(*argv)
    assert (ran.code, ran.out) == (1, "")
    assert "--help" in ran.err


def test_it_loads_no_sdk() -> None:
    ran = run("dev", "event", str(ROOT / "events/iam-PutRolePolicy.json"), PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["targets"] == ["role/222222222222/ecr-pusher"]
    assert "ecr_warden_cli.event_input" in imported
    assert not [name for name in imported if name.split(".")[0] in ("boto3", "botocore")]
