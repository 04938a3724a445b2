"""The ports in memory: what the use cases are tried on, held to the same contract as the AWS adapters."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from ecr_warden.adapters.files import MAX_SPEC_BYTES, spec_missing, spec_too_large, version_missing
from ecr_warden.adapters.readings import as_asked, holds_ours, owner_missing, unreadable
from ecr_warden.model.address import Address, AddressKind, trust_policy
from ecr_warden.model.alert import Alert
from ecr_warden.model.desired import CompiledSpec, RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.model.job import Job, ReconcileTarget
from ecr_warden.model.observed import LiveValue, Observation, Observed, Present, Unparseable
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.pause import Pause
from ecr_warden.model.plan import Change, NewRole, Operation, Plan
from ecr_warden.model.run import Debts, LastLook, OpenRun
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.planning.results import has_written
from ecr_warden.policy.canonical import digest
from ecr_warden.policy.document import Document
from ecr_warden.ports import (
    STOPPED,
    DocumentConflict,
    Lease,
    LeaseHeld,
    Listing,
    OwnerNotFound,
    PortError,
    Refused,
    SpecSuperseded,
    SpecUnversioned,
    SpecVersion,
    TargetRecord,
)


@dataclass(slots=True)
class ManualClock:
    """Time stands still until somebody moves it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        """Move the time on."""
        self.time += by


def present(address: Address, value: LiveValue) -> Present:
    """A live value with its digest."""
    match value:
        case Document():
            return Present(value, digest(value, kind=address.document_kind))
        case RoleSettings():
            return Present(value, repr(value))
        case None:
            return Present(None, address.name)


