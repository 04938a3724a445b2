"""The hub around its store: clock, job queue, stop switch, event sources, and the commands that people give."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ecr_warden.model.job import Actor, Job

if TYPE_CHECKING:  # only commands and questions need these, no event does
    from ecr_warden.model.request import Answer, AuditEntry, Call
    from ecr_warden.model.watch import EventSource

STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """Why nothing may be written, None while writes go on: STOPPED, or that the switch cannot be read.

        Asked afresh before each write.
        """
        ...

    def changes(self) -> "Sequence[AuditEntry]":
        """Who has set it to what and when, newest first, as far back as it is known; raises PortError."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Jobs(Protocol):
    """The jobs queue."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs in order; a job whose cause and target were sent within 5 minutes is dropped by the queue."""
        ...


class EventSources(Protocol):
    """The hub's own rules and notification, as far as the hub can see: those of the members are out of its sight."""

    def sources(self) -> "Sequence[EventSource]":
        """Each as it is now; what cannot be read says so, nothing is raised."""
        ...


class CommandRecords(Protocol):
    """What people asked for through the hub, who they were, and what came of it."""

    def take(self, call: "Call") -> None:
        """Record a command before anything is done about it; raises CallRepeated if its id was taken before."""
        ...

    def answer(self, call_id: str, answer: "Answer") -> None:
        """Record how the run of one of its targets ended, in the place of an earlier answer."""
        ...

    def answers(self, call_id: str) -> "Sequence[Answer]":
        """The answers so far, one a target."""
        ...


class Callers(Protocol):
    """Who asks."""

    def prove(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that signed exactly this request for this hub, not long ago; raises CallerUnproved."""
        ...
