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

    def keep(self, body: str, *, group: str, message_id: str) -> None:
        """Keep a job's message, once per `message_id`; raises PortError."""
        ...


class Jobs(Protocol):
    """The jobs queue."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs in order; a job whose cause and target were sent within 5 minutes is dropped by the queue."""
        ...


class Queues(Protocol):
    """The state of the queues of jobs."""

    def states(self) -> Sequence[QueueState]:
        """That of each; raises PortError."""
        ...
