"""What the use cases need from outside, as protocols; adapters/ fulfils them, tests fake them.

Errors are part of a port: an adapter translates what its service says into these, in one table a service.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ecr_warden.errors import WardenError
from ecr_warden.model.desired import CompiledSpec, Departed, RepositoryPattern, TargetSpec
from ecr_warden.model.drift import EXPLICITLY_DENIED
from ecr_warden.model.job import Actor, Job
from ecr_warden.model.observed import Observation
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.pause import Pause
from ecr_warden.model.plan import Change, Plan
from ecr_warden.model.run import Debts, LastLook, OpenRun, RunEntry
from ecr_warden.model.target import RepositoryTarget, Target

if TYPE_CHECKING:  # most events tell nobody and were asked for by nobody
    from ecr_warden.model.alert import Alert, Message
    from ecr_warden.model.request import Answer, Call


class PortError(WardenError):
    """Something outside refused or failed. `retryable`: the same call may succeed within a minute."""

    code = "outside"

    def __init__(self, message: str, *, remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.retryable = retryable


class AccountUnreachable(PortError):
    """The account's role could not be assumed."""

    code = "account-unreachable"


class PermissionMissing(PortError):
    """AWS denied the call; the message names the action and who has to allow it."""

    code = "permission-missing"


class ExplicitlyDenied(PortError):
    """A policy in the account denies ecr-warden the call in so many words: somebody keeps it out."""

    code = EXPLICITLY_DENIED


class Throttled(PortError):
    """AWS asked to slow down."""

    code = "throttled"


class DocumentConflict(PortError):
    """Another document than the expected one stands there; nothing was written."""

    code = "conflict"


class OwnerNotFound(PortError):
    """The repository, role or user does not exist."""

    code = "owner-not-found"


class PrincipalNotFound(PortError):
    """A principal named in the document does not exist, or AWS does not see it yet (up to a minute)."""

    code = "principal-not-found"


class QuotaExceeded(PortError):
    """The document does not fit."""

    code = "quota-exceeded"


class Refused(PortError):
    """AWS refused the write for good."""

    code = "refused"


class SpecUnusable(PortError):
    """What stands in the bucket cannot be read as a spec. `seen` tells it from what stood there before."""

    @property
    def seen(self) -> str:
        return self.code


class SpecMissing(SpecUnusable):
    """There is no spec in the bucket: never written, deleted, or under another key."""

    code = "spec-missing"


class SpecUnversioned(SpecUnusable):
    """The bucket keeps no versions, so that nothing tells one spec from the next."""

    code = "spec-unversioned"


class SpecTooLarge(SpecUnusable):
    """The object is larger than any spec may be; it was not read."""

    code = "spec-too-large"

    def __init__(self, message: str, *, version: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.version = version

    @property
    def seen(self) -> str:
        return self.version


class SpecTampered(PortError):
    """The accepted spec in its compiled form is not the one that was accepted: somebody wrote what everything is by."""

    code = "spec-tampered"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} is not what was stored there when the spec was accepted",
            remedy="nothing is written until it is: docs/security.md says how to have it compiled again",
        )
        self.place = place


class CompiledUnusable(PortError):
    """The compiled form of the accepted version is gone, or of another version of ecr-warden.

    `departed`: what of it could be read of those that have to lose what they held.
    """

    code = "compiled-unusable"

    def __init__(self, why: str, *, version: str, departed: tuple[Departed, ...] = ()) -> None:
        super().__init__(
            f"version {version} of the spec is accepted, and its compiled form cannot be used: {why}",
            remedy="the next job or sweep compiles it again; if it stays, upload the file again",
        )
        self.version = version
        self.departed = departed


class SpecSuperseded(PortError):
    """Another version was accepted in between."""

    code = "spec-superseded"


class LeaseHeld(PortError):
    """Another run works on the target."""

    code = "lease-held"


class CallerUnproved(PortError):
    """Who asked is not known, so nothing was done."""

    code = "caller-unproved"


class CallRepeated(PortError):
    """A command with this id was taken before."""

    code = "call-repeated"


class NotifyError(PortError):
    """A message did not reach a channel."""

    code = "notify"


