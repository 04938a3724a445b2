"""Alerts, as they are published on the bus."""

from ecr_warden.core.alert import Alert
from ecr_warden.core.codec.base import Json, fields, to_json
from ecr_warden.core.codec.jobs import job_to_json
from ecr_warden.core.codec.runs import report_to_json
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.run import RunReport
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
