"""Requests to the deployed hub: questions, which only read, and commands; and the audit log.

A selection is a list of texts: a target, a repository name or a pattern of such names (`shop/*`), or `all`. A command
names its targets one by one, so that what is signed, recorded and announced is exact.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from ecr_warden.model.hold import HoldId
from ecr_warden.model.job import Actor
from ecr_warden.model.run import Result
from ecr_warden.model.selection import EVERYTHING
from ecr_warden.model.target import Target
from ecr_warden.model.value import Count, Moment, Value

MAX_TARGETS = 2000
MAX_REASON_LENGTH = 200
MAX_ENTRIES, MAX_HISTORIES = 100, 20
MAX_SELECTION_LENGTH = 400
MAX_PATTERNS = 20
type Selection = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=MAX_SELECTION_LENGTH)], ...],
    Meta(min_length=1, max_length=MAX_TARGETS),
]
type Targets = Annotated[tuple[Target, ...], Meta(min_length=1, max_length=MAX_TARGETS)]
type RequestId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9-]{8,64}\Z")]


class _Request(Value, frozen=True, tag_field="action", omit_defaults=False):
    pass


class AskStatus(_Request, frozen=True, tag="status"):
    """Asks what the hub remembers of targets; no account is read."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskPlan(_Request, frozen=True, tag="plan"):
    """Asks how the accounts differ from the accepted spec now, and what would be written."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskVerify(_Request, frozen=True, tag="verify"):
    """Asks whether each target is in sync now."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskGrants(_Request, frozen=True, tag="grants"):
    """Asks whom the accepted spec gives access."""


class AskHistory(_Request, frozen=True, tag="history"):
    """Asks what happened to some targets, or to all if none is named; newest first.

    `since`, `until`: None for no limit; the journal is kept for a year. `runs`: whether runs are asked for beside the
    audit log; over a year each of its days costs a query.
    """

    targets: Annotated[tuple[Target, ...], Meta(max_length=MAX_HISTORIES)] = ()
    limit: Annotated[int, Meta(ge=1, le=MAX_ENTRIES)] = 20
    since: Moment | None = None
    until: Moment | None = None
    runs: bool = True


class AskRun(_Request, frozen=True, tag="run"):
    """Asks for one run in full."""

    run_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]{1,64}\Z")]


class AskCall(_Request, frozen=True, tag="call"):
    """Asks for the results of a command so far."""

    call_id: RequestId = field(name="id")


class AskEstate(_Request, frozen=True, tag="estate"):
    """Asks for a kept piece of the estate by its part (model.watch); without one, which parts there are."""

    part: Annotated[str, Meta(pattern=r"\A([0-9]{12}(/[a-z0-9-]{1,32})?)?\Z")] = ""


class AskHeld(_Request, frozen=True, tag="held"):
    """Asks for what waits for a person; with an ID, for what became of that hold."""

    hold_id: Annotated[str, Meta(pattern=r"\A([0-9a-f]{12})?\Z")] = field(default="", name="hold")


class AskVersions(_Request, frozen=True, tag="versions"):
    """Asks for the texts of the baseline and of the accepted version."""


class AskReport(_Request, frozen=True, tag="report"):
    """Asks for the last report that was kept."""


type Question = (
    AskStatus
    | AskPlan
    | AskVerify
    | AskGrants
    | AskHistory
    | AskRun
    | AskCall
    | AskEstate
    | AskHeld
    | AskReport
    | AskVersions
)


class Apply(_Request, frozen=True, tag="apply"):
    """Reconcile targets now."""

    id: RequestId
    targets: Targets


type Patterns = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=MAX_SELECTION_LENGTH)], ...], Meta(max_length=MAX_PATTERNS)
]


class PauseUntil(_Request, frozen=True, tag="pause"):
    """Write nothing to targets until a time, nor to what comes to fit the patterns until then."""

    id: RequestId
    targets: Targets
    reason: str
    until: Moment
    patterns: Patterns = ()


class Resume(_Request, frozen=True, tag="resume"):
    """End pauses early, and reconcile the targets; end also the pauses of what comes to fit the patterns."""

    id: RequestId
    targets: Targets
    patterns: Patterns = ()


class Accept(_Request, frozen=True, tag="accept"):
    """Let what a hold is about take effect."""

    id: RequestId
    hold: HoldId


class Reject(_Request, frozen=True, tag="reject"):
    """Never let it."""

    id: RequestId
    hold: HoldId


class Lift(_Request, frozen=True, tag="lift"):
    """Have what was rejected as this hold be judged anew."""

    id: RequestId
    hold: HoldId


class Publish(_Request, frozen=True, tag="publish"):
    """Say that the caller uploaded a version of the spec; `digest`: the SHA-256 of what was uploaded."""

    id: RequestId
    version: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,1024}\Z")]
    digest: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


type Decide = Accept | Reject
type Command = Apply | PauseUntil | Resume | Decide | Lift | Publish


class Call(Struct, frozen=True):
    """A command as it is recorded. `caller`: the authenticated ARN; `text`: the request's."""

    id: str
    caller: str
    text: str
    at: datetime


class Answer(Value, frozen=True):
    """The result of a run that a command asked for; `done`: no retry follows."""

    target: str
    run_id: str
    result: Result
    done: bool


class AuditKind(StrEnum):
    """What happened."""

    SPEC_ACCEPTED = "spec-accepted"
    SPEC_REFUSED = "spec-refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    HELD = "held"
    HOLD_ENDED = "hold-ended"
    HOLD_ACCEPTED = "hold-accepted"
    HOLD_REJECTED = "hold-rejected"
    REJECTION_LIFTED = "rejection-lifted"
    PUBLISHED = "published"
    WRITES_STOPPED = "writes-stopped"
    WRITES_ENABLED = "writes-enabled"


OF_SPECS = frozenset((AuditKind.SPEC_ACCEPTED, AuditKind.SPEC_REFUSED, AuditKind.HELD, AuditKind.HOLD_ENDED))
OF_COMMANDS = frozenset(
    (
        AuditKind.PAUSED,
        AuditKind.RESUMED,
        AuditKind.HOLD_ACCEPTED,
        AuditKind.HOLD_REJECTED,
        AuditKind.REJECTION_LIFTED,
        AuditKind.PUBLISHED,
    )
)


class AuditEntry(Value, frozen=True):
    """One entry of the audit log. `id`: the spec's version, the hold's or command's ID, or the stop switch's version.

    `by`: None if unknown. `targets`: the targets that were affected, empty if all were; `omitted`: how many more there
    were.
    """

    kind: AuditKind
    at: Moment
    id: str
    by: Actor | None
    text: str
    targets: tuple[str, ...] = ()
    omitted: Count = 0
