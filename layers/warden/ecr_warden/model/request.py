"""What people ask of the deployed hub: questions, which only read, and commands; and the audit log.

A selection is texts: a target, the name of a repository or a pattern of such names (`shop/*`), or `all`. A
command names its targets one by one: what is signed, recorded and announced is exact.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.job import Actor
from ecr_warden.model.run import Result
from ecr_warden.model.target import Target

type Selection = tuple[str, ...]

EVERYTHING = "all"


class AskStatus(Struct, frozen=True):
    """What the hub remembers of targets; no account is read."""

    selection: Selection = (EVERYTHING,)


class AskPlan(Struct, frozen=True):
    """What differs from the accepted spec now, and what would be written."""

    selection: Selection = (EVERYTHING,)


class AskVerify(Struct, frozen=True):
    """Whether each target is as the accepted spec says now."""

    selection: Selection = (EVERYTHING,)


class AskGrants(Struct, frozen=True):
    """Who the accepted spec lets in."""


class AskHistory(Struct, frozen=True):
    """What happened, newest first: to some targets, or, without any, to all.

    `since`, `until`: both may be left open; the journal is kept for a year.
    """

    targets: tuple[Target, ...] = ()
    limit: int = 20
    since: datetime | None = None
    until: datetime | None = None


class AskRun(Struct, frozen=True):
    """One run in full."""

    run_id: str


class AskCall(Struct, frozen=True):
    """What has come of a command so far."""

    call_id: str


type Question = AskStatus | AskPlan | AskVerify | AskGrants | AskHistory | AskRun | AskCall


class Apply(Struct, frozen=True):
    """Reconcile targets now."""

    id: str
    targets: tuple[Target, ...]


class PauseUntil(Struct, frozen=True):
    """Write nothing to targets until an end."""

    id: str
    targets: tuple[Target, ...]
    reason: str
    until: datetime


class Resume(Struct, frozen=True):
    """End pauses early, and reconcile what was paused."""

    id: str
    targets: tuple[Target, ...]


type Command = Apply | PauseUntil | Resume


class Call(Struct, frozen=True):
    """A command as it was taken: what is kept of it. `caller`: the ARN that was proved; `text`: the request's."""

    id: str
    caller: str
    text: str
    at: datetime


class Answer(Struct, frozen=True):
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


class AuditEntry(Struct, frozen=True):
    """One line. `id`: the spec's version, the command's id, or the version of the switch; `by`: as far as it is known.

    `targets`: those that it was about, empty where it was about all; `omitted`: how many more there are.
    """

    kind: AuditKind
    at: datetime
    id: str
    by: Actor | None
    text: str
    targets: tuple[str, ...] = ()
    omitted: int = 0
