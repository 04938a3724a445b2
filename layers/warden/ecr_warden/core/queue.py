"""The queues of jobs: where jobs are sent, how many wait, and which are given up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.job import Job, Queue


class QueueState(Struct, frozen=True):
    """How many jobs of a queue wait and are in flight, by AWS's approximation, and when its function last did one."""

    queue: Queue
    waiting: int
    in_flight: int
    finished: datetime | None


class DeadLetters(Protocol):
    """Where exhausted jobs are kept until an operator moves them back."""

    def keep(self, body: str, *, message_id: str) -> None:
        """Keep a job's message; raises PortError."""


class Jobs(Protocol):
    """The queues of jobs; those of repairs may come twice and in any order (docs/adr/0045)."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs; other queues than that of repairs drop one that was sent for the same cause within 5 minutes."""


class Queues(Protocol):
    """The state of the queues of jobs."""

    def states(self) -> Sequence[QueueState]:
        """That of each; raises PortError."""
