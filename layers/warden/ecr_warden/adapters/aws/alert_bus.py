"""The AlertBus port on an EventBridge bus."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.adapters.aws.shorter import forms
from ecr_warden.model.alert import (
    Alert,
    JobFailed,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.codec.alerts import alert_to_json
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.outcome import RunReport
from ecr_warden.ports.errors import Refused, Throttled

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "ecr-warden"
# PutEvents takes 256 KB for an entry with all its parts.
_DETAIL_BYTES = 250_000


@dataclass(frozen=True, slots=True)
class EventBridgeAlertBus:
    """Announcements as events: source `ecr-warden`, detail-type as the kind of the alert: `Run`, `SpecAccepted`, ..."""

    client: "EventBridgeClient"
    bus: str

    def publish(self, alert: Alert) -> None:
        entry = {
            "Source": SOURCE,
            "DetailType": _detail_type(alert),
            "Detail": detail_of(alert),
            "EventBusName": self.bus,
        }
        with translated(HUB, "announcing an outcome"):
            answer = self.client.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "")
            raise Throttled(f"the outcomes bus did not take an event: {code}", retryable=True)


def _detail_type(alert: Alert) -> str:
    match alert:
        case RunReport():
            return "Run"
        case SpecAccepted():
            return "SpecAccepted"
        case SpecRefused():
            return "SpecRefused"
        case Unlisted():
            return "Unlisted"
        case OwnChanged():
            return "OwnChanged"
        case TargetsPaused():
            return "Paused"
        case TargetsResumed():
            return "Resumed"
        case JobFailed():
            return "JobFailed"
        case _:
            assert_never(alert)


def detail_of(alert: Alert) -> str:
    """The fullest form that an event holds; raises Refused. Codec texts are ASCII, so characters are bytes."""
    details = (dumps(alert_to_json(form)) for form in forms(alert))
    for detail in details:
        if len(detail) <= _DETAIL_BYTES:
            return detail
    raise Refused("an outcome is too large for the bus in its shortest form", remedy="see the journal")
