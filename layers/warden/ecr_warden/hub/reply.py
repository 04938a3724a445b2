"""Replies of the deployed hub to commands."""

from collections.abc import Mapping

from msgspec import Struct, field

from ecr_warden.audit.finding import Condition, FindingGroup, RepositoryHealth
from ecr_warden.core.desired import Mode
from ecr_warden.core.drift import Drift
from ecr_warden.core.plan import Plan
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.state.commands import CommandResult
from ecr_warden.state.history import HistoryEntry
from ecr_warden.state.hold import Hold
from ecr_warden.state.target_status import TargetStatus


class Trouble(Value, frozen=True):
    """A problem of the whole deployment, with a stable `code` and a remedy (may be empty)."""

    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class _OfSpec(Value, frozen=True, tag_field="kind"):
    version: str = field(name="specVersion")


class RepositoryStatus(Value, frozen=True):
    """How a repository of the spec stands."""

    target: str
    health: RepositoryHealth


class AccessStatus(Value, frozen=True):
    """What the last audit found that did not fail. `at`: None before the first.

    `findings`: those that stand and concern the selected repositories or the whole, the gravest first, and `left_out`
    more. `administrators`: by account; what is left out of a long list is counted in its last entry; of an
    account without repositories all are. `unread`: what the audit could not take into account.
    """

    at: Moment | None = None
    findings: tuple[FindingGroup, ...] = ()
    left_out: Count = 0
    administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


class StatusReply(_OfSpec, frozen=True, tag="status"):
    """`stopped`: why nothing is written, None while writes are enabled; `version`: the accepted spec's.

    `unread`, here and in the other replies: why the list of targets may be incomplete (the repositories of a pattern,
    or the users and roles of an account, could not be listed). Empty where the question named its targets in full.
    `notes`: what is no trouble, and still good to know.
    """

    mode: Mode
    stopped: str | None
    targets: tuple[TargetStatus, ...]
    unread: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    repositories: tuple[RepositoryStatus, ...] = ()
    access: AccessStatus = AccessStatus()
    notes: tuple[str, ...] = ()


class PlanReply(_OfSpec, frozen=True, tag="plan"):
    """The plans that are not empty, out of the number of `targets`; `omitted` plans did not fit into the reply.

    `left`: why targets would not be written now (a pause, the stop switch). `recreated`: identities that were recreated
    since their last run; their next run has the documents that name them rewritten. `write_scope`: one for each account
    with users or roles among the targets.
    """

    mode: Mode
    targets: Count
    plans: tuple[Plan, ...]
    omitted: Count = 0
    unread: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    recreated: tuple[str, ...] = ()
    write_scope: tuple[ScopeGap | ScopeUnread, ...] = ()


class Checked(Value, frozen=True):
    """A target and its drift; `audited`: who has access to a repository of the spec, None of another target."""

    target: str
    drifts: tuple[Drift, ...]
    audited: Condition | None = None


class CheckReply(_OfSpec, frozen=True, tag="check"):
    """Every target that was read; `omitted` drifted targets did not fit into the reply."""

    targets: tuple[Checked, ...]
    omitted: Count = 0
    unread: tuple[str, ...] = ()
    access: AccessStatus = AccessStatus()


class HistoryReply(Value, frozen=True, tag_field="kind", tag="history"):
    """Runs, and what else happened, from `since` to `until`, each newest first; `omitted`: how many did not fit."""

    entries: tuple[RunEntry, ...] = field(name="runs")
    since: Moment
    until: Moment
    log: tuple[HistoryEntry, ...] = ()
    omitted: Count = 0


class RunReply(Struct, frozen=True):
    """A run in full; an OpenRun has not ended, or its process died."""

    run: OpenRun | RunReport


class CallReply(Value, frozen=True, tag_field="kind", tag="call"):
    """The results of a command so far."""

    answers: tuple[CommandResult, ...]


class EstateReply(Value, frozen=True, tag_field="kind", tag="estate"):
    """The parts of the accepted spec's estate, or one of them.

    `piece`: the entry of its piece (collect.estate), compressed, in base64; `began`: when reading it began.
    """

    parts: tuple[str, ...]
    began: Moment | None = None
    piece: str = ""


class HeldReply(Value, frozen=True, tag_field="kind", tag="holds"):
    """The holds that were asked for, the oldest first; `left_out`: how many more wait."""

    holds: tuple[Hold, ...]
    left_out: Count = 0


class KeptVersion(Value, frozen=True):
    """A version of the spec; `text`: compressed by gzip, in base64; empty if it is not kept any more."""

    version: str
    text: str


class VersionsReply(Value, frozen=True, tag_field="kind", tag="versions"):
    """The accepted version, and the baseline, the last one that a person accepted; None for none.

    `removed`: the grants that versions removed in the last 24 hours which took effect by themselves. `lost`: why what
    the baseline says is not known any more.
    """

    accepted: KeptVersion | None = None
    baseline: KeptVersion | None = None
    removed: Count = 0
    lost: str = ""


class AccountScope(Value, frozen=True):
    """The write scope of an account (repair.write_scope); `error`: why it could not be read."""

    account: str
    arns: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] | None = None
    error: str = ""


class ScopesReply(Value, frozen=True, tag_field="kind", tag="scopes"):
    """The write scopes of the accounts that the accepted spec has."""

    scopes: tuple[AccountScope, ...]


class CommandReply(Value, frozen=True, tag_field="kind", tag="command"):
    """A command that was accepted. `caller`: the authenticated ARN; `targets`: of the command, or of its hold.

    `enqueued`: runs of the targets follow, which they do not in observe mode, nor after a pause.
    """

    id: str
    caller: str
    mode: Mode
    targets: tuple[str, ...]
    enqueued: bool


type TaggedReply = (
    StatusReply
    | PlanReply
    | CheckReply
    | HistoryReply
    | CallReply
    | EstateReply
    | HeldReply
    | ScopesReply
    | VersionsReply
)
"""The replies to questions whose JSON says by its tag what they are; of a run it is that of the run."""
type QuestionReply = TaggedReply | RunReply
type Reply = QuestionReply | CommandReply
