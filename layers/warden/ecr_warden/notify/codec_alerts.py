"""Alerts, as they are published on the bus."""

from ecr_warden.core.alert import Alert
from ecr_warden.core.codec.base import Json, to_json
from ecr_warden.core.job import SCHEMA


def alert_to_json(alert: Alert) -> Json:
    """The detail of an event: `{"schema", "kind", "cause", ...}`."""
    return {"schema": SCHEMA, **to_json(alert)}
