"""What people ask of the deployed hub: questions, which only read, and commands; and the audit log.

A selection is texts: a target, the name of a repository or a pattern of such names (`shop/*`), or `all`. A
command names its targets one by one: what is signed, recorded and announced is exact.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from ecr_warden.model.job import Actor
from ecr_warden.model.run import Result
from ecr_warden.model.target import Target
from ecr_warden.model.value import Count, Moment, Value

TARGETS_AT_MOST = 2000
REASON_AT_MOST = 200
ENTRIES_AT_MOST, HISTORIES_AT_MOST = 100, 20
SELECTED_AT_MOST = 400
EVERYTHING = "all"
type Selection = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=SELECTED_AT_MOST)], ...],
    Meta(min_length=1, max_length=TARGETS_AT_MOST),
]
type Targets = Annotated[tuple[Target, ...], Meta(min_length=1, max_length=TARGETS_AT_MOST)]
type RequestId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9-]{8,64}\Z")]


class _Request(Value, frozen=True, tag_field="action", omit_defaults=False):
    pass


class AskStatus(_Request, frozen=True, tag="status"):
    """What the hub remembers of targets; no account is read."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskPlan(_Request, frozen=True, tag="plan"):
    """What differs from the accepted spec now, and what would be written."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskVerify(_Request, frozen=True, tag="verify"):
    """Whether each target is as the accepted spec says now."""

    selection: Selection = field(default=(EVERYTHING,), name="targets")


class AskGrants(_Request, frozen=True, tag="grants"):
    """Who the accepted spec lets in."""


class AskHistory(_Request, frozen=True, tag="history"):
    """What happened, newest first: to some targets, or, without any, to all.

    `since`, `until`: both may be left open; the journal is kept for a year.
    """

    targets: Annotated[tuple[Target, ...], Meta(max_length=HISTORIES_AT_MOST)] = ()
    limit: Annotated[int, Meta(ge=1, le=ENTRIES_AT_MOST)] = 20
    since: Moment | None = None
    until: Moment | None = None


class AskRun(_Request, frozen=True, tag="run"):
    """One run in full."""

    run_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]{1,64}\Z")]


class AskCall(_Request, frozen=True, tag="call"):
    """What has come of a command so far."""

    call_id: RequestId = field(name="id")


type Question = AskStatus | AskPlan | AskVerify | AskGrants | AskHistory | AskRun | AskCall


class Apply(_Request, frozen=True, tag="apply"):
    """Reconcile targets now."""

    id: RequestId
    targets: Targets


class PauseUntil(_Request, frozen=True, tag="pause"):
    """Write nothing to targets until an end."""

    id: RequestId
    targets: Targets
    reason: str
    until: Moment


class Resume(_Request, frozen=True, tag="resume"):
    """End pauses early, and reconcile what was paused."""

    id: RequestId
    targets: Targets


type Command = Apply | PauseUntil | Resume


class Call(Struct, frozen=True):
    """A command as it was taken: what is kept of it. `caller`: the ARN that was proved; `text`: the request's."""

    id: str
    caller: str
    text: str
    at: datetime


class Answer(Value, frozen=True):
    """How the run of a target that a command asked for ended; `done`: no other try follows."""

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
    WRITES_STOPPED = "writes-stopped"
    WRITES_ENABLED = "writes-enabled"


OF_SPECS = frozenset((AuditKind.SPEC_ACCEPTED, AuditKind.SPEC_REFUSED))
OF_COMMANDS = frozenset((AuditKind.PAUSED, AuditKind.RESUMED))


class AuditEntry(Value, frozen=True):
    """One line. `id`: the spec's version, the command's id, or the version of the switch; `by`: as far as it is known.

    `targets`: those that it was about, empty where it was about all; `omitted`: how many more there are.
    """

    kind: AuditKind
    at: Moment
    id: str
    by: Actor | None
    text: str
    targets: tuple[str, ...] = ()
    omitted: Count = 0
