"""What the hub stores: the spec, what it remembers of targets, the journal of runs, sweeps and the audit log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.fight import Repairs
from ecr_warden.model.observed import Observation
from ecr_warden.model.pause import PatternPause, Pause
from ecr_warden.model.run import Debts, LastSeen, OpenRun, RunEntry, RunReport
from ecr_warden.model.sessions import TrustLook
from ecr_warden.model.target import Target

if TYPE_CHECKING:  # not needed by a run that an event caused
    from ecr_warden.model.hold import Decision, Hold, Judged, Publication, Rejection
    from ecr_warden.model.request import AuditEntry, AuditKind
    from ecr_warden.model.switch import SwitchSeen
    from ecr_warden.model.watch import Heartbeat, SweepRecord, WatchRecord


class SpecVersion(Struct, frozen=True):
    """One version of the spec, as uploaded."""

    version: str
    data: bytes


class Standing(Struct, frozen=True):
    """The digests of the compiled forms of the accepted version and of the baseline; empty for none."""

    accepted: str = ""
    baseline: str = ""


class KeptBaseline(Struct, frozen=True):
    """The last version that a person accepted; `compiled` is None if another ecr-warden wrote its compiled form."""

    version: str
    text: bytes
    compiled: CompiledSpec | None


class Specs(Protocol):
    """The spec's versions, which of them is accepted, and which one a person accepted last: the baseline."""

    def current(self) -> SpecVersion:
        """The bucket's current version; raises a kind of SpecUnusable."""
        ...

    def text(self, version: str) -> bytes:
        """A version as it was uploaded; raises SpecMissing once it is no longer kept."""
        ...

    def accepted(self) -> CompiledSpec | None:
        """The accepted version, compiled; None before the first. Raises CompiledUnusable or another PortError."""
        ...

    def standing(self) -> Standing:
        """What is accepted, as it is now."""
        ...

    def accept(self, spec: CompiledSpec, *, over: Standing, text: bytes | None = None) -> None:
        """Accept a version in place of what stands; raises SpecSuperseded if that is not `over` any more.

        `text`: of a version that a person accepts, which becomes the baseline.
        """
        ...

    def baseline(self) -> KeptBaseline | None:
        """The last version that a person accepted; None before the first. Raises BaselineLost or another PortError."""
        ...

    def keep(self, spec: CompiledSpec) -> str:
        """Keep a compiled form, and return its digest."""
        ...

    def kept(self, digest: str) -> CompiledSpec | None:
        """A compiled form that was kept; None if it is gone, not what was kept, or of another ecr-warden."""
        ...

    def keep_text(self, text: bytes) -> str:
        """Keep a text, and return its digest."""
        ...

    def kept_text(self, digest: str) -> bytes | None:
        """A text that was kept; None if it is gone, or not what was kept."""
        ...

    def refused(self) -> str | None:
        """The version refused last, so that it is announced once; empty once another is accepted."""
        ...

    def refuse(self, version: str) -> None:
        """Remember a version as refused."""
        ...

    def misplaced(self, key: str) -> str | None:
        """The version of an object under another key that was reported last; None if none was."""
        ...

    def note_misplaced(self, key: str, version: str) -> None:
        """Remember that this version of an object under another key was reported."""
        ...


LEFT_OPEN = timedelta(minutes=10)
"""How long after it began a run that nobody closed is looked at; longer than any run takes with its attempts."""


class Due(Struct, frozen=True):
    """A target whose time has come; `run`: the one that was opened and that nobody may have closed, "" if it waited."""

    target: Target
    run: str = ""


class Lease(Struct, frozen=True):
    """The right to work on a target until `expires_at`; each later holder has a higher `fencing_token`.

    `recreated`: the principals marked as recreated when the lease was taken. Its run settles only these, because its
    plan did not see any that are marked meanwhile.
    """

    target: Target
    run_id: str
    fencing_token: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()


