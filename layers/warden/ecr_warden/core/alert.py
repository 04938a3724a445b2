"""What all alerts have in common, and where they are published."""

from typing import Protocol

from ecr_warden.core.codec.base import SCHEMA, Json, to_json
from ecr_warden.core.job import Cause
from ecr_warden.core.value import Value


class Alert(Value, frozen=True, tag_field="kind"):
    """What somebody may have to hear of, in values that need nobody to work them out.

    `left_out` in an alert: how many entries its list omits. notify/kinds words each kind.
    """

    cause: Cause
    """Why it happened."""


def alert_to_json(alert: Alert) -> Json:
    """The detail of an event: `{"schema", "kind", "cause", ...}`; `notify.kinds` reads it."""
    return {"schema": SCHEMA, **to_json(alert)}


class AlertBus(Protocol):
    """Where runs, specs and commands publish their alerts; anybody may subscribe."""

    def publish(self, alert: Alert) -> None:
        """Publish it; raises PortError."""
