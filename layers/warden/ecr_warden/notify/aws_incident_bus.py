"""Publishes messages as incident events on the bus of the hub, for whatever else is to hear of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct, json

from ecr_warden.core.failures import PortError
from ecr_warden.notify.aws_bus import put_event
from ecr_warden.notify.incident_event import INCIDENT, incident_event
from ecr_warden.notify.message import Message
from ecr_warden.notify.ports import ChannelError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_DEPLOY = "ecr-warden deploy: it makes the bus and lets the alert function publish to it"


class BusChannel(Struct, frozen=True):
    """Incident events; `client`: makes the client, once."""

    client: "Callable[[], EventBridgeClient]"
    bus: str

    def notify(self, message: Message) -> None:
        """Publish the message; raises ChannelError."""
        try:
            put_event(self.client(), self.bus, INCIDENT, json.encode(incident_event(message)).decode())
        except PortError as error:
            raise ChannelError(error.message, remedy=error.remedy or _DEPLOY, retryable=error.retryable) from error