class TargetRecord(Struct, frozen=True):
    """What is remembered of a target between runs.

    `open_run`: ID of a run that never closed. `unique_id`: AWS's ID of the identity, when last read. `reported`:
    fingerprint of the last reported problem while it lasts, so that a sweep does not report it again. `revoked`: the
    spec version that removed the target, once its documents are gone. `written_at`: when a run last wrote to it.
    `trust_look`: of the last run that read a role's trust policy in sync. `repairs`: of the documents that runs wrote
    lately. `pause`: the latest that named the target, ended or not. `last`: for people; nothing is decided by it.
    `events`: when somebody's calls that events reported were made, the last one of each name. `taken`: by the address
    as text, the version whose take-over was carried out there.
    """

    open_run: str | None = None
    debts: Debts = field(default_factory=Debts)
    unique_id: str | None = None
    reported: str | None = None
    revoked: str | None = None
    written_at: datetime | None = None
    trust_look: TrustLook | None = None
    repairs: tuple[Repairs, ...] = ()
    pause: Pause | None = None
    last: LastSeen | None = None
    events: Mapping[str, datetime] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)

    def was_recreated(self, observation: Observation) -> bool:
        """Whether the identity was recreated since it was last read; False if it was not read now."""
        return None not in (self.unique_id, observation.unique_id) and self.unique_id != observation.unique_id


class Learned(Struct, frozen=True, kw_only=True):
    """What a run learned of its target, for its TargetRecord; None leaves a value as it was, except `reported`.

    `report`: how the run ended, if it did.
    """

    reported: str | None
    unique_id: str | None = None
    revoked: str | None = None
    trust_look: TrustLook | None = None
    repairs: tuple[Repairs, ...] | None = None
    events: Mapping[str, datetime] | None = None
    taken: Mapping[str, str] | None = None
    report: RunReport | None = None


class State(Protocol):
    """What the hub remembers of targets: leases, last readings, and the journal of runs."""

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        """Take the target's lease; raises LeaseHeld."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether the run still holds the lease (asked before each write)."""
        ...

    def release(self, lease: Lease, learned: Learned) -> None:
        """Release the lease and remember what the run learned; does nothing if the lease was lost."""
        ...

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        """Journal a plan with its pre-images before its first write; raises LeaseHeld if the lease was lost.

        The target is due at LEFT_OPEN after the run began, should nobody close it: its job may be given up.
        """
        ...

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        """Journal how a run ended and what it left to do; a run without writes need not have been opened."""
        ...

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        """A run as journalled when it was opened; None if there is none."""
        ...

    def mark_recreated(self, target: Target, principal: str) -> None:
        """Remember that `principal` (an ARN in the target's documents) was recreated."""
        ...

    def pause(self, target: Target, pause: Pause) -> None:
        """Set a target's pause, replacing any other; a run in progress goes on."""
        ...

    def pause_patterns(self, paused: PatternPause) -> None:
        """Keep a pause of whatever patterns select, or of none, beside earlier ones, for as long as one can last."""
        ...

    def pattern_pauses(self) -> Sequence[PatternPause]:
        """The pauses of patterns that are kept and that this version can read, ended or not, in any order."""
        ...

    def wait(self, target: Target, until: datetime) -> None:
        """Have the target among those that are due at a time."""
        ...

    def due(self, since: datetime, until: datetime) -> Sequence[Due]:
        """What has come due after `since` and by `until`, each once; a bounded number, the first ones."""
        ...

    def note_reported(self, target: Target, reported: str | None) -> None:
        """Remember what was reported about something that has no runs, such as a pattern of repositories."""
        ...

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        """The records by target key, of those targets that have had a run."""
        ...


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
        ...

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        """The runs of all targets that began in the period."""
        ...

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        """A run in full; None if it is unknown or expired."""
        ...


class SweepRecords(Protocol):
    """When and how each part was last swept; a sweep notes a part once it has read all of it."""

    def note(self, record: "SweepRecord") -> None:
        """Store a record, replacing the part's last one."""
        ...

    def take(self, sweep: str, wanted: int, at_most: int) -> int:
        """How many of the wanted repairs a sweep may still ask for; all its parts together may for `at_most`."""
        ...

    def of(self, part: str) -> "SweepRecord | None":
        """The last record of a part; None if there is none, or this version cannot read it."""
        ...

    def all(self) -> "Sequence[SweepRecord]":
        """The last record of each part, in any order."""
        ...


