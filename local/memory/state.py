"""What a hub remembers of targets and runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ecr_warden.model.observed import Observation
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.pause import Pause
from ecr_warden.model.run import Debts, LastLook, OpenRun
from ecr_warden.model.target import Target
from ecr_warden.ports.state import Lease, LeaseHeld, TargetRecord

from local.memory.clock import ManualClock


@dataclass(slots=True)
class MemoryState:
    """Leases, records and the journal."""

    clock: ManualClock
    lease_for: timedelta = timedelta(seconds=150)
    remembered: dict[str, TargetRecord] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)
    opened: dict[tuple[str, str], OpenRun] = field(default_factory=dict)
    closed: dict[tuple[str, str], RunReport] = field(default_factory=dict)

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        held = self.leases.get(target.key)
        if held and self.clock.now() < held.expires_at:
            raise LeaseHeld(f"another run works on {target}", retryable=True)
        fence = self.fences.get(target.key, 0) + 1
        record = self.remembered.get(target.key, TargetRecord())
        expires_at = self.clock.now() + self.lease_for
        lease = Lease(target, run_id, fence, expires_at, record.debts.recreated_principals)
        self.fences[target.key], self.leases[target.key] = fence, lease
        return lease, record

    def holds(self, lease: Lease) -> bool:
        return self.leases.get(lease.target.key) == lease and self.clock.now() < lease.expires_at

    def release(
        self,
        lease: Lease,
        observation: Observation | None,
        *,
        reported: str | None,
        revoked: str | None = None,
        report: RunReport | None = None,
    ) -> None:
        if self.fences.get(lease.target.key) != lease.fence:
            return
        self.leases.pop(lease.target.key, None)
        record = self.remembered.get(lease.target.key, TargetRecord())
        unique_id = observation.unique_id if observation and observation.unique_id else record.unique_id
        known = record.last or LastLook(self.clock.now())
        last = LastLook(self.clock.now(), known.run_id, known.result)
        if report is not None:
            last = LastLook(self.clock.now(), report.run_id, report.result)
        self.remembered[lease.target.key] = replace(
            record, unique_id=unique_id, reported=reported, revoked=revoked or record.revoked, last=last
        )

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        self._record(lease, run.run_id, debts)
        self.opened[lease.target.key, run.run_id] = run

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        self._record(lease, None, debts, written_at=report.finished_at if report.applied else None)
        self.closed[lease.target.key, report.run_id] = report

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        return self.opened.get((target.key, run_id))

    def mark_recreated(self, target: Target, principal: str) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        marked = tuple(sorted({*record.debts.recreated_principals, principal}))
        self.remembered[target.key] = replace(record, debts=replace(record.debts, recreated_principals=marked))

    def pause(self, target: Target, pause: Pause) -> None:
        self._set_pause(target, pause)

    def resume(self, target: Target) -> None:
        self._set_pause(target, None)

    def _set_pause(self, target: Target, pause: Pause | None) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        self.remembered[target.key] = replace(record, pause=pause)

    def note_reported(self, target: Target, reported: str | None) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        self.remembered[target.key] = replace(record, reported=reported)

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        return {target.key: self.remembered[target.key] for target in targets if target.key in self.remembered}

    def _record(self, lease: Lease, open_run: str | None, debts: Debts, *, written_at: datetime | None = None) -> None:
        if self.fences.get(lease.target.key) != lease.fence:
            raise LeaseHeld(f"another run has taken {lease.target} over", retryable=True)
        record = self.remembered.get(lease.target.key, TargetRecord())
        settled = {*lease.recreated} - {*debts.recreated_principals}
        owed = tuple(sorted({*record.debts.recreated_principals} - settled))
        self.remembered[lease.target.key] = replace(
            record,
            open_run=open_run,
            debts=replace(debts, recreated_principals=owed),
            written_at=written_at or record.written_at,
        )
