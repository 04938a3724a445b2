"""How alerts reach people: incidents that collect alerts, and channels."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.failures import PortError

if TYPE_CHECKING:
    from ecr_warden.core.alert import Alert
    from ecr_warden.notify.message import Message


MEMORY = timedelta(minutes=5)
"""How long an alert is known again: as long as a FIFO queue knows a job. What is repeated later is news."""


class ChannelError(PortError):
    """A message did not reach a channel."""

    code = "notify"


class Incidents(Protocol):
    """Where the alerts of one cause are collected until they are sent as one message."""

    def open(self, key: str, *, seconds: int) -> bool:
        """Open an incident and have it flushed after `seconds`; False if it was open already."""

    def add(self, key: str, alert: "Alert", *, seconds: int) -> None:
        """Add an alert to its incident, which is opened if necessary."""

    def close(self, key: str) -> "Mapping[str, Alert]":
        """Close the incident to further alerts; returns its alerts by ID, oldest first, which stay until dropped."""

    def drop(self, key: str, ids: Iterable[str]) -> None:
        """Delete alerts that were sent."""

    def was_heard(self, alert: "Alert") -> bool:
        """Whether the same alert was noted within MEMORY."""

    def note_heard(self, alert: "Alert") -> None:
        """Note an alert that was announced and recorded."""


class Channel(Protocol):
    """A channel through which messages reach people, such as chat or e-mail."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""
