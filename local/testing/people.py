"""People who read, and the function that writes to them, on a clock that a test moves: queue, table and channels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import PermissionMissing, PortError
from ecr_warden.notify.message import Message
from ecr_warden.notify.notify import SendAlerts
from ecr_warden.notify.ports import CHAT, E_MAIL, ChannelError, Incidents
from local.testing.memory.hub import ManualClock, MemoryIncidents

_FIRST_RETRY, _LONGEST_RETRY = 20, 720


@dataclass(slots=True)
class MemoryChannel:
    """Keeps the messages that it got, and when, while it works."""

    clock: ManualClock
    works: bool = True
    got: list[tuple[datetime, Message]] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        if not self.works:
            raise ChannelError("out of order", remedy="repair it", retryable=True)
        self.got.append((self.clock.now(), message))

    @property
    def titles(self) -> list[str]:
        """The titles of the messages."""
        return [message.title for _, message in self.got]

    @property
    def times(self) -> list[datetime]:
        """When they came."""
        return [at for at, _ in self.got]


@dataclass(slots=True)
class Silenceable(MemoryIncidents):
    """A table that a test can silence; what is asked of it then fails."""

    silent: bool = False

    def __getattribute__(self, name: str) -> Any:
        """Each method asks the table."""
        if name in _ASKING and object.__getattribute__(self, "silent"):
            raise PermissionMissing("not authorized to perform: dynamodb:PutItem", remedy="deploy the hub again")
        return object.__getattribute__(self, name)


_ASKING = frozenset(name for name in vars(Incidents) if not name.startswith("_"))


@dataclass(slots=True)
class People:
    """Two channels, and the queue that flushes: after the delay that was asked for, later each time that it failed."""

    clock: ManualClock = field(default_factory=ManualClock)
    chat: MemoryChannel = field(init=False)
    mail: MemoryChannel = field(init=False)
    incidents: Silenceable = field(init=False)
    waiting: list[tuple[datetime, str, int]] = field(default_factory=list)
    failures: list[PortError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    aliases: Callable[[], Mapping[str, str]] = dict

    def __post_init__(self) -> None:
        self.chat, self.mail = MemoryChannel(self.clock), MemoryChannel(self.clock)
        self.incidents = Silenceable(self.clock)

    @property
    def send(self) -> SendAlerts:
        """The use case."""
        return SendAlerts(
            self.incidents, {E_MAIL: self.mail, CHAT: self.chat}, self.warnings.append, self.clock, self.aliases
        )

    def announce(self, *alerts: Alert) -> None:
        """Announce one after the other, at once."""
        for alert in alerts:
            self.send.announce(alert, self.clock.now())

    def wait(self, seconds: float) -> None:
        """Let the time pass, and what is due be flushed in its time."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while True:
            self._take()
            due = min(self.waiting, default=None)
            if due is None or due[0] > end:
                break
            self.waiting.remove(due)
            at, key, receives = due
            self.clock.time = max(at, self.clock.now())
            try:
                self.send.flush(key)
            except PortError as error:
                self.failures.append(error)
                later = min(_LONGEST_RETRY, _FIRST_RETRY * 2**receives)
                self.waiting.append((self.clock.now() + timedelta(seconds=later), key, receives + 1))
        self.clock.time = end

    def _take(self) -> None:
        for key, seconds in self.incidents.flushes:
            self.waiting.append((self.clock.now() + timedelta(seconds=seconds), key, 0))
        self.incidents.flushes.clear()