@dataclass(slots=True)
class MemoryDocuments:
    """A world of owners and their documents.

    `owners`: the targets that exist, each with its unique id. `faults`: called before each read (None) or write
    (the change); it may raise a PortError, or change the world to play somebody else. `writes`: all that were taken.
    """

    owners: dict[Target, str] = field(default_factory=dict)
    live: dict[Address, Present | Unparseable] = field(default_factory=dict)
    tagged: set[Target] = field(default_factory=set)
    faults: Callable[[Target, Change | None], None] = lambda _target, _change: None
    writes: list[Change] = field(default_factory=list)
    reads: int = 0
    _ids: Iterator[int] = field(default_factory=count)

    def make(self, target: Target) -> None:
        """Have somebody else make an owner; who is made again gets another unique id."""
        if target not in self.owners:
            self.owners[target] = f"ID{next(self._ids)}"

    def unmake(self, target: Target) -> None:
        """Have somebody else delete an owner with all its documents."""
        self.owners.pop(target, None)
        self.tagged.discard(target)
        self.live = {address: value for address, value in self.live.items() if address.target != target}

    def put(self, address: Address, value: LiveValue) -> None:
        """Have somebody else write a value."""
        self.make(address.target)
        self.live[address] = present(address, value)

    def remove(self, address: Address) -> None:
        """Have somebody else delete a value; a role goes with all its documents."""
        self.live.pop(address, None)
        if address.kind is AddressKind.ROLE:
            self.unmake(address.target)

    def read(self, spec: TargetSpec) -> Observation:
        self.reads += 1
        try:
            self.faults(spec.target, None)
        except PortError as error:
            return unreadable(spec, error)
        owner = next((owner for owner in self.owners if owner.key == spec.target.key), None)
        return as_asked(spec, self._all_of(owner)) if owner else owner_missing(spec)

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation]:
        yield from map(self.read, specs)
        known = {spec.target.key for spec in specs}
        for owner in self.owners:
            if owner.account in accounts and owner.key not in known and not isinstance(owner, RepositoryTarget):
                found = self._all_of(owner)
                if holds_ours(found):
                    yield found

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> Listing:
        found: dict[RepositoryTarget, None] = {}
        unread: list[tuple[RepositoryPattern, PortError]] = []
        for pattern in patterns:
            try:
                self.faults(pattern.target, None)
            except PortError as error:
                unread.append((pattern, error))
                continue
            existing = (owner for owner in self.owners if isinstance(owner, RepositoryTarget))
            found.update(dict.fromkeys(owner for owner in existing if pattern.covers(owner)))
        return Listing(tuple(sorted(found)), tuple(unread))

    def writer(self, plan: Plan, run_id: str) -> "MemoryDocuments":  # noqa: ARG002
        return self

    def write(self, change: Change) -> None:
        address = change.address
        self.faults(address.target, change)
        found = self.live.get(address)
        if address.target not in self.owners and not isinstance(change.after, NewRole):
            raise OwnerNotFound(f"{address.target} does not exist")
        if (found.digest if found else None) != change.expect:
            raise DocumentConflict(f"{address} changed")
        self._take(change)
        self.writes.append(change)

    def _take(self, change: Change) -> None:
        address = change.address
        match change.after:
            case NewRole() as new:
                assert isinstance(address.target, RoleTarget)
                self.put(address, new.settings)
                self.put(trust_policy(address.target), new.trust)
                self.tagged.add(address.target)
            case None:
                assert change.operation is Operation.DELETE
                if address.kind is AddressKind.ROLE and self._holds_policies(address.target):
                    raise Refused(f"{address.target} still holds policies")
                self.remove(address)
            case value:
                self.put(address, value)

    def _holds_policies(self, owner: Target) -> bool:
        kinds = (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
        return any(address.target == owner and address.kind in kinds for address in self.live)

    def _all_of(self, owner: Target) -> Observation:
        documents: dict[Address, Observed] = {a: value for a, value in self.live.items() if a.target == owner}
        unique_id = None if isinstance(owner, RepositoryTarget) else self.owners[owner]
        return Observation(owner, documents, unique_id, owner in self.tagged)


@dataclass(slots=True)
class MemorySpecs:
    """One file and its accepted version; `strays`: other keys of the bucket."""

    file: SpecVersion | None = None
    strays: tuple[str, ...] = ()
    versioned: bool = True
    compiled: CompiledSpec | None = None
    refused_version: str | None = None
    told_misplaced: dict[str, str] = field(default_factory=dict)

    def current(self) -> SpecVersion:
        if self.file is None:
            raise spec_missing("access.yaml", "access.yaml", self.strays)
        if not self.versioned:
            raise SpecUnversioned("the file has no version", remedy="turn on versioning of the bucket")
        if len(self.file.data) > MAX_SPEC_BYTES:
            raise spec_too_large("the file", len(self.file.data), self.file.version)
        return self.file

    def text(self, version: str) -> bytes:
        if self.file is None or self.file.version != version:
            raise version_missing("the file", version)
        return self.file.data

    def accepted(self) -> CompiledSpec | None:
        return self.compiled

    def accept(self, spec: CompiledSpec, *, replaces: str | None) -> None:
        if (self.compiled.version if self.compiled else None) != replaces:
            raise SpecSuperseded("another version was accepted meanwhile", retryable=True)
        self.compiled = spec

    def refused(self) -> str | None:
        return self.refused_version

    def refuse(self, version: str) -> None:
        self.refused_version = version

    def misplaced(self, key: str) -> str | None:
        return self.told_misplaced.get(key)

    def tell_misplaced(self, key: str, version: str) -> None:
        self.told_misplaced[key] = version


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
        self._record(lease, None, debts, written_at=report.finished_at if has_written(report) else None)
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


@dataclass(slots=True)
class MemoryJobs:
    """A queue that only remembers, and takes the same cause and target once."""

    sent: list[Job] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def enqueue(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            about = job.target.key if isinstance(job, ReconcileTarget) else repr(job)
            if (job.cause.id, about) not in self._seen:
                self._seen.add((job.cause.id, about))
                self.sent.append(job)


@dataclass(slots=True)
class MemoryOutcomes:
    """A bus that only remembers."""

    published: list[Alert] = field(default_factory=list)

    def publish(self, alert: Alert) -> None:
        self.published.append(alert)


@dataclass(slots=True)
class MemorySwitch:
    """The stop switch, on."""

    enabled: bool = True

    def reason_to_stop(self) -> str | None:
        return None if self.enabled else STOPPED


@dataclass(slots=True)
class MemoryIncidents:
    """Alerts by incident, and the flushes that are due."""

    gathered: dict[str, list[Alert]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    flushes: list[tuple[str, int]] = field(default_factory=list)

    def add(self, key: str, alert: Alert, *, seconds: int) -> None:
        alerts = self.gathered.setdefault(key, [])
        if alert not in alerts:
            alerts.append(alert)
        if key not in self.open:
            self.open.add(key)
            self.flushes.append((key, seconds))

    def take(self, key: str) -> tuple[Alert, ...]:
        self.open.discard(key)
        return tuple(self.gathered.get(key, ()))

    def drop(self, key: str, alerts: Sequence[Alert]) -> None:
        self.gathered[key] = [alert for alert in self.gathered.get(key, ()) if alert not in alerts]
