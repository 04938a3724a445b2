"""The audit log."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ecr_warden.model.audit import OF_COMMANDS, OF_SPECS, AuditEntry, AuditKind


@dataclass(slots=True)
class MemoryAudit:
    """Entries by what they are of and when."""

    kept: dict[tuple[datetime, str, str], AuditEntry] = field(default_factory=dict)

    def record(self, entry: AuditEntry) -> None:
        self.kept[entry.at, entry.kind, entry.id] = entry

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[AuditKind] = OF_SPECS | OF_COMMANDS
    ) -> Iterator[AuditEntry]:
        within = [entry for entry in self.kept.values() if since <= entry.at <= until and entry.kind in kinds]
        return iter(sorted(within, key=lambda entry: entry.at, reverse=True))
