"""How alerts reach people: the bus, incidents that collect alerts, channels."""

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
    """Where the alerts of one cause are collected until they are sent as one message."""

    def open(self, key: str, *, seconds: int) -> bool:
        """Open an incident and have it flushed after `seconds`; False if it was open already."""
        ...

    def add(self, key: str, alert: "Alert", *, seconds: int) -> None:
        """Add an alert to its incident, which is opened if necessary."""
        ...

    def close(self, key: str) -> "Mapping[str, Alert]":
        """Close the incident to further alerts; returns its alerts by ID, oldest first, which stay until dropped."""
        ...

    def drop(self, key: str, ids: Iterable[str]) -> None:
        """Delete alerts that were sent."""
        ...


class DeadLetters(Protocol):
    """Where exhausted jobs are kept until an operator moves them back."""

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        """Keep a job's message, once per `message_id`; raises PortError."""
        ...


class Channel(Protocol):
    """A channel through which messages reach people, such as chat or e-mail."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""
        ...