class ChannelsError(NotifyError):
    """Some channels did not get the message; `failed` has their names, all others have got it."""

    def __init__(self, errors: Mapping[str, PortError]) -> None:
        super().__init__(
            "not delivered to " + "; ".join(f"{name}: {error}" for name, error in errors.items()),
            retryable=any(error.retryable for error in errors.values()),
        )
        self.failed = tuple(errors)


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Writer(Protocol):
    """A write session in one account, good for one plan."""

    def write(self, change: Change) -> None:
        """Write one change after reading its address once more.

        Raises DocumentConflict when another document than `change.expect` stands there, else another PortError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """Repositories that exist and fit one of the patterns asked for, and the patterns that could not be asked."""

    repositories: tuple[RepositoryTarget, ...] = ()
    unread: tuple[tuple[RepositoryPattern, PortError], ...] = ()


class Documents(Protocol):
    """The live documents of the accounts."""

    def read(self, spec: TargetSpec) -> Observation:
        """Read a target now; what cannot be read is Unreadable in the observation, nothing is raised."""
        ...

    def scan(self, specs: Sequence[TargetSpec], *, accounts: Sequence[str]) -> Iterator[Observation]:
        """Read many targets with the fewest calls, in any order; each spec yields one observation.

        Besides, every owner in `accounts` that no spec is for and that holds something under our names.
        """
        ...

    def list_repositories(self, patterns: Sequence[RepositoryPattern]) -> Listing:
        """Which repositories fit; what cannot be read is told in the listing, nothing is raised."""
        ...

    def writer(self, plan: Plan, run_id: str) -> Writer:
        """Open a write session that can do exactly this plan; raises PortError."""
        ...


@dataclass(frozen=True, slots=True)
class SpecVersion:
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


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a target until `expires_at`; a later holder has a higher `fence`.

    `recreated`: the principals that were marked when it was taken. Only these can its runs settle: one that is marked
    meanwhile was not seen by their plans.
    """

    target: Target
    run_id: str
    fence: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRecord:
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
    last: LastLook | None = field(default=None, compare=False)


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


class Calls(Protocol):
    """What people asked for through the hub, who they were, and what came of it."""

    def take(self, call: "Call") -> None:
        """Record a command before anything is done about it; raises CallRepeated if its id was taken before."""
        ...

    def answer(self, call_id: str, answer: "Answer") -> None:
        """Record how the run of one of its targets ended, in the place of an earlier answer."""
        ...

    def answers(self, call_id: str) -> "Sequence[Answer]":
        """The answers so far, one a target."""
        ...


class Callers(Protocol):
    """Who asks."""

    def prove(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that signed exactly this request for this hub, not long ago; raises CallerUnproved."""
        ...


class Jobs(Protocol):
    """The jobs queue."""

    def enqueue(self, jobs: Iterable[Job]) -> None:
        """Send jobs in order; a job whose cause and target were sent within 5 minutes is dropped by the queue."""
        ...


class Outcomes(Protocol):
    """Where runs and spec versions are announced; anybody may subscribe."""

    def publish(self, alert: "Alert") -> None:
        """Announce it; raises PortError."""
        ...


STOPPED = "writes are stopped by the switch"


class Switch(Protocol):
    """The stop switch for all writes."""

    def reason_to_stop(self) -> str | None:
        """Why nothing may be written, None while writes go on: STOPPED, or that the switch cannot be read.

        Asked afresh before each write.
        """
        ...


class Incidents(Protocol):
    """Where alerts with one cause are gathered until they go out as one message."""

    def add(self, key: str, alert: "Alert", *, seconds: int) -> None:
        """Keep an alert; whoever opens the incident also has it flushed after `seconds`."""
        ...

    def take(self, key: str) -> "tuple[Alert, ...]":
        """Close the incident to further alerts and return those gathered, oldest first; they are kept until dropped."""
        ...

    def drop(self, key: str, alerts: "Sequence[Alert]") -> None:
        """Forget alerts that people have been told."""
        ...


class Notifier(Protocol):
    """A channel to people."""

    def notify(self, message: "Message") -> None:
        """Deliver it; raises NotifyError."""
        ...


class Channels(Protocol):
    """All channels to people."""

    def notify(self, message: "Message", *, only: str | None = None) -> None:
        """Deliver it to each channel, or to one of them; raises ChannelsError."""
        ...
