"""The way of an alert to people: announced, gathered, delivered."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:  # most events tell nobody
    from ecr_warden.model.alert import Alert, Message


class ChannelError(PortError):
    """A message did not reach a channel."""

    code = "notify"


class ChannelsError(ChannelError):
    """Some channels did not get the message; `failed` has their names, all others have got it."""

    def __init__(self, errors: Mapping[str, PortError]) -> None:
        super().__init__(
            "not delivered to " + "; ".join(f"{name}: {error}" for name, error in errors.items()),
            retryable=any(error.retryable for error in errors.values()),
        )
        self.failed = tuple(errors)


class AlertBus(Protocol):
    """Where runs, specs and commands publish their alerts; anybody may subscribe."""

    def publish(self, alert: "Alert") -> None:
        """Announce it; raises PortError."""
        ...


class Incidents(Protocol):
    """Where alerts with one cause are gathered until they go out as one message."""

    def opens(self, key: str, *, seconds: int) -> bool:
        """Open an incident that is not open, and have it flushed after `seconds`; whether this call did."""
        ...

    def add(self, key: str, alert: "Alert", *, seconds: int) -> None:
        """Keep an alert for its incident, which is opened if it is not open."""
        ...

    def take(self, key: str) -> "tuple[Alert, ...]":
        """Close the incident to further alerts and return those gathered, oldest first; they are kept until dropped."""
        ...

    def drop(self, key: str, alerts: "Sequence[Alert]") -> None:
        """Forget alerts that people have been told."""
        ...


class DeadLetters(Protocol):
    """Where jobs that failed for good are kept until an operator moves them back."""

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        """Keep a job's message; one that is kept already (its `message_id`) is not kept twice. Raises PortError."""
        ...


class Channel(Protocol):
    """A channel to people."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""
        ...


class Channels(Protocol):
    """All channels to people."""

    def notify(self, message: "Message", *, only: str | None = None) -> None:
        """Deliver it to each channel, or to one of them; raises ChannelsError."""
        ...
