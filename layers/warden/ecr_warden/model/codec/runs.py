"""Runs: as journalled before the first write, and as reported."""

from typing import assert_never

from ecr_warden.model.codec.base import (
    CodecError,
    Json,
    check_schema,
    entries,
    flag,
    moment,
    number,
    reading,
    text,
    texts,
)
from ecr_warden.model.codec.jobs import cause_from_json, cause_to_json
from ecr_warden.model.codec.plans import plan_from_json, plan_to_json
from ecr_warden.model.desired import Mode
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.plan import Change
from ecr_warden.model.run import Applied, Conflict, Failed, OpenRun, Outcome, Result, RunReport, Severity, Skipped


def open_run_to_json(run: OpenRun) -> Json:
    """What is journalled before the first write."""
    return {
        "schema": SCHEMA,
        "runId": run.run_id,
        "cause": cause_to_json(run.cause),
        "mode": run.mode,
        "plan": plan_to_json(run.plan),
        "startedAt": run.started_at.isoformat(),
    }


def _open_run(value: Json) -> OpenRun:
    check_schema(value, SCHEMA)
    return OpenRun(
        run_id=text(value["runId"]),
        cause=cause_from_json(value["cause"]),
        mode=Mode(value["mode"]),
        plan=plan_from_json(value["plan"]),
        started_at=moment(value["startedAt"]),
    )


def report_to_json(report: RunReport) -> Json:
    """A run from its first reading to its verification; an outcome names its change by the index in the plan."""
    indices = {change: index for index, change in enumerate(report.plan.changes)}
    return {
        "schema": SCHEMA,
        "kind": "run",
        "runId": report.run_id,
        "cause": cause_to_json(report.cause),
        "mode": report.mode,
        "result": report.result,
        "plan": plan_to_json(report.plan),
        "outcomes": [_outcome_to_json(outcome, indices[outcome.change]) for outcome in report.outcomes],
        "startedAt": report.started_at.isoformat(),
        "finishedAt": report.finished_at.isoformat(),
        "accounts": list(report.accounts),
        "attempt": report.attempt,
        "final": report.final,
        "intruder": report.intruder,
        "contested": report.contested,
        "severity": report.severity,
    }


def _outcome_to_json(outcome: Outcome, index: int) -> Json:
    match outcome:
        case Applied():
            return {"change": index, "outcome": "applied"}
        case Skipped():
            return {"change": index, "outcome": "skipped", "reason": outcome.reason}
        case Conflict():
            return {"change": index, "outcome": "conflict"}
        case Failed():
            return {
                "change": index,
                "outcome": "failed",
                "code": outcome.code,
                "message": outcome.message,
                "retryable": outcome.retryable,
                "remedy": outcome.remedy,
            }
        case _:
            assert_never(outcome)


def outcome_from_json(value: Json, changes: tuple[Change, ...]) -> Outcome:
    change = changes[number(value["change"])]
    match value["outcome"]:
        case "applied":
            return Applied(change)
        case "skipped":
            return Skipped(change, text(value["reason"]))
        case "conflict":
            return Conflict(change)
        case "failed":
            code, message = text(value["code"]), text(value["message"])
            return Failed(change, code, message, flag(value["retryable"]), text(value.get("remedy", "")))
        case kind:
            raise CodecError(f"unknown outcome {kind!r:.40}")


def report_from_json(value: Json) -> RunReport:
    plan = plan_from_json(value["plan"])
    return RunReport(
        run_id=text(value["runId"]),
        cause=cause_from_json(value["cause"]),
        mode=Mode(value["mode"]),
        result=Result(value["result"]),
        plan=plan,
        outcomes=tuple(outcome_from_json(entry, plan.changes) for entry in entries(value["outcomes"])),
        started_at=moment(value["startedAt"]),
        finished_at=moment(value["finishedAt"]),
        accounts=texts(value["accounts"]),
        attempt=number(value["attempt"]),
        final=flag(value["final"]),
        intruder=flag(value["intruder"]),
        contested=number(value.get("contested", 0)),
        severity=Severity(value["severity"]) if value.get("severity") else None,
    )


open_run_from_json = reading("journalled run", _open_run)
run_report_from_json = reading("journalled report", report_from_json)
