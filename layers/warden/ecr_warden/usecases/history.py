"""What runs did, and what was done to ecr-warden as a whole: newest first, and never cut without saying so."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ecr_warden.model.audit import AuditEntry
from ecr_warden.model.reply import HistoryReply
from ecr_warden.model.request import AskHistory
from ecr_warden.model.run import RunEntry
from ecr_warden.ports.audit import Audit
from ecr_warden.ports.clock import Clock
from ecr_warden.ports.journal import Journal
from ecr_warden.ports.switch import Switch

# The journal is kept for a year.
_KEPT = timedelta(days=366)
_TARGETS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class TellHistory:
    """The use case over its ports."""

    journal: Journal
    audit: Audit
    switch: Switch
    clock: Clock

    def __call__(self, asked: AskHistory) -> HistoryReply:
        """Raises a PortError of the hub's own stores."""
        now = self.clock.now()
        since = max(asked.since or now - _KEPT, now - _KEPT).replace(microsecond=0)
        until = min(asked.until or now, now).replace(microsecond=0)
        if until < since:  # DynamoDB refuses such a range
            return HistoryReply((), since=since, until=until)
        if asked.targets:
            pages = [self.journal.of_target(target, since, until, limit=asked.limit) for target in asked.targets]
        else:
            pages = [self.journal.latest(since, until, limit=asked.limit)]
        more = sum(page.more for page in pages)
        entries: list[RunEntry | AuditEntry] = [entry for page in pages for entry in page.entries]
        entries += self._audit({str(target) for target in asked.targets}, since, until.replace(microsecond=999_999))
        entries.sort(key=_when, reverse=True)
        told = entries[: asked.limit]
        return HistoryReply(
            entries=tuple(entry for entry in told if isinstance(entry, RunEntry)),
            audit=tuple(_shortened(entry) for entry in told if isinstance(entry, AuditEntry)),
            since=since,
            until=until,
            omitted=more + len(entries) - len(told),
        )

    def _audit(self, targets: Collection[str], since: datetime, until: datetime) -> Iterator[AuditEntry]:
        """All there is; of targets that were asked for, what names one of them."""
        for entry in self.audit.entries(since, until):
            if not targets or {*targets} & {*entry.targets}:
                yield entry
        if not targets:
            yield from (change for change in self.switch.changes() if since <= change.at <= until)


def _when(entry: RunEntry | AuditEntry) -> tuple[object, str]:
    return (entry.started_at, entry.run_id) if isinstance(entry, RunEntry) else (entry.at, entry.id)


def _shortened(entry: AuditEntry) -> AuditEntry:
    """A command may be about thousands."""
    shown = entry.targets[:_TARGETS_SHOWN]
    return replace(entry, targets=shown, omitted=len(entry.targets) - len(shown))
