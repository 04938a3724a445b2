"""Any call that writes, on what alerts go through, is reported with who made it."""

from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.job import ReportOwnChange
from ecr_warden.events.decide import EventDecision, SpecPlace, decide
from ecr_warden.events.trigger import Ignored
from tests.tables import load

PLACE = SpecPlace("access.yaml", lambda _: False)
CASES: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/triggers/silencing.yaml").read_text())


def record(call: str, parameters: dict[str, Any]) -> dict[str, Any]:
    service, _, name = call.partition(":")
    return {
        "eventVersion": "1.11",
        "eventType": "AwsApiCall",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "eventID": "e-1",
        "eventTime": "2026-11-28T12:00:00Z",
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111111111111",
        "readOnly": False,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/mallory"},
        "requestParameters": parameters,
    }


@pytest.mark.parametrize("name", CASES["reported"])
def test_it_is_reported_with_who_and_what(name: str) -> None:
    row = CASES["reported"][name]
    decided = decide(record(row["call"], row["parameters"]), PLACE)
    assert isinstance(decided, EventDecision)
    [job] = decided.jobs
    assert isinstance(job, ReportOwnChange)
    assert job.cause.actor is not None
    assert (job.cause.action, job.cause.actor.arn) == (row["call"], "arn:aws:iam::111111111111:user/mallory")
    assert f"{row['reports']} in eu-central-1" in str(job)


@pytest.mark.parametrize("name", CASES["ignored"])
def test_nothing_else_is(name: str) -> None:
    row = CASES["ignored"][name]
    made = record(row["call"], row["parameters"]) | row.get("record", {})
    assert isinstance(decide(made, PLACE), Ignored)
