"""The hub apart from its store: clock, job queue, stop switch, event sources, commands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ecr_warden.model.job import Actor, Job

if TYPE_CHECKING:  # needed for commands, queries and sweeps, not for events
    from ecr_warden.model.request import Answer, AuditEntry, Call
    from ecr_warden.model.watch import QueueState, SeenWire
    from ecr_warden.planning.wiring import HubPlace

STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """None while writes are enabled; else STOPPED, or why the switch cannot be read. Asked before each write."""
        ...

    def changes(self) -> "Sequence[AuditEntry]":
        """Who set it to what and when, newest first, as far back as AWS keeps it; raises PortError."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, timezone-aware."""
        ...


class Jobs(Protocol):
    """The jobs queue."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs in order; a job whose cause and target were sent within 5 minutes is dropped by the queue."""
        ...


class Queues(Protocol):
    """The state of the queues of jobs."""

    def states(self) -> "Sequence[QueueState]":
        """That of each; raises PortError."""
        ...


class Wiring(Protocol):
    """Reads what can blind or stop ecr-warden (model.watch); what cannot be read says so, and nothing is raised."""

    @property
    def place(self) -> "HubPlace":
        """What the hub knows of itself."""
        ...

    def hub(self) -> "Sequence[SeenWire]":
        """The hub's stack, rules, bus, bucket and mappings."""
        ...

    def region(self, account: str, region: str) -> "Sequence[SeenWire]":
        """The trail of a region of a member, its rules, and the stack of these."""
        ...

    def account(self, account: str, entry: "Mapping[str, Any] | None") -> "Sequence[SeenWire]":
        """The stack of ecr-warden's roles and boundary in an account, and these.

        `entry`: what was surveyed of the account, None if nothing was.
        """
        ...


class SweepMetric(Protocol):
    """What the dead-man alarm watches."""

    def finished(self) -> None:
        """A sweep has finished."""
        ...


class CommandRecords(Protocol):
    """The commands sent to the hub: who sent them, and their results."""

    def record(self, call: "Call") -> None:
        """Record a command before acting on it; raises CommandRepeated if its ID is known."""
        ...

    def text(self, call_id: str) -> str | None:
        """A command as it was given; None if it is unknown or expired."""
        ...

    def answer(self, call_id: str, answer: "Answer") -> None:
        """Record how the run of one of its targets ended, replacing an earlier answer."""
        ...

    def answers(self, call_id: str) -> "Sequence[Answer]":
        """The answers so far, one per target."""
        ...


class Callers(Protocol):
    """Authenticates the callers of commands."""

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that recently signed exactly this request for this hub; raises CallerUnauthenticated."""
        ...
