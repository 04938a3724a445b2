"""Alerts, as they are published on the bus."""

from ecr_warden.core.codec.base import Json, check_schema, fields, read, reading, to_json
from ecr_warden.core.codec.jobs import job_to_json
from ecr_warden.core.codec.runs import REPORT_STEPS, report_to_json, with_drift
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.run import RunReport
from ecr_warden.notify.alert import Alert
from ecr_warden.repair.alerts import JobFailed


def alert_to_json(alert: Alert) -> Json:
    """The detail of an event: `{"schema", "kind", "cause", ...}`."""
    match alert:
        case RunReport():
            return report_to_json(alert)
        case JobFailed(job=job):
            return {"schema": SCHEMA, **fields(alert, "job"), "job": None if job is None else job_to_json(job)}
        case _:
            return {"schema": SCHEMA, **to_json(alert)}


_STEPS = {"run": REPORT_STEPS, "fight": (with_drift,)}


def _alert(value: Json) -> Alert:
    check_schema(value, SCHEMA)
    for step in _STEPS.get(value["kind"], ()):
        value = step(value)
    alert: Alert = read(value, Alert)
    return alert


alert_from_json = reading("announcement", _alert)
