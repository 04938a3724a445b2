"""What people ask of the deployed hub: questions, which only read, and commands.

A selection is texts: a target, the name of a repository or a pattern of such names (`shop/*`), or `all`. A
command names its targets one by one: what is signed, recorded and announced is exact.
"""

from dataclasses import dataclass
from datetime import datetime

from ecr_warden.model.outcome import Result
from ecr_warden.model.target import Target

type Selection = tuple[str, ...]

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class AskStatus:
    """What the hub remembers of targets; no account is read."""

    selection: Selection = (EVERYTHING,)


@dataclass(frozen=True, slots=True)
class AskPlan:
    """What differs from the accepted spec now, and what would be written."""

    selection: Selection = (EVERYTHING,)


@dataclass(frozen=True, slots=True)
class AskVerify:
    """Whether each target is as the accepted spec says now."""

    selection: Selection = (EVERYTHING,)


@dataclass(frozen=True, slots=True)
class AskGrants:
    """Who the accepted spec lets in."""


@dataclass(frozen=True, slots=True)
class AskHistory:
    """What happened, newest first: to some targets, or, without any, to all.

    `since`, `until`: both may be left open; the journal is kept for a year.
    """

    targets: tuple[Target, ...] = ()
    limit: int = 20
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskRun:
    """One run in full."""

    run_id: str


@dataclass(frozen=True, slots=True)
class AskCall:
    """What has come of a command so far."""

    call_id: str


type Question = AskStatus | AskPlan | AskVerify | AskGrants | AskHistory | AskRun | AskCall


@dataclass(frozen=True, slots=True)
class Apply:
    """Reconcile targets now."""

    id: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class PauseUntil:
    """Write nothing to targets until an end."""

    id: str
    targets: tuple[Target, ...]
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Resume:
    """End pauses early, and reconcile what was paused."""

    id: str
    targets: tuple[Target, ...]


type Command = Apply | PauseUntil | Resume


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it was taken: what is kept of it. `caller`: the ARN that was proved; `text`: the request's."""

    id: str
    caller: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """How the run of a target that a command asked for ended; `done`: no other try follows."""

    target: str
    run_id: str
    result: Result
    done: bool
