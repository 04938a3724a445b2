"""Two accounts in memory, a hub over them, and somebody who tampers."""

from collections.abc import Callable
from copy import copy, replace
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import partial
from typing import Any

from ecr_warden.audit.audit import Audit, FindingsSearch
from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.findings import find
from ecr_warden.bootstrap import accept, audit, collect, repair
from ecr_warden.collect.survey import Survey
from ecr_warden.collect.sweep import Budget, Sweep
from ecr_warden.core.address import Address
from ecr_warden.core.desired import CompiledSpec, MustNotExist
from ecr_warden.core.failures import PortError, RetryLater
from ecr_warden.core.job import (
    FIRST_AND_LAST,
    Actor,
    Attempt,
    AuditAccess,
    Cause,
    CauseKind,
    FollowClock,
    Job,
    Queue,
    ReconcileTarget,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.observed import LiveValue, Present, Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunEntry, RunReport
from ecr_warden.core.target import Target
from ecr_warden.repair.alerts import RunEnded
from ecr_warden.repair.reconcile import Reconcile
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.specs import SpecVersion
from local.testing.memory.adapters import MemoryAdapters
from local.testing.memory.documents import MemoryDocuments
from local.testing.memory.hub import ManualClock, MemorySpecs
from local.testing.seed import ACCEPTED, D1, D2, HOME, MORE_TRUST, NOW, allow, document

MALLORY = Actor("IAMUser", arn=f"arn:aws:iam::{HOME}:user/mallory", account=HOME)
_FIND = partial(find, hub="111111111111")
_NO_ADAPTERS = frozenset(
    {"accepted", "clock", "environment", "max_removed", "callers", "find", "budget", "to_audit", "ids"}
)
_WORK: dict[Queue, Callable[[Any, Any, Attempt], str]] = {
    Queue.REPAIR: repair.work,
    Queue.ACCEPT: accept.work,
    Queue.COLLECT: collect.work,
    Queue.AUDIT: audit.work,
}
FIRST = Attempt(number=1, is_last=False)
OPEN = document(allow("ecr:BatchGetImage", who="*"))


def expect[T](kind: type[T], value: object) -> T:
    """The value, which must be of this kind."""
    assert isinstance(value, kind), value
    return value


def present[T](value: T | None) -> T:
    """The value, which must be there."""
    assert value is not None
    return value


class Crash(BaseException):
    """The process dies: nothing catches it."""


@dataclass(slots=True)
class Fuse:
    """Lets the process die at its `at`-th call of a port: before the call, or after it and before its answer.

    Once dead, every further call dies too: no `finally` has any effect, as in a killed process.
    """

    at: int = 0
    after: bool = False
    calls: int = 0

    def wrap(self, port: Any, _name: str = "") -> Any:
        return _Fused(port, self)

    def call(self, method: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.calls += 1
        if self.at and (self.calls > self.at or (self.calls == self.at and not self.after)):
            raise Crash
        try:
            answer = method(*args, **more)
        except Crash:
            self.at = self.calls
            raise
        if self.calls == self.at:
            raise Crash
        return self.wrap(answer) if hasattr(answer, "write") else answer


class _Fused:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return lambda *args, **more: self._fuse.call(method, *args, **more)


@dataclass(slots=True)
class World(MemoryAdapters):
    """The adapters in memory, with the seed's grants accepted and audited."""

    accepted: CompiledSpec = ACCEPTED
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    find: FindingsSearch = _FIND
    budget: Budget = field(default_factory=Budget)
    to_audit: list[AuditAccess] = field(default_factory=list)

    def __post_init__(self) -> None:
        MemoryAdapters.__post_init__(self)
        version = self.accepted.version
        self.specs = MemorySpecs(SpecVersion(version, b""), compiled=self.accepted)
        self.specs.accepted_at = self.clock.now() - timedelta(days=1)
        self.specs.base = self.specs.keep(self.accepted), self.specs.keep_text(b""), version
        self.log.record(HistoryEntry(HistoryKind.SPEC_ACCEPTED, self.clock.now(), version, None, "the first"))
        self.audits.keep(AuditRecord(self.clock.now(), version, {}, audited_at=self.clock.now()))

    def through(self, wrap: Callable[[Any, str], Any]) -> "World":
        """The same world, but each adapter with its name through `wrap`."""
        wrapped = copy(self)
        for one in fields(World):
            if one.name not in _NO_ADAPTERS:
                setattr(wrapped, one.name, wrap(getattr(self, one.name), one.name))
        return wrapped

    def do(self, job: Job, attempt: Attempt = FIRST_AND_LAST) -> str:
        """A job is done, by the function of its queue."""
        return _WORK[job.queue](self.adapters, job, attempt)

    def reconcile(self, fuse: Fuse | None = None) -> Reconcile:
        return repair.reconcile(self.through(fuse.wrap).adapters if fuse else self.adapters)

    def event(self, actor: Actor | None = MALLORY) -> Cause:
        return Cause(CauseKind.EVENT, f"e{next(self.ids)}", actor=actor)

    def run(
        self,
        target: Target,
        *,
        actor: Actor | None = MALLORY,
        attempt: Attempt = FIRST_AND_LAST,
        fuse: Fuse | None = None,
    ) -> Result | None:
        """Reconcile a target because of an event; mallory caused it unless another actor is given."""
        return self.reconcile(fuse).reconcile(ReconcileTarget(self.event(actor), target), attempt)

    @property
    def survey(self) -> Survey:
        return collect.survey(self.adapters)

    def auditor(self, *, by: FindingsSearch | None = None, fuse: Fuse | None = None) -> Audit:
        made = audit.audit(self.through(fuse.wrap).adapters if fuse else self.adapters)
        return replace(made, find=by or self.find)

    def sweeper(self) -> Sweep:
        return replace(collect.sweep(self.adapters), budget=self.budget)

    def sweep(self, *, attempt: Attempt = FIRST_AND_LAST) -> tuple[Target, ...]:
        """Everything is compared, part after part; what differs waits as jobs, but audits in `to_audit`.

        Raises RetryLater after all parts.
        """
        sweep = self.sweeper()
        due: list[Target] = []
        later: list[RetryLater] = []
        before = len(self.jobs.sent)
        for part in sweep.sweep(SweepAll(Cause(CauseKind.SWEEP, f"s{next(self.ids)}"))):
            assert self.jobs.sent.pop(before) == part
            if isinstance(part, AuditAccess):
                self.to_audit.append(part)
                continue
            assert isinstance(part, SweepIdentities | SweepRepositories)
            try:
                found = sweep.sweep(part, attempt)
            except RetryLater as error:
                later.append(error)
            else:
                due += [job.target for job in found if isinstance(job, ReconcileTarget)]
            # What differs goes behind the parts that wait.
            sent = self.jobs.sent[before:]
            self.to_audit += [job for job in sent if isinstance(job, AuditAccess) and job.part]
            found_now = [job for job in sent if isinstance(job, ReconcileTarget)]
            waiting = [job for job in sent if job not in found_now and job not in self.to_audit]
            self.jobs.sent[before:] = [*waiting, *found_now]
        if later:
            raise later[0]
        return tuple(due)

    def drain(self, at_most: int = 50) -> None:
        """Do the jobs that wait, and those that these make."""
        for _ in range(at_most):
            waiting, self.jobs.sent[:] = list(self.jobs.sent), []
            if not waiting:
                return
            for job in waiting:
                self.do(job)
        raise AssertionError("the jobs never end")

    def tick(self) -> str:
        """The schedule's time has come, and the clock is followed."""
        return self.do(FollowClock(Cause(CauseKind.SWEEP, f"t{next(self.ids)}")))

    def put(self, address: Address, value: LiveValue | Unparseable) -> None:
        """Somebody else writes."""
        if isinstance(value, Unparseable):
            self.documents.live[address] = value
        else:
            self.documents.put(address, value)

    def recover(self) -> None:
        """No call fails any more."""
        self.documents.faults = lambda _target, _change: None

    def forget(self) -> None:
        """Start counting anew: writes, reads, announcements, jobs."""
        self.documents.writes.clear()
        self.documents.reads = 0
        self.alerts.published.clear()
        self.jobs.sent.clear()

    @property
    def writes(self) -> list[Change]:
        return self.documents.writes

    @property
    def written(self) -> list[str]:
        """Each write as `update trust-policy`."""
        return [_named(change) for change in self.writes]

    @property
    def announced(self) -> list[RunEnded]:
        return [alert for alert in self.alerts.published if isinstance(alert, RunEnded)]

    @property
    def reports(self) -> list[RunReport]:
        """Those of the runs that were announced, as the journal has them."""
        return [self.state.closed[run.target.key, run.run_id] for run in self.announced]

    def live(self, address: Address) -> object:
        found = self.documents.live.get(address)
        return None if found is None or isinstance(found, Unparseable) else found.value

    @property
    def values(self) -> dict[Address, LiveValue]:
        """Whatever is there and can be parsed."""
        return {address: seen.value for address, seen in self.documents.live.items() if isinstance(seen, Present)}

    def differing(self) -> list[str]:
        """What is not exactly as the spec says."""
        wanted = {
            address: value
            for spec in self.specs.compiled.targets.values()  # type: ignore[union-attr]
            for address, value in spec.documents.items()
            if not isinstance(value, MustNotExist)
        }
        here = {address: self.live(address) for address in self.documents.live}
        return sorted(
            str(address) for address in wanted.keys() | here.keys() if wanted.get(address) != here.get(address)
        )


def _named(change: Change) -> str:
    name = f" {change.address.name.rpartition('/')[2]}" if change.address.name else ""
    return f"{change.operation} {change.address.kind}{name}"


def bare_world(accepted: CompiledSpec = ACCEPTED) -> World:
    """Users and the repository exist; no role, no policy."""
    world = World(accepted=accepted)
    for spec in accepted.targets.values():
        if not spec.target.key.startswith("role/"):
            world.documents.make(spec.target)
    return world


def world_in_sync(accepted: CompiledSpec = ACCEPTED) -> World:
    """Everything is as the spec says, and was looked at once."""
    world = bare_world(accepted)
    for spec in accepted.targets.values():
        for address, value in spec.documents.items():
            if not isinstance(value, MustNotExist):
                world.put(address, value)
        if spec.target.key.startswith("role/"):
            world.documents.tagged.add(spec.target)
        assert world.run(spec.target, actor=None) is Result.IN_SYNC
    assert not world.differing()
    world.forget()
    return world


def tampered() -> World:
    """Mallory opened the repository to everybody and the role to herself."""
    world = world_in_sync()
    world.put(D1, OPEN)
    world.put(D2, MORE_TRUST)
    return world


def failing(world: World, error: PortError, *, of: Callable[[Change], bool] = lambda _: True, times: int = 99) -> None:
    """AWS refuses the first `times` writes that `of` picks."""
    left = [times]

    def fault(_: Target, change: Change | None) -> None:
        if change is not None and of(change) and left[0]:
            left[0] -= 1
            raise error

    world.documents.faults = fault


def unreadable(world: World, error: PortError) -> None:
    def fault(_: Target, change: Change | None) -> None:
        if change is None:
            raise error

    world.documents.faults = fault


def write_session(name: str, target: Target, identity: str = "") -> Actor:
    account = target.account
    return Actor(
        "AssumedRole",
        arn=f"arn:aws:sts::{account}:assumed-role/ecr-warden-write/{name}",
        account=account,
        issuer=f"arn:aws:iam::{account}:role/ecr-warden/ecr-warden-write",
        session_name=name,
        source_identity=identity,
    )


def runs_of(world: World, target: Target) -> tuple[RunEntry, ...]:
    """The target's runs of the last day, newest first, as the journal has them."""
    now = world.clock.now()
    return tuple(world.journal.of_target(target, now - timedelta(days=1), now, limit=9).entries)
