"""What the deployed hub answers to people."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.desired import Mode
from ecr_warden.model.drift import Drift
from ecr_warden.model.plan import Plan
from ecr_warden.model.request import Answer, AuditEntry
from ecr_warden.model.run import LastSeen, OpenRun, Pause, RunEntry, RunReport


class TargetStatus(Struct, frozen=True):
    """What the hub remembers of a target. `last`: None before the first run; `pause`: one that has not ended.

    `last`: of whoever looked last, a run or a sweep, with the last run and its result; `trouble`: something that people
    were told of still stood then; `due`: a sweep found that it differs, and no run has ended since.
    """

    target: str
    last: LastSeen | None
    pause: Pause | None
    open_run: str | None
    trouble: bool
    due: bool = False


class Trouble(Struct, frozen=True):
    """Something that is wrong with the whole, by a stable `code`, and what to do about it (may be empty)."""

    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class StatusReply(Struct, frozen=True):
    """`stopped`: why nothing may be written, None while writes go on; `version`: the accepted spec's.

    `unread`: why it is not known which targets there are (the repositories of a pattern, or what users and roles of
    an account still hold); so in the other replies. Empty where the question named its targets in full.
    """

    version: str
    mode: Mode
    stopped: str | None
    targets: tuple[TargetStatus, ...]
    unread: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class ScopeGap(Struct, frozen=True):
    """What the write scope of an account lacks. `uncovered`: ARNs that the spec needs and no list has.

    `parameters`: the new value of each list that has to change, as CloudFormation takes it; `without_room`: the ARNs
    that fit into none.
    """

    account: str
    has_stack: bool
    uncovered: tuple[str, ...]
    parameters: Mapping[str, str]
    without_room: tuple[str, ...] = ()


class ScopeUnread(Struct, frozen=True):
    """The write scope of an account could not be read."""

    account: str
    error: str


class PlanReply(Struct, frozen=True):
    """The plans that are not empty, of so many targets; `omitted` of them did not fit into the answer.

    `left`: targets to which nothing would be written now, and why (a pause, the stop switch). `made_again`: owners that
    were deleted and made again since a run last looked at them, whose run has written again what names them.
    `write_scope`: for each account with users or roles among the targets.
    """

    version: str
    mode: Mode
    targets: int
    plans: tuple[Plan, ...]
    omitted: int = 0
    unread: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    made_again: tuple[str, ...] = ()
    write_scope: tuple[ScopeGap | ScopeUnread, ...] = ()


class Verified(Struct, frozen=True):
    """A target and in what it differs."""

    target: str
    drifts: tuple[Drift, ...]


class VerifyReply(Struct, frozen=True):
    """Every target that was looked at; `omitted` differ and did not fit into the answer."""

    version: str
    targets: tuple[Verified, ...]
    omitted: int = 0
    unread: tuple[str, ...] = ()


class Access(StrEnum):
    """What a grant gives. IMPORT: a pull may have a pull-through cache fetch the image first."""

    PULL = "pull"
    IMPORT = "import"
    PUSH = "push"


class Grant(Struct, frozen=True):
    """`repository`: a target, with a pattern for a name where the spec has one, less the names `excluded`.

    `who`: an ARN, or what else the spec lets pull, in words; `through`: the role to push or pull by;
    `until`: its own end.
    """

    access: Access
    repository: str
    who: str
    through: str = ""
    until: datetime | None = None
    excluded: tuple[str, ...] = ()


class GrantsReply(Struct, frozen=True):
    """`literals`: addresses of documents that the spec keeps as they stand; whom they let in is not in `grants`."""

    version: str
    grants: tuple[Grant, ...]
    literals: tuple[str, ...] = ()


class HistoryReply(Struct, frozen=True):
    """Runs and audit entries from `since` to `until`, each newest first; `omitted`: how many of both did not fit."""

    entries: tuple[RunEntry, ...]
    since: datetime
    until: datetime
    audit: tuple[AuditEntry, ...] = ()
    omitted: int = 0


class RunReply(Struct, frozen=True):
    """A run in full; an OpenRun has not ended, or its process died."""

    run: OpenRun | RunReport


class CallReply(Struct, frozen=True):
    """What has come of a command so far."""

    answers: tuple[Answer, ...]


class CommandReply(Struct, frozen=True):
    """A command that was taken. `caller`: who gave it, as proved; `targets`: what it is about.

    `enqueued`: runs of the targets follow. Not in observe mode, and not after a pause.
    """

    id: str
    caller: str
    mode: Mode
    targets: tuple[str, ...]
    enqueued: bool


type QuestionReply = StatusReply | PlanReply | VerifyReply | GrantsReply | HistoryReply | RunReply | CallReply
type Reply = QuestionReply | CommandReply
