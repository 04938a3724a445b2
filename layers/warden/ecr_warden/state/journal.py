"""The journal of runs, as people read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.core.target import Target

MOST_ALIKE = 3
"""IDs that begin alike which are listed."""


class Page(Struct, frozen=True):
    """The newest runs of a period, newest first, and how many are omitted."""

    entries: Sequence[RunEntry]
    omitted: int = 0


class Journal(Protocol):
    """The journal of runs, as people read it: runs that wrote, and runs with something to report.

    A period has whole seconds, includes both ends, and does not end before it begins.
    """

    def of_target(self, target: Target, since: datetime, until: datetime, *, limit: int) -> Page:
        """A target's runs that began in the period."""

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        """The runs of all targets that began in the period."""

    def beginning_with(self, text: str) -> Sequence[str]:
        """The IDs that begin with a text, which has at least the day; at most a few of them."""

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        """A run in full; None if it is unknown or expired."""
