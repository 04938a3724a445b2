"""Alerts, as they are published on the bus."""

from ecr_warden.model.alert import Alert, JobFailed
from ecr_warden.model.codec.base import Json, check_schema, fields, read, reading, to_json
from ecr_warden.model.codec.jobs import job_to_json, with_present_cause, with_present_job
from ecr_warden.model.codec.runs import REPORT_STEPS, report_to_json, with_present_drift
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.run import RunReport


def alert_to_json(alert: Alert) -> Json:
    """The detail of an event: `{"schema", "kind", "cause", ...}`."""
    match alert:
        case RunReport():
            return report_to_json(alert)
        case JobFailed(job=job):
            return {"schema": SCHEMA, **fields(alert, "job"), "job": None if job is None else job_to_json(job)}
        case _:
            return {"schema": SCHEMA, **to_json(alert)}


_STEPS = {"run": REPORT_STEPS, "fight": (with_present_cause, with_present_drift)}


def _alert(value: Json) -> Alert:
    check_schema(value, SCHEMA)
    for step in _STEPS.get(value["kind"], (with_present_cause,)):
        value = step(value)
    if value["kind"] == "job-failed" and value["job"] is not None:
        value = value | {"job": with_present_job(with_present_cause(value["job"]))}
    alert: Alert = read(value, Alert)
    return alert


alert_from_json = reading("announcement", _alert)
