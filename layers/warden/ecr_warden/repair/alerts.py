"""Alerts about runs, fights, pauses, the stop switch, the ends of grants, and calls that repair nothing."""

from enum import StrEnum

from ecr_warden.core.address import Address
from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Job, Queue
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.lasting import Opened
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import Target
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.state.fight import Fight


class Difference(Value, frozen=True, omit_defaults=True):
    """An address at which a live document differed from the spec's, in words."""

    address: Address
    kind: DriftKind
    explain: str
    access: tuple[str, ...] = ()
    """A sentence for whatever the live document gave or lacked, the gravest first."""
    left_out: Count = 0
    """How many more there are."""
    same_access: bool = False
    """Only the wording differed."""
    code: str = ""
    """Of the error because of which it could not be read."""


class OutcomeKind(StrEnum):
    """What became of a change: as the classes of core/run.py, which hold the change itself."""

    APPLIED = "applied"
    NARROWED = "narrowed"  # applied, and what the document lacks is held
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    FAILED = "failed"


class DoneChange(Value, frozen=True, omit_defaults=True):
    """A change of a run's plan, and what became of it."""

    operation: Operation
    address: Address
    outcome: OutcomeKind
    why: str = ""
    """Why it was planned."""
    sessions: str = ""
    """Those that it denies."""
    explain: str = ""
    """Why it was skipped or failed; `code` and `remedy` of a failure."""
    code: str = ""
    remedy: str = ""


class Unrepaired(Value, frozen=True):
    """A difference that the plan left, and why."""

    address: Address
    reason: HoldReason
    explain: str


class RunEnded(Alert, frozen=True, tag="run"):
    """A run of a target found something, or failed. The journal has the whole of it: every document and permission.

    The other fields are those of RunReport.
    """

    run_id: str
    target: Target
    spec_version: str
    result: Result
    severity: Severity
    """Of all that the run saw."""
    differences: tuple[Difference, ...]
    """Those that let in outsiders first."""
    changes: tuple[DoneChange, ...]
    held: tuple[Unrepaired, ...]
    started_at: Moment
    finished_at: Moment
    attempt: Count = 1
    intruder: bool = False
    contested: Count = 0
    again: bool = False
    of_fight: bool = False
    of_version: bool = False
    opened: Opened = Opened()
    goes_on: Moment | None = None
    ending: str = ""
    """The command that ends the sessions that go on."""
    effect: str = ""
    """The gravest that somebody could do or not do, in words, empty if that is not known."""
    more_effects: Count = 0
    """How many more there are."""
    lets_in: bool = False
    """Somebody got in who is not ours, or nothing shows that nobody did."""

    @property
    def applied(self) -> tuple[Address, ...]:
        """Where something was written."""
        applied = (OutcomeKind.APPLIED, OutcomeKind.NARROWED)
        return tuple(change.address for change in self.changes if change.outcome in applied)


class EndMoment(StrEnum):
    """The times at which people hear of the end of a grant."""

    WEEK = "week"
    DAY = "day"
    ENDED = "ended"


class GrantsEnd(Alert, frozen=True, tag="grants-end"):
    """Grants of the accepted spec end in a week or in a day, or have ended."""

    moment: EndMoment
    version: str
    grants: tuple[str, ...]
    """Each in words, with its end."""
    left_out: Count = 0


class TargetsPaused(Alert, frozen=True, tag="paused"):
    """A command paused `targets`, given by their keys, and new ones that match `patterns`."""

    targets: tuple[str, ...]
    reason: str
    until: Moment
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class TargetsResumed(Alert, frozen=True, tag="resumed"):
    """A command ended the pauses of `targets`, given by their keys, and of new ones that match `patterns`."""

    targets: tuple[str, ...]
    left_out: Count = 0
    patterns: tuple[str, ...] = ()


class ChannelsTested(Alert, frozen=True, tag="channels-tested"):
    """Somebody tries the channels: nothing is wrong."""


class PauseEnded(Alert, frozen=True, tag="pause-ended"):
    """A pause has ended."""

    targets: tuple[str, ...]
    """The keys of those that it still held."""
    reason: str
    until: Moment
    left_out: Count = 0
    patterns: tuple[str, ...] = ()
    """The patterns that it paused."""


class WritesSwitched(Alert, frozen=True, tag="writes-switched"):
    """The stop switch was changed, or has stopped all writes for another day."""

    stopped: str
    """Why nothing is written, "" if writes are on."""
    since: Moment | None = None
    """When the last announcement was, if this one only repeats it."""


COMPILED_SPEC = "compiled spec"


class OwnChanged(Alert, frozen=True, tag="own-changed"):
    """One of ecr-warden's own resources was changed."""

    account: str
    """Empty in the hub."""
    thing: str
    """`role ecr-warden-read`."""


class HarmfulCall(Alert, frozen=True, tag="harmful-call"):
    """A call that changes no document: on a user's credential, on how long images last, on another role's sessions.

    `target`, `account`, `region`: as of the job (ReportCall).
    """

    target: Target | None
    account: str = ""
    region: str = ""


class JobFailed(Alert, frozen=True, tag="job-failed"):
    """A job failed on its last attempt; the cause is unknown, because its process may have been killed."""

    job: Job | None
    """None if it cannot be parsed, for the reason in `error`."""
    error: str = ""
    queue: Queue = Queue.REPAIR
    """Where it waited."""


class FightMoment(StrEnum):
    """What people hear of a fight."""

    BEGAN = "began"
    ENDED = "ended"


class FightNoticed(Alert, frozen=True, tag="fight"):
    """Somebody keeps restoring a version of a document, or has stopped doing so."""

    moment: FightMoment
    fight: Fight
    sides: tuple[Difference, ...] = ()
    """What that version gives beyond the spec's and what it lacks; one where these cannot be told apart, none at the
    end."""
    run_id: str = ""
    severity: Severity = Severity.INFO
    """Of the repair by which it was noticed."""
