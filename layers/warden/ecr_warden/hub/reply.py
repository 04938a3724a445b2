"""Replies of the deployed hub to commands."""

from collections.abc import Mapping

from msgspec import Struct, field

from ecr_warden.audit.finding import Condition, FindingGroup, RepositoryHealth
from ecr_warden.collect.wire import Wire
from ecr_warden.core.desired import Mode
from ecr_warden.core.drift import Drift
from ecr_warden.core.plan import Plan
from ecr_warden.core.result import Severity
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.images.push import ImageEvent
from ecr_warden.notify.incident import Acknowledgement, IncidentState
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.state.commands import CommandResult
from ecr_warden.state.history import HistoryEntry
from ecr_warden.state.hold import Hold
from ecr_warden.state.target_status import TargetStatus

MESSAGES_WAIT = "messages-wait"
"""The code of the trouble that a channel did not take messages, or has no turn for them."""


class Trouble(Value, frozen=True):
    """A problem of the whole deployment, with a stable `code` and a remedy (may be empty)."""

    code: str
    message: str
    remedy: str = ""
    wire: Wire | None = None
    """The part of the wiring that it is about, if it is about one."""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class _OfSpec(Value, frozen=True, tag_field="kind"):
    version: str = field(name="specVersion")


class RepositoryStatus(Value, frozen=True):
    """How a repository of the spec stands."""

    target: str
    health: RepositoryHealth


class AccessStatus(Value, frozen=True):
    """What the last audit found that did not fail."""

    at: Moment | None = None
    """None before the first."""
    findings: tuple[FindingGroup, ...] = ()
    """Those that stand and concern the selected repositories or the whole, the gravest first, and `left_out` more."""
    left_out: Count = 0
    administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By account; what is left out of a long list is counted in its last entry; of an account without repositories
    all are."""
    unread: tuple[str, ...] = ()
    """What the audit could not take into account."""
    left: tuple[str, ...] = ()
    """What runs of the selected targets have left since, in words."""


class StatusReply(_OfSpec, frozen=True, tag="status"):
    """How targets stand, and what is wrong with the whole."""

    mode: Mode
    stopped: str | None
    """Why nothing is written, None while writes are enabled."""
    targets: tuple[TargetStatus, ...]
    unread: tuple[str, ...] = ()
    """Here and in the other replies: why the list of targets may be incomplete (the repositories of a pattern, or the
    users and roles of an account, could not be listed). Empty where the question named its targets in full."""
    troubles: tuple[Trouble, ...] = ()
    repositories: tuple[RepositoryStatus, ...] = ()
    access: AccessStatus = AccessStatus()
    notes: tuple[str, ...] = ()
    """What is no trouble, and still good to know."""
    watched: Mapping[str, Moment] = field(default_factory=dict)
    """When the wiring of each part of the members was last looked at; of the others nothing is known."""
    writable: tuple[str, ...] | None = None
    """Of these the accounts whose member stack may let ecr-warden write; None of a hub that does not say."""
    hub_version: str = ""
    """Of the hub; "" of one that does not say."""


class PlanReply(_OfSpec, frozen=True, tag="plan"):
    """The plans that are not empty, out of the number of `targets`; `omitted` plans did not fit into the reply."""

    mode: Mode
    targets: Count
    plans: tuple[Plan, ...]
    omitted: Count = 0
    unread: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    """Why targets would not be written now (a pause, the stop switch)."""
    recreated: tuple[str, ...] = ()
    """Identities that were recreated since their last run; their next run has the documents that name them
    rewritten."""
    write_scope: tuple[ScopeGap | ScopeUnread, ...] = ()
    """One for each account with users or roles among the targets."""


class Checked(Value, frozen=True):
    """A target and its drift."""

    target: str
    drifts: tuple[Drift, ...]
    audited: Condition | None = None
    """Who has access to a repository of the spec, None of another target."""


class CheckReply(_OfSpec, frozen=True, tag="check"):
    """Every target that was read; `omitted` drifted targets did not fit into the reply."""

    targets: tuple[Checked, ...]
    omitted: Count = 0
    unread: tuple[str, ...] = ()
    access: AccessStatus = AccessStatus()


class HistoryReply(Value, frozen=True, tag_field="kind", tag="history"):
    """Runs, and what else happened, from `since` to `until`, each newest first."""

    entries: tuple[RunEntry, ...] = field(name="runs")
    since: Moment
    until: Moment
    log: tuple[HistoryEntry, ...] = ()
    omitted: Count = 0
    """How many did not fit."""


class RunReply(Struct, frozen=True):
    """A run in full; an OpenRun has not ended, or its process died."""

    run: OpenRun | RunReport


class CallReply(Value, frozen=True, tag_field="kind", tag="call"):
    """The results of a command so far."""

    answers: tuple[CommandResult, ...]


class EstateReply(Value, frozen=True, tag_field="kind", tag="estate"):
    """The parts of the accepted spec's estate, or one of them."""

    parts: tuple[str, ...]
    began: Moment | None = None
    """When reading it began."""
    piece: str = ""
    """The entry of its piece (collect.estate), compressed, in base64."""


