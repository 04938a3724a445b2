"""Plans and runs: as journalled before the first write, and as reported."""

from typing import Any

from ecr_warden.core.codec.base import SCHEMA, Json, forms
from ecr_warden.core.codec.values import fields, read, reader
from ecr_warden.core.run import OpenRun, RunReport
from ecr_warden.core.value import Count


def _with_access(value: Json) -> Json:
    """A drift with the same access is written without it, because its explanation says all."""
    return value | {"access": {"same": value["explain"]}} if read(value.get("sameAccess", False), bool) else value


def with_drifts(value: Json) -> Json:
    return value | {"drifts": [_with_access(drift) for drift in read(value["drifts"], list[dict[str, Any]])]}


def with_plan(value: Json) -> Json:
    held = [hold | {"drift": _with_access(hold["drift"])} for hold in read(value["held"], list[dict[str, Any]])]
    return with_drifts(value) | {"held": held}


def _with_plan(value: Json) -> Json:
    return value | {"plan": with_plan(value["plan"])}


def _with_changes(value: Json) -> Json:
    """An outcome names its change by the index in the plan."""
    changes = value["plan"]["changes"]
    outcomes = read(value["outcomes"], list[dict[str, Any]])
    return value | {"outcomes": [outcome | {"change": changes[read(outcome["change"], Count)]} for outcome in outcomes]}


def report_to_json(report: RunReport) -> Json:
    """A run from its first reading to its verification."""
    indices = {change: index for index, change in enumerate(report.plan.changes)}
    outcomes = [fields(outcome, "change") | {"change": indices[outcome.change]} for outcome in report.outcomes]
    return {"schema": SCHEMA, **fields(report, "outcomes"), "outcomes": outcomes}


open_run_to_json, open_run_from_json = forms("journalled run", OpenRun, _with_plan)
run_report_from_json = reader("journalled report", RunReport, _with_plan, _with_changes, schema=SCHEMA)
