"""What takes an alert to people: the bus, incidents that gather alerts, channels."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:  # most events make no alert
    from ecr_warden.model.alert import Alert, Message


class ChannelError(PortError):
    """A message did not reach a channel."""

    code = "notify"


class AlertBus(Protocol):
    """Where runs, specs and commands publish their alerts; anybody may subscribe."""

    def publish(self, alert: "Alert") -> None:
        """Publish it; raises PortError."""
        ...


class Incidents(Protocol):
    """Where alerts of one cause are gathered until they are sent as one message."""

    def opens(self, key: str, *, seconds: int) -> bool:
        """Open an incident that is not open, and have it flushed after `seconds`; whether this call did."""
        ...

    def add(self, key: str, alert: "Alert", *, seconds: int) -> None:
        """Keep an alert for its incident, which is opened if it is not open."""
        ...

    def take(self, key: str) -> "Mapping[str, Alert]":
        """Close the incident to further alerts and return those gathered by their IDs, oldest first, until dropped."""
        ...

    def drop(self, key: str, ids: Iterable[str]) -> None:
        """Forget alerts that were sent."""
        ...


class DeadLetters(Protocol):
    """Where exhausted jobs are kept until an operator moves them back."""

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        """Keep a job's message; one that is kept already (its `message_id`) is not kept twice. Raises PortError."""
        ...


class Channel(Protocol):
    """A way to people, such as chat or e-mail."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""
        ...
