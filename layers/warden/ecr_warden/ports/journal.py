"""The journal of runs, for people to look things up."""

from collections.abc import Sequence
from typing import Protocol

from ecr_warden.model.outcome import RunReport
from ecr_warden.model.run import OpenRun, RunEntry
from ecr_warden.model.target import Target


class Journal(Protocol):
    """The journal of runs, as people read it: those that wrote, and those that had something to tell."""

    def of_target(self, target: Target, *, limit: int) -> Sequence[RunEntry]:
        """A target's runs, newest first."""
        ...

    def latest(self, *, days: int, limit: int) -> Sequence[RunEntry]:
        """The runs of all targets that began today or on one of the days before, newest first."""
        ...

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        """A run in full; None if there is none, or none any more."""
        ...
