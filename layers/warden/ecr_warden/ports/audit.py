"""The audit log: specs and commands, beside the journal of runs."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol

from ecr_warden.model.audit import OF_COMMANDS, OF_SPECS, AuditEntry, AuditKind


class Audit(Protocol):
    """What was done to ecr-warden as a whole, but for the stop switch, which keeps its own history."""

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry as long as the journal; the same one twice is one."""
        ...

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[AuditKind] = OF_SPECS | OF_COMMANDS
    ) -> Iterator[AuditEntry]:
        """The entries of these kinds from `since` to `until`, newest first, read as they are asked for."""
        ...
