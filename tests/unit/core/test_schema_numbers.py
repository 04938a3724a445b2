"""Whatever is written and read again has a schema number; what carries another one is refused, and the refusal says so.

What becomes of a job, a store or a command that meets one is asserted where that is decided.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ecr_warden.audit.finding import audit_from_json
from ecr_warden.collect.aws_estate_store import piece_of, text_from_json
from ecr_warden.collect.aws_watch_records import watched_from_json
from ecr_warden.core.codec.base import Json
from ecr_warden.core.codec.compressed import compress
from ecr_warden.core.codec.runs import open_run_from_json, run_report_from_json
from ecr_warden.core.job import job_from_json
from ecr_warden.core.pause import pattern_pause_from_json, pause_from_json
from ecr_warden.core.run import entry_from_json
from ecr_warden.hub.codec_replies import reply_from_json
from ecr_warden.hub.request import question_from_text
from ecr_warden.notify.aws_incidents import flush_from_json
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.state.aws_sweeps import sweep_from_item
from ecr_warden.state.aws_switch import seen_from_json
from ecr_warden.state.codec_spec import spec_from_json
from ecr_warden.state.commands import answer_from_json, command_from_text
from ecr_warden.state.fight import repairs_from_json
from ecr_warden.state.hold import decision_from_json, hold_from_json
from ecr_warden.state.holds import judged_from_json
from ecr_warden_cli.asking.snapshot import estate_of
from iam_access.errors import NamedError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

READERS: dict[str, Callable[[Json], object]] = {
    "a job": job_from_json,
    "an announcement": alert_from_json,
    "the message that has an incident sent": flush_from_json,
    "a question to the hub": lambda value: question_from_text(json.dumps(value)),
    "a command": lambda value: command_from_text(json.dumps(value)),
    "a reply of the hub": reply_from_json,
    "a snapshot": lambda value: estate_of(value, at=NOON),
    "the compiled spec": spec_from_json,
    "an opened run": open_run_from_json,
    "a closed run": run_report_from_json,
    "a line of the journal": entry_from_json,
    "the repairs of a target": repairs_from_json,
    "the pause of a target": pause_from_json,
    "the pause of patterns": pattern_pause_from_json,
    "the answer to a command": answer_from_json,
    "an entry of the log of decisions": entry_from_json,
    "what was announced of the switch": seen_from_json,
    "the last sweep of a part": lambda value: sweep_from_item(
        {key: {"N": str(number)} for key, number in value.items()}
    ),
    "the wiring of a part": watched_from_json,
    "a part of the estate": lambda value: piece_of("111111111111", compress(value), {}),
    "a managed policy of AWS": text_from_json,
    "the last audit": audit_from_json,
    "a hold": hold_from_json,
    "a decision": decision_from_json,
    "a verdict": judged_from_json,
}


NUMBERS = {"a verdict": 4, "the compiled spec": 2, "a reply of the hub": 2}
"""The others are 1. What older rules judged counts as absent, what they compiled is compiled anew; a reply is kept
nowhere."""


@pytest.mark.parametrize("kind", READERS)
def test_another_schema_is_refused_by_its_number(kind: str) -> None:
    number = NUMBERS.get(kind, 1)
    for other in (number + 1, number - 1):
        with pytest.raises(NamedError, match=f"schema {other}; this version reads schema {number}"):
            READERS[kind]({"schema": other})


@pytest.mark.parametrize("kind", READERS)
def test_what_has_no_schema_is_refused(kind: str) -> None:
    with pytest.raises(NamedError, match="schema"):
        READERS[kind]({})
