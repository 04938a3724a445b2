"""Plans and runs: as journalled before the first write, and as reported."""

from typing import Any

from ecr_warden.model.codec.base import Json
from ecr_warden.model.codec.jobs import with_present_cause
from ecr_warden.model.codec.values import fields, read, reader, to_json
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.plan import Plan
from ecr_warden.model.run import OpenRun, RunReport
from ecr_warden.model.value import Count


def _present_drift(value: Json) -> Json:
    """Without the sentences of an earlier version, which had only one perspective, and with the access in one place."""
    compared = value.get("compared")
    if compared is not None and any(isinstance(entry, str) for entry in (*compared["gained"], *compared["lost"])):
        value = value | {"compared": None}
    return value | {"access": {"same": value["explain"]}} if read(value.get("sameAccess", False), bool) else value


def with_present_drifts(value: Json) -> Json:
    return value | {"drifts": [_present_drift(drift) for drift in read(value["drifts"], list[dict[str, Any]])]}


def with_present_drift(value: Json) -> Json:
    return value if value.get("drift") is None else value | {"drift": _present_drift(value["drift"])}


def with_present_plan(value: Json) -> Json:
    held = [with_present_drift(hold) for hold in read(value["held"], list[dict[str, Any]])]
    return with_present_drifts(value) | {"held": held}


def _with_present_plan(value: Json) -> Json:
    return value | {"plan": with_present_plan(value["plan"])}


def _with_changes(value: Json) -> Json:
    """An outcome names its change by the index in the plan."""
    changes = value["plan"]["changes"]
    outcomes = read(value["outcomes"], list[dict[str, Any]])
    return value | {"outcomes": [one | {"change": changes[read(one["change"], Count)]} for one in outcomes]}


def open_run_to_json(run: OpenRun) -> Json:
    """The journal entry before the first write."""
    return {"schema": SCHEMA, **to_json(run)}


def report_to_json(report: RunReport) -> Json:
    """A run from its first reading to its verification."""
    indices = {change: index for index, change in enumerate(report.plan.changes)}
    outcomes = [fields(outcome, "change") | {"change": indices[outcome.change]} for outcome in report.outcomes]
    return {"schema": SCHEMA, **fields(report, "outcomes"), "outcomes": outcomes}


REPORT_STEPS = (with_present_cause, _with_present_plan, _with_changes)
plan_from_json = reader("plan", Plan, with_present_plan)
open_run_from_json = reader("journalled run", OpenRun, with_present_cause, _with_present_plan, schema=SCHEMA)
run_report_from_json = reader("journalled report", RunReport, *REPORT_STEPS)
