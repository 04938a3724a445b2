"""The product's journal, read directly from its table."""

import gzip
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.aws.launcher import EmulatedAws
from local.demo.places import CI, REGION


@dataclass(frozen=True, slots=True)
class Run:
    """A closed run. `started` in seconds since 1970; `who`: its ARN.

    `cause` is event, run, sweep, pause, spec or caller.
    """

    id: str
    target: str
    result: str
    cause: str
    action: str
    who: str
    started: float
    applied: int


def runs(aws: EmulatedAws, table: str, *, since: float) -> list[Run]:
    """The runs that started at or after a moment, in order."""
    client = aws.client(CI, "dynamodb", REGION)
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(sk, :run) AND attribute_exists(report)",
        ExpressionAttributeValues={":run": {"S": "RUN#"}},
    )
    found = [_run(item) for page in pages for item in page["Items"]]
    return sorted((run for run in found if run.started >= since), key=lambda run: run.started)


def _run(item: Any) -> Run:
    report = json.loads(gzip.decompress(item["report"]["B"]))
    cause = report["cause"]
    return Run(
        id=report["runId"],
        target=item["pk"]["S"].removeprefix("TARGET#"),
        result=report["result"],
        cause=cause["kind"],
        action=cause.get("action", ""),
        who=cause.get("actor", {}).get("arn", ""),
        started=datetime.fromisoformat(report["startedAt"]).timestamp(),
        applied=sum(outcome["outcome"] == "applied" for outcome in report["outcomes"]),
    )


def leases(aws: EmulatedAws, table: str) -> list[str]:
    """The targets with a run in progress or left open."""
    client = aws.client(CI, "dynamodb", REGION)
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="sk = :state AND (attribute_exists(lease_run) OR attribute_exists(open_run))",
        ExpressionAttributeValues={":state": {"S": "STATE"}},
    )
    return [item["pk"]["S"].removeprefix("TARGET#") for page in pages for item in page["Items"]]
