"""What version 0.1.0 wrote as JSON is read with the same meaning: it is written again as it was."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ecr_warden.model.codec.alerts import alert_from_json, alert_to_json
from ecr_warden.model.codec.base import CodecError, Json, to_json
from ecr_warden.model.codec.jobs import job_from_json, job_to_json, pause_from_json
from ecr_warden.model.codec.records import answer_from_json, audit_from_json, entry_from_json
from ecr_warden.model.codec.replies import reply_from_json, reply_to_json
from ecr_warden.model.codec.requests import command_from_text, question_from_text, request_to_text
from ecr_warden.model.codec.runs import open_run_from_json, open_run_to_json, report_to_json, run_report_from_json
from ecr_warden.model.codec.spec import spec_from_json

from tests.template.cfn import ROOT

# Never edit the files: add one for a new schema, and read both.
SAMPLES = [json.loads(line) for line in (ROOT / "tests" / "cases" / "json" / "schema-1.jsonl").read_text().splitlines()]
KINDS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Json]]] = {
    "job": (job_from_json, job_to_json),
    "openRun": (open_run_from_json, open_run_to_json),
    "report": (run_report_from_json, report_to_json),
    "alert": (alert_from_json, alert_to_json),
    "pause": (pause_from_json, to_json),
    "audit": (audit_from_json, to_json),
    "entry": (entry_from_json, to_json),
    "answer": (answer_from_json, to_json),
    "reply": (reply_from_json, reply_to_json),
    "question": (lambda value: question_from_text(json.dumps(value)), lambda asked: json.loads(request_to_text(asked))),
    "command": (lambda value: command_from_text(json.dumps(value)), lambda given: json.loads(request_to_text(given))),
}


_ADDED: dict[str, Json] = {
    "plan": {"writeScope": []},
    "command": {"unscheduled": ""},
    "status": {"repositories": [], "access": None, "left": [], "leftMore": 0, "notes": []},
    "verify": {"access": None},
    "grants": {"accounts": {}},
}
_OF_PAUSES: dict[str, tuple[str, ...]] = {"action": ("pause", "resume"), "kind": ("paused", "resumed", "pause-reached")}


def _as_written_now(value: Any) -> Any:
    """As this version writes it: one job was renamed, and fields were added."""
    if isinstance(value, dict):
        new = {key: _as_written_now(entry) for key, entry in value.items()}
        renamed = {"kind": "report-own-change"} if new.get("kind") == "tell-own-change" else {}
        if {"action", "cause"} & new.keys() and any(new.get(key) in values for key, values in _OF_PAUSES.items()):
            new["patterns"] = []
        added = _ADDED.get(new.get("kind", ""), {}) | ({"proved": None} if {*new} == {"target", "drifts"} else {})
        ended: Json = {"endSessions": "since-in-sync"} if "departedOwners" in new else {}
        again: Json = {"again": False, "ofFight": False} if "contested" in new else {}
        fights: Json = {"fights": []} if "openRun" in new else {}
        asked: Json = {"runs": True} if new.get("action") == "history" else {}
        new |= renamed | added | asked | ended | again | fights
        return new | ({"access": None} if new.get("sameAccess") else {})
    return [_as_written_now(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_read_with_the_same_meaning(kind: str) -> None:
    read, write = KINDS[kind]
    samples = [sample["json"] for sample in SAMPLES if sample["kind"] == kind]
    assert samples
    for sample in samples:
        assert json.loads(json.dumps(write(read(sample)))) == _as_written_now(sample)


def test_a_compiled_spec_that_does_not_say_who_its_grants_vouch_for_is_compiled_again() -> None:
    samples = [sample["json"] for sample in SAMPLES if sample["kind"] == "spec"]
    assert samples
    for sample in samples:
        with pytest.raises(CodecError, match="organizations"):
            spec_from_json(sample)
