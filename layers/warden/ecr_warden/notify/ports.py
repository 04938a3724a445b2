"""How alerts reach people: incidents that collect alerts, and channels."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.failures import PortError

if TYPE_CHECKING:
    from ecr_warden.core.alert import Alert
    from ecr_warden.notify.message import Message


MEMORY = timedelta(minutes=5)
"""How long an alert is known again: as long as a FIFO queue knows a job. What is repeated later is news."""
CHANNELS = E_MAIL, CHAT = "e-mail", "chat"
"""The names of the channels."""


class ChannelError(PortError, code="notify"):
    """A message did not reach a channel."""


class Incidents(Protocol):
    """Where the alerts of one cause are collected until they are sent as one message, and turns to send one."""

    def open(self, key: str, *, seconds: int) -> bool:
        """Open an incident and have it flushed after `seconds`; False if it was open already."""

    def add(self, key: str, alerts: "Sequence[Alert]", *, seconds: int) -> None:
        """Add alerts to their incident, which is opened if necessary."""

    def close(self, key: str, *, again: int = 0) -> "Mapping[str, Alert]":
        """Close the incident to further alerts; returns those it has by ID, oldest first, which stay until dropped.

        `again`: with alerts it is open all the time, and is flushed again after so many seconds.
        """

    def drop(self, key: str, ids: Iterable[str]) -> None:
        """Delete alerts that were sent."""

    def turn(self, name: str, *, most: int, seconds: int) -> int:
        """Take one of `most` turns in any `seconds`; returns 0, or after how many seconds one may be free."""

    def was_heard(self, alert: "Alert") -> bool:
        """Whether the same alert was noted within MEMORY."""

    def note_heard(self, alert: "Alert") -> None:
        """Note an alert that was announced and recorded."""


class Channel(Protocol):
    """A channel through which messages reach people, such as chat or e-mail."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""


def waiting_key(channel: str) -> str:
    """The incident of what waits for a channel: what it did not take, and what may leave in a digest alone."""
    return f"undelivered/{channel}"
