"""The journal of runs, for people to look things up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ecr_warden.model.outcome import RunReport
from ecr_warden.model.run import OpenRun, RunEntry
from ecr_warden.model.target import Target


@dataclass(frozen=True, slots=True)
class Page:
    """The newest runs of a time, newest first, and how many more there are."""

    entries: Sequence[RunEntry]
    more: int = 0


class Journal(Protocol):
    """The journal of runs, as people read it: those that wrote, and those that had something to tell.

    A time is of whole seconds, both ends within it, and does not end before it begins.
    """

    def of_target(self, target: Target, since: datetime, until: datetime, *, limit: int) -> Page:
        """A target's runs that began within the time."""
        ...

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        """The runs of all targets that began within the time."""
        ...

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        """A run in full; None if there is none, or none any more."""
        ...