class Holds(Protocol):
    """What waits for a person, and what people decided; kept as long as the journal."""

    def open(self, hold: "Hold") -> None:
        """Keep a hold that waits, in place of an earlier one with its ID; that one's decision is no longer found."""
        ...

    def find(self, hold_id: str) -> "Hold | None":
        """A hold with its decision; None if there is none, or this version cannot read it."""
        ...

    def waiting(self) -> "Sequence[Hold]":
        """The holds that were opened and not settled, in any order, each with its decision."""
        ...

    def last_of(self, version: str) -> "Hold | None":
        """The hold on a version of the spec that was opened last."""
        ...

    def decide(self, hold: "Hold", decision: "Decision") -> None:
        """Record the only decision on a hold; raises HoldDecided if there is one."""
        ...

    def settle(self, hold: "Hold") -> bool:
        """Keep what became of a hold, by its state; False, and nothing is kept, if it waits no more as read."""
        ...

    def publish(self, publication: "Publication") -> None:
        """Remember who published a version; the first who did counts."""
        ...

    def publication(self, version: str) -> "Publication | None":
        """Who published a version; None if nobody did, or this version of ecr-warden cannot read it."""
        ...

    def reject(self, rejection: "Rejection") -> None:
        """Keep a rejection for ever, in place of an earlier one of the same digest."""
        ...

    def rejections(self) -> "Sequence[Rejection]":
        """Every rejection that was not forgotten."""
        ...

    def lift(self, rejection: "Rejection", decision: "Decision") -> None:
        """Record that a person lifts a rejection; the first who does counts."""
        ...

    def lifted(self, rejection: "Rejection") -> "Decision | None":
        """Who lifted a rejection; None if nobody did."""
        ...

    def forget(self, rejection: "Rejection") -> None:
        """Forget a rejection that was lifted."""
        ...


class Verdicts(Protocol):
    """What was read for the verdict on a hold's ground, and the verdict."""

    def note(self, hold: "Hold", part: str, why: str) -> None:
        """Note that a part was read since the hold was opened, or why not; `why` is empty if it was."""
        ...

    def notes(self, hold: "Hold") -> Mapping[str, str]:
        """What was noted, by part."""
        ...

    def keep(self, judged: "Judged") -> None:
        """Keep a verdict, in place of an earlier one."""
        ...

    def find(self, hold: "Hold") -> "Judged | None":
        """The verdict since the hold was opened; None if there is none, or this version cannot read it."""
        ...


class Last[T](Protocol):
    """Where the last value of a kind is kept: the last proof, the last report."""

    def last(self) -> T | None:
        """It; None before the first, and for one that this version cannot read. Raises PortError."""
        ...

    def keep(self, value: T) -> None:
        """Replace it; raises PortError."""
        ...


class SwitchRecord(Protocol):
    """What was announced of the stop switch."""

    def last(self) -> "SwitchSeen | None":
        """The last announcement; None before the first."""
        ...

    def note(self, seen: "SwitchSeen") -> None:
        """Remember an announcement, replacing the last one."""
        ...


class WatchRecords(Protocol):
    """What the last sweeps found of the wiring, and the last heartbeat of each region."""

    def note(self, record: "WatchRecord") -> None:
        """Store a record, replacing the part's last one."""
        ...

    def all(self) -> "Mapping[str, WatchRecord]":
        """The last record of each part; one that this version cannot read is left out."""
        ...

    def beat(self, heartbeat: "Heartbeat") -> None:
        """Store a heartbeat, unless a later one of its region is stored."""
        ...

    def beats(self) -> "Mapping[str, Heartbeat]":
        """The last heartbeat of each region, by part."""
        ...


class Audit(Protocol):
    """The audit log of specs, commands and pauses; the stop switch keeps its own history."""

    def record(self, entry: "AuditEntry") -> None:
        """Keep an entry as long as the journal; recording it twice keeps one."""
        ...

    def entries(
        self, since: datetime, until: datetime, kinds: "Collection[AuditKind] | None" = None
    ) -> "Iterator[AuditEntry]":
        """The entries of these kinds (None: all) from `since` to `until`, newest first, read lazily."""
        ...