class HeldReply(Value, frozen=True, tag_field="kind", tag="holds"):
    """The holds that were asked for, the oldest first."""

    holds: tuple[Hold, ...]
    left_out: Count = 0
    """How many more wait."""


class KeptVersion(Value, frozen=True):
    """A version of the spec."""

    version: str
    text: str
    """Compressed by gzip, in base64; empty if it is not kept any more."""


class VersionsReply(Value, frozen=True, tag_field="kind", tag="versions"):
    """The accepted version, and the baseline, the last one that a person accepted; None for none."""

    accepted: KeptVersion | None = None
    baseline: KeptVersion | None = None
    removed: Count = 0
    """The grants that versions removed in the last 24 hours which took effect by themselves."""
    lost: str = ""
    """Why what the baseline says is not known any more."""
    max_removed: Count | None = None
    """How many may go in that time before a version waits; None for a share of those that there are."""


class AccountScope(Value, frozen=True):
    """The write scope of an account (repair.write_scope)."""

    account: str
    arns: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] | None = None
    error: str = ""
    """Why it could not be read."""


class ScopesReply(Value, frozen=True, tag_field="kind", tag="scopes"):
    """The write scopes of the accounts that the accepted spec has."""

    scopes: tuple[AccountScope, ...]


class CommandReply(Value, frozen=True, tag_field="kind", tag="command"):
    """A command that was accepted."""

    id: str
    caller: str
    """The authenticated ARN."""
    mode: Mode
    targets: tuple[str, ...]
    """Of the command, or of its hold."""
    enqueued: bool
    """Runs of the targets follow, which they do not in observe mode, nor after a pause."""


class IncidentFact(Value, frozen=True):
    """Something that an incident is about."""

    title: str
    severity: Severity
    opened: Moment
    closed: Moment | None
    """When it ended, or will by itself; None while nobody knows."""
    lasts: bool


class IncidentStatus(Value, frozen=True):
    """How an incident stands."""

    id: str
    state: IncidentState
    severity: Severity
    title: str
    since: Moment
    ended: Moment | None
    """None while it lasts."""
    by: str
    """Who is behind it; empty if that is not known."""
    things: Count
    """How often something of it began."""
    messages: Count
    to_do: str
    command: str
    """What its messages ask for, and the command for it; empty once it is over."""
    acknowledged: Acknowledgement | None
    """Who works on it; nobody any more once it has grown."""
    facts: tuple[IncidentFact, ...]
    """What lasts first, each the gravest first."""
    left_out: Count
    """How many more there are, or were."""


class IncidentsReply(Value, frozen=True, tag_field="kind", tag="incidents"):
    """What lasts, the gravest first, and then what is over, the newest first."""

    incidents: tuple[IncidentStatus, ...]
    left_out: Count = 0


class PushedReply(Value, frozen=True, tag_field="kind", tag="pushed"):
    """Who pushed to a repository, newest first, and what is there now."""

    pushes: tuple[ImageEvent, ...]
    left_out: Count = 0
    """Of these days, as far as known; and what does not fit into a reply."""
    there: Mapping[str, str] = field(default_factory=dict)
    """The status of their images that are there now, by digest."""
    unread: str = ""
    """Why that is not known, if it is not."""


type TaggedReply = (
    StatusReply
    | PushedReply
    | IncidentsReply
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
