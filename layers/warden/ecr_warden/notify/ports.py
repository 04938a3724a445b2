"""How alerts reach people: incidents, what is collected until it is sent, and channels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.failures import PortError

if TYPE_CHECKING:
    from ecr_warden.notify.incident import Acknowledgement, Incident
    from ecr_warden.notify.message import Message


CHANNELS = E_MAIL, CHAT, PAGER, BUS = "e-mail", "chat", "PagerDuty", "bus"
"""The names of the channels."""
THREADED = frozenset({PAGER, BUS})
"""The channels for programs, which lose an incident's end if it is joined with others."""


class ChannelError(PortError, code="notify"):
    """A message did not reach a channel."""


class Incidents(Protocol):
    """What is collected by keys until it is sent, whose turn it is to send, and the incidents that last.

    What is collected of an incident are its alerts with what they change; of a channel, the messages that wait for it.
    """

    def open(self, key: str, *, seconds: int) -> bool:
        """Have a key flushed after `seconds`; False if it is going to be by then."""

    def add(self, key: str, texts: Sequence[str]) -> None:
        """Collect texts, each once; `open` has them flushed."""

    def close(self, key: str) -> "Mapping[str, tuple[str, datetime]]":
        """What is collected by ID, oldest first, each with when it came; it stays until dropped.

        If the key was to be flushed by now, whatever comes from now on has it flushed anew.
        """

    def drop(self, key: str, ids: Iterable[str]) -> None:
        """Delete what was sent."""

    def turn(self, name: str, *, most: int, seconds: int) -> int:
        """Take one of `most` turns in any `seconds`; returns 0, or after how many seconds one may be free."""

    def find(self, key: str) -> "Incident | None":
        """The incident of a cause that has not ended."""

    def standing(self) -> "Sequence[Incident]":
        """All that have not ended."""

    def keep(self, incident: "Incident", *, is_ended: bool = False) -> bool:
        """Keep it in the place of the revision before; False if that was replaced meanwhile."""

    def threads(self, facts: Iterable[str]) -> Mapping[str, str]:
        """By the keys of facts that are known, the key of the incident that has each."""

    def assign(self, facts: Iterable[str], key: str) -> None:
        """Note which incident has these facts."""

    def note_ends(self, facts: Iterable[str], at: datetime) -> None:
        """Note that facts were seen to have ended, which may be heard before they opened."""

    def ends(self, facts: Iterable[str]) -> Mapping[str, datetime]:
        """Of facts whose end was noted within two weeks, when that was."""

    def forget(self, facts: Iterable[str]) -> None:
        """Forget the facts of an incident that has ended."""

    def acknowledged(self, incident: str) -> "Acknowledgement | None":
        """Who works on an incident, by its ID."""


class IncidentRecords(Protocol):
    """The incidents for whoever asks, and who works on which."""

    def standing(self) -> "Sequence[Incident]":
        """All that have not ended."""

    def ended(self, since: datetime) -> "Iterator[Incident]":
        """Those that have ended and began since, newest first, read lazily."""

    def acknowledgements(self) -> "Mapping[str, Acknowledgement]":
        """The last of each incident, by its ID."""

    def acknowledge(self, incident: str, by: "Acknowledgement") -> None:
        """Note who works on an incident."""


class Channel(Protocol):
    """A channel through which messages reach people, such as chat or e-mail."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises ChannelError."""


def waiting_key(channel: str) -> str:
    """The key of what waits for a channel: what it did not take, and what may leave in a digest alone."""
    return f"undelivered/{channel}"
