"""The jobs queue."""

from collections.abc import Iterable
from typing import Protocol

from ecr_warden.model.job import Job


class Jobs(Protocol):
    """The jobs queue."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs in order; a job whose cause and target were sent within 5 minutes is dropped by the queue."""
        ...
