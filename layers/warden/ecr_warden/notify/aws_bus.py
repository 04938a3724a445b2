"""The AlertBus port on an EventBridge bus."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.core.alert import alert_to_json
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.failures import Refused, Throttled

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from ecr_warden.core.alert import Alert

SOURCE = "ecr-warden"
# PutEvents takes 256 KB for an entry with all its parts.
# Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_DETAIL_BYTES = 250_000


class EventBridgeAlertBus(Struct, frozen=True):
    """Alerts as events: source `ecr-warden`, detail-type by the kind of the alert: `Run`, `SpecAccepted`, ..."""

    client: "Callable[[], EventBridgeClient]"
    """Makes the client, once; a run without drift publishes nothing, and loads nothing that an alert takes."""
    bus: str

    def publish(self, alert: "Alert") -> None:
        if parts := _parts(alert):
            for part in parts:
                self.publish(part)
            return
        kind, detail = detail_of(alert)
        put_event(self.client(), self.bus, kind, detail)


def put_event(client: "EventBridgeClient", bus: str, kind: str, detail: str) -> None:
    """Put one event with this detail-type on the bus; raises PortError."""
    entry = {"Source": SOURCE, "DetailType": kind, "Detail": detail, "EventBusName": bus}
    with translated(HUB, "publishing an alert"):
        answer = client.put_events(Entries=[entry])  # type: ignore[list-item]
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "")
        raise Throttled(f"the bus ecr-warden-outcomes rejected an event: {code}", retryable=True)


def _parts(alert: "Alert") -> "Sequence[Alert]":
    """Several alerts instead of one that ends more than an event holds: what it left out would never end."""
    if len(getattr(alert, "ended", ())) < 2 or len(dumps(alert_to_json(alert))) <= _DETAIL_BYTES:
        return ()
    from ecr_warden.notify.shorter import parts  # noqa: PLC0415 - few alerts are too large

    return parts(alert)


def detail_of(alert: "Alert") -> tuple[str, str]:
    """Its detail-type, and the fullest form that an event holds; raises Refused."""
    whole = alert_to_json(alert)
    kind = str(whole["kind"]).title().replace("-", "")
    # The codec writes ASCII, so characters are bytes.
    if len(detail := dumps(whole)) <= _DETAIL_BYTES:
        return kind, detail
    from ecr_warden.notify.shorter import shorter  # noqa: PLC0415 - few alerts are too large

    for form in shorter(alert):
        if len(detail := dumps(alert_to_json(form))) <= _DETAIL_BYTES:
            return kind, detail
    raise Refused("an alert is too large for the bus in its shortest form", remedy="see the journal")
