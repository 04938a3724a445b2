"""What the hub stores: the spec, what it remembers of targets, the journal of runs, sweeps and the audit log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.observed import Observation
from ecr_warden.model.run import Debts, LastSeen, OpenRun, Pause, RunEntry, RunReport
from ecr_warden.model.target import Target

if TYPE_CHECKING:  # of no use to the run that an event causes
    from ecr_warden.model.request import AuditEntry, AuditKind
    from ecr_warden.model.watch import SweepRecord


class SpecVersion(Struct, frozen=True):
    """One version of the desired-state file, as it stands in the bucket."""

    version: str
    data: bytes


class Specs(Protocol):
    """The desired-state file and the version of it that is accepted."""

    def current(self) -> SpecVersion:
        """The bucket's current version; raises SpecUnusable, of one of its kinds."""
        ...

    def text(self, version: str) -> bytes:
        """A version of the file as it was written; raises SpecMissing once it is kept no longer."""
        ...

    def accepted(self) -> CompiledSpec | None:
        """The accepted version, compiled; None before the first. Raises CompiledUnusable, else another PortError."""
        ...

    def accept(self, spec: CompiledSpec, *, replaces: str | None) -> None:
        """Make a version the accepted one; raises SpecSuperseded if `replaces` no longer is.

        A version may replace itself: then it was compiled again.
        """
        ...

    def refused(self) -> str | None:
        """The version refused last, so that it is announced once; empty when none stands any more."""
        ...

    def refuse(self, version: str) -> None:
        """Remember a version as refused."""
        ...

    def misplaced(self, key: str) -> str | None:
        """What of a file under another key people were told last; None if it was never."""
        ...

    def tell_misplaced(self, key: str, version: str) -> None:
        """Remember that people were told of a file under another key."""
        ...


class Lease(Struct, frozen=True):
    """The right to work on a target until `expires_at`; a later holder has a higher `fence`.

    `recreated`: the principals that were marked when it was taken. Only these can its runs settle: one that is marked
    meanwhile was not seen by their plans.
    """

    target: Target
    run_id: str
    fence: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()


class TargetRecord(Struct, frozen=True):
    """What is remembered of a target between runs.

    `open_run`: id of a run that never closed. `unique_id`: the owner's own, when last seen. `reported`: fingerprint of
    what people were last told and that still stands, so that a sweep does not tell it again. `revoked`: the spec
    version that took the target away, once what it held is gone. `written_at`: when a run last wrote to it. `pause`:
    the one set last, whether it has ended or not. `last`: for people, and no part of what decides.
    """

    open_run: str | None = None
    debts: Debts = field(default_factory=Debts)
    unique_id: str | None = None
    reported: str | None = None
    revoked: str | None = None
    written_at: datetime | None = None
    pause: Pause | None = None
    last: LastSeen | None = None

    def was_recreated(self, observation: Observation) -> bool:
        """Whether the owner was deleted and made again since it was last seen; False of what was not read."""
        return None not in (self.unique_id, observation.unique_id) and self.unique_id != observation.unique_id


class State(Protocol):
    """The memory of the hub: leases, what was last seen, and the journal of runs."""

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        """Take the target's lease; raises LeaseHeld."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still this run's (asked just before each write)."""
        ...

    def release(
        self,
        lease: Lease,
        observation: Observation | None,
        *,
        reported: str | None,
        revoked: str | None = None,
        report: RunReport | None = None,
    ) -> None:
        """Give the lease back and remember what was last seen and told; a lost lease changes nothing.

        `revoked` is remembered when it is given. `report`: how the run ended, if it did.
        """
        ...

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        """Journal a plan with its pre-images before its first write; raises LeaseHeld if the lease was lost."""
        ...

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        """Journal how a run ended and what it leaves to do; a run that wrote nothing need not have been opened."""
        ...

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        """A run as it was journalled when it was opened, None if there never was one."""
        ...

    def mark_recreated(self, target: Target, principal: str) -> None:
        """Remember that `principal` (an ARN in the target's documents) was deleted and made again."""
        ...

    def pause(self, target: Target, pause: Pause) -> None:
        """Set a target's pause in the place of any other; a run that is under way goes on."""
        ...

    def resume(self, target: Target) -> None:
        """End a target's pause, if there is one."""
        ...

    def note_reported(self, target: Target, reported: str | None) -> None:
        """Remember what people were told of something that no run works on, such as a pattern of repositories."""
        ...

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        """What is remembered of targets, by the target's key, for those that a run has looked at."""
        ...


class Page(Struct, frozen=True):
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


class SweepRecords(Protocol):
    """The last look of each part; a sweep notes each part that it has read as a whole, with one write."""

    def note(self, look: "SweepRecord") -> None:
        """Remember a look in the place of the part's last one."""
        ...

    def all(self) -> "Sequence[SweepRecord]":
        """The last look at each part, in any order."""
        ...


class Audit(Protocol):
    """What was done to ecr-warden as a whole, but for the stop switch, which keeps its own history."""

    def record(self, entry: "AuditEntry") -> None:
        """Keep an entry as long as the journal; the same one twice is one."""
        ...

    def entries(
        self, since: datetime, until: datetime, kinds: "Collection[AuditKind] | None" = None
    ) -> "Iterator[AuditEntry]":
        """The entries of these kinds (None: all) from `since` to `until`, newest first, read lazily."""
        ...
