"""Random values of the model, for what holds for every one of them."""

import json
from copy import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import (
    AuditBegun,
    AuditFailed,
    AuditRecord,
    Certainty,
    Condition,
    ConditionStatus,
    Finding,
    FindingGroup,
    FindingKind,
    RepositoryHealth,
    SeenFinding,
    UnreadCause,
    UnreadDocument,
)
from ecr_warden.collect.alerts import LeftOver, Unlisted
from ecr_warden.core import judgement
from ecr_warden.core.address import (
    Address,
    attached_policy,
    by_target,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.core.alert import Alert
from ecr_warden.core.desired import (
    AlsoAllowed,
    CompiledSpec,
    DesiredValue,
    DocumentTakeover,
    Extent,
    ForeignStatement,
    GrantEnd,
    Mode,
    MustNotExist,
    Removal,
    Removed,
    RemovedPattern,
    RepositoryPattern,
    RoleSettings,
    TargetSpec,
)
from ecr_warden.core.drift import Drift, Loosening
from ecr_warden.core.job import (
    AcceptSpec,
    Actor,
    Cause,
    CauseKind,
    FollowClock,
    FollowSwitch,
    Job,
    JudgeVersion,
    Misplaced,
    ReadForVersion,
    ReconcileTarget,
    ReportCall,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.plan import Change, Held, NewRole, Plan
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Applied, Conflict, Failed, OpenRun, Outcome, RunReport, Skipped
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.alerts import (
    ChannelsTested,
    Difference,
    EndMoment,
    FightMoment,
    FightNoticed,
    GrantsEnd,
    HarmfulCall,
    OwnChanged,
    PauseEnded,
    TargetsPaused,
    TargetsResumed,
)
from ecr_warden.repair.run_ended import run_ended
from ecr_warden.state.fight import Fight
from ecr_warden.state.hold import Decision, Hold, HoldState, OfVersion, Verdict, VerdictRequest
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused, SpecRestored
from iam_access.delta.delta import AccessDelta, gained_and_lost
from iam_access.delta.relate import Interchangeable
from iam_access.document.document import Document, parse_document
from tests.property.policy_documents import documents as raw_documents

type Strategy[T] = st.SearchStrategy[T]

ACCOUNTS = ("111111111111", "222222222222")


def _few[T](values: Strategy[T]) -> Strategy[tuple[T, ...]]:
    return st.lists(values, max_size=2).map(tuple)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
COUNTS = st.integers(0, 1000)
IDS = st.text("abc123-", min_size=1, max_size=8)
NAMES = st.from_regex(r"[A-Za-z0-9_+=,.@-]{1,64}", fullmatch=True)
REPOSITORIES = st.sampled_from(("shop/checkout", "a0", "a.b/c__d-e"))
TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)).flatmap(
    lambda at: st.sampled_from((at.replace(tzinfo=UTC), at.replace(tzinfo=timezone(timedelta(hours=2)))))
)

accounts = st.sampled_from(ACCOUNTS)
repositories: Strategy[RepositoryTarget] = st.builds(
    RepositoryTarget, accounts, st.sampled_from(("eu-central-1", "us-gov-west-1")), REPOSITORIES
)
roles: Strategy[RoleTarget] = st.builds(RoleTarget, accounts, NAMES)
users: Strategy[UserTarget] = st.builds(UserTarget, accounts, NAMES)
targets: Strategy[Target] = st.one_of(repositories, roles, users)

addresses: Strategy[Address] = st.one_of(
    st.builds(repository_policy, repositories),
    st.builds(role, roles),
    st.builds(trust_policy, roles),
    st.builds(identity_policy, roles | users, NAMES),
    st.builds(attached_policy, roles, st.just("arn:aws:iam::aws:policy/AdministratorAccess")),
)
documents: Strategy[Document] = raw_documents().map(lambda raw: parse_document(json.dumps(raw)))
settings: Strategy[RoleSettings] = st.builds(
    RoleSettings, st.sampled_from(("/", "/ecr-warden/")), st.integers(3600, 43200), st.none() | TEXTS
)
desired_values: Strategy[DesiredValue] = st.one_of(documents, settings, st.just(MustNotExist()))
new_roles: Strategy[NewRole] = st.builds(NewRole, settings, documents)
access_changes: Strategy[AccessDelta | None] = st.none() | st.builds(
    gained_and_lost, st.none() | documents, st.none() | documents
)

actors: Strategy[Actor] = st.builds(Actor, *[TEXTS] * 9)
causes: Strategy[Cause] = st.builds(Cause, st.sampled_from(CauseKind), IDS, TEXTS, TEXTS, TEXTS, TEXTS, actors)
jobs: Strategy[Job] = st.one_of(
    st.builds(AcceptSpec, causes, st.none() | st.builds(Misplaced, TEXTS, TEXTS)),
    st.builds(SweepAll, causes),
    st.builds(SweepIdentities, causes, st.from_regex(r"[0-9]{12}", fullmatch=True)),
    st.builds(SweepRepositories, causes, st.from_regex(r"[0-9]{12}", fullmatch=True), st.just("eu-central-1")),
    st.builds(SurveyIdentities, causes, st.from_regex(r"[0-9]{12}", fullmatch=True)),
    st.builds(
        SurveyRegistry,
        causes,
        st.from_regex(r"[0-9]{12}", fullmatch=True),
        st.just("eu-central-1"),
        st.just("") | REPOSITORIES,
    ),
    st.builds(ReconcileTarget, causes, targets),
    st.builds(ReportCall, causes, users),
    st.builds(FollowSwitch, causes),
    st.builds(FollowClock, causes),
    st.builds(ReadForVersion, causes, st.from_regex(r"[0-9a-f]{1,64}", fullmatch=True)),
    st.builds(JudgeVersion, causes, st.from_regex(r"[0-9a-f]{1,64}", fullmatch=True)),
)


def _drift(interchangeable: bool, *given: Any, **more: Any) -> Drift:
    drift = Drift(*given, **more)
    return replace(drift, access=Interchangeable(drift.explain)) if interchangeable else drift


drifts: Strategy[Drift] = st.builds(
    _drift,
    st.booleans(),
    addresses,
    st.sampled_from(DriftKind),
    TEXTS,
    access_changes,
    code=st.just("") | IDS,
    loosens=_few(st.sampled_from(Loosening)),
)
changes: Strategy[Change] = st.builds(
    Change,
    st.sampled_from(Operation),
    addresses,
    st.none() | TEXTS,
    st.none() | IDS,
    st.none() | documents | settings | new_roles,
    access_changes,
    TEXTS,
)
holds: Strategy[Held] = st.builds(Held, drifts, st.sampled_from(HoldReason), TEXTS)


plans: Strategy[Plan] = st.builds(Plan, targets, IDS, _few(drifts), _few(changes), _few(holds))
open_runs: Strategy[OpenRun] = st.builds(OpenRun, IDS, causes, st.sampled_from(Mode), plans, TIMES)


@st.composite
def reports(draw: st.DrawFn) -> RunReport:
    """A run's report, each outcome about a change of its plan."""
    plan = draw(plans)
    outcomes: list[Outcome] = []
    for change in plan.changes:
        made: Strategy[Outcome] = st.one_of(
            st.just(Applied(change)),
            st.just(Conflict(change)),
            st.builds(Skipped, st.just(change), TEXTS),
            st.builds(Failed, st.just(change), IDS, TEXTS, st.booleans(), TEXTS),
        )
        outcomes.append(draw(made))
    return RunReport(
        run_id=draw(IDS),
        cause=draw(causes),
        mode=draw(st.sampled_from(Mode)),
        result=draw(st.sampled_from(Result)),
        plan=plan,
        outcomes=tuple(outcomes),
        started_at=draw(TIMES),
        finished_at=draw(TIMES),
        accounts=draw(_few(accounts)),
        attempt=draw(st.integers(1, 9)),
        final=draw(st.booleans()),
        intruder=draw(st.booleans()),
        contested=draw(st.integers(0, 3)),
        again=draw(st.booleans()),
        of_fight=draw(st.booleans()),
    )


findings: Strategy[Finding] = st.builds(
    Finding,
    st.sampled_from(FindingKind),
    IDS,
    TEXTS,
    TEXTS,
    _few(TEXTS),
    st.sampled_from(Certainty),
    _few(TEXTS),
    _few(TEXTS),
    TEXTS,
    st.booleans(),
)
conditions: Strategy[Condition] = st.builds(Condition, st.sampled_from(ConditionStatus), IDS, TEXTS, TIMES)
unread_documents: Strategy[UnreadDocument] = st.builds(
    UnreadDocument, IDS, TEXTS, TEXTS, st.sampled_from(UnreadCause), TEXTS, _few(TEXTS), st.none() | TIMES
)
audit_records: Strategy[AuditRecord] = st.builds(
    AuditRecord,
    TIMES,
    IDS,
    st.dictionaries(accounts, IDS, max_size=2),
    _few(st.builds(SeenFinding, findings, TIMES)),
    COUNTS,
    st.dictionaries(accounts, _few(TEXTS), max_size=2),
    st.dictionaries(accounts, _few(TEXTS), max_size=2),
    st.dictionaries(TEXTS, st.builds(RepositoryHealth, conditions, conditions, conditions), max_size=2),
    _few(unread_documents),
    st.none() | st.builds(AuditFailed, TEXTS) | st.builds(AuditBegun, COUNTS),
    st.none() | TIMES,
)
groups: Strategy[FindingGroup] = st.builds(FindingGroup, findings, _few(IDS), _few(TEXTS), TIMES, COUNTS)
grounds = st.builds(OfVersion, IDS, TEXTS, st.tuples(TEXTS, TEXTS, TEXTS))
waiting: Strategy[Hold] = st.builds(
    Hold,
    grounds,
    TEXTS,
    _few(st.builds(judgement.WaitReason, st.sampled_from(judgement.WaitCode), TEXTS)),
    TIMES,
    TIMES,
    _few(TEXTS),
    _few(TEXTS),
    st.tuples(COUNTS, COUNTS),
    st.sampled_from(HoldState),
    TEXTS,
    st.none() | st.builds(Decision, IDS, st.sampled_from(Verdict), actors, TIMES),
    st.none() | st.builds(VerdictRequest, causes, TIMES, _few(IDS), COUNTS),
)
differences: Strategy[Difference] = st.builds(
    Difference, addresses, st.sampled_from(DriftKind), TEXTS, _few(TEXTS), COUNTS, st.booleans(), IDS
)
alerts: Strategy[Alert] = st.one_of(
    reports().map(run_ended),
    st.builds(SpecRefused, causes, IDS, st.none() | IDS, _few(TEXTS), COUNTS, st.booleans()),
    st.builds(SpecRestored, causes, IDS),
    st.builds(SpecAccepted, causes, IDS, st.none() | IDS, _few(IDS), _few(TEXTS), st.tuples(COUNTS, COUNTS)),
    st.builds(Unlisted, causes, IDS, _few(TEXTS), _few(IDS), COUNTS),
    st.builds(LeftOver, causes, IDS, COUNTS),
    st.builds(OwnChanged, causes, accounts, TEXTS),
    st.builds(HarmfulCall, causes, users),
    st.builds(
        FightNoticed,
        causes,
        st.sampled_from(FightMoment),
        st.builds(Fight, addresses, TIMES, TIMES, COUNTS, st.none() | actors),
        _few(differences),
        IDS,
        st.sampled_from(Severity),
    ),
    st.builds(
        AccessAudited,
        causes,
        IDS,
        _few(groups),
        _few(groups),
        st.tuples(COUNTS, COUNTS),
        st.booleans(),
        _few(TEXTS),
        COUNTS,
        TEXTS,
    ),
    st.builds(TargetsPaused, causes, _few(IDS), TEXTS, TIMES, COUNTS),
    st.builds(TargetsResumed, causes, _few(IDS), COUNTS),
    st.builds(GrantsEnd, causes, st.sampled_from(EndMoment), IDS, _few(TEXTS), COUNTS),
    st.builds(HoldOpened, causes, waiting),
    st.builds(HoldSettled, causes, waiting),
    st.builds(ChannelsTested, causes),
    st.builds(PauseEnded, causes, _few(IDS), TEXTS, TIMES, COUNTS),
)
target_specs: Strategy[TargetSpec] = st.builds(
    TargetSpec,
    targets,
    st.sampled_from(Extent),
    st.dictionaries(addresses, desired_values, max_size=3),
    st.dictionaries(addresses, _few(targets), max_size=2),
    _few(targets),
    st.dictionaries(TEXTS, targets, max_size=2),
    _few(st.sampled_from(ForeignStatement)),
    st.booleans(),
    st.none() | st.sampled_from(Mode),
    st.dictionaries(addresses, desired_values, max_size=2),
    ends=_few(TIMES),
)
patterns: Strategy[RepositoryPattern] = st.builds(
    RepositoryPattern,
    accounts,
    st.just("eu-central-1"),
    st.sampled_from(("shop/*", "*")),
    _few(st.sampled_from(("shop/secret", "shop/*/x"))),
    desired_values.filter(lambda value: not isinstance(value, RoleSettings)),
    st.dictionaries(TEXTS, targets, max_size=2),
    _few(st.sampled_from(ForeignStatement)),
    st.none() | st.sampled_from(Mode),
)
allowances: Strategy[AlsoAllowed] = st.builds(
    AlsoAllowed,
    _few(TEXTS),
    TEXTS,
    _few(st.sampled_from(("pull", "push"))),
    st.just("") | accounts,
    _few(st.sampled_from(("shop/*", "shop/app"))),
    st.none() | TIMES,
)
removed: Strategy[Removed] = st.builds(
    Removed,
    targets,
    IDS,
    st.none() | st.sampled_from(Mode),
    _few(st.sampled_from(ForeignStatement)),
    st.none() | documents,
)
removed_patterns: Strategy[RemovedPattern] = st.builds(RemovedPattern, patterns, IDS)
compiled_specs: Strategy[CompiledSpec] = st.builds(
    lambda version, mode, named, specs, gone, fitting, allowed, modes, removals, ends, left, *rest: CompiledSpec(
        version,
        mode,
        named,
        {spec.target.key: spec for spec in specs},
        {entry.target.key: entry for entry in gone},
        fitting,
        allowed,
        account_modes=modes,
        removals=removals,
        ends=ends,
        removed_patterns=left,
        organizations=rest[0],
        literal=rest[1],
        taken_over=rest[2],
    ),
    IDS,
    st.sampled_from(Mode),
    _few(accounts),
    _few(target_specs),
    _few(removed),
    _few(patterns),
    _few(allowances),
    st.dictionaries(accounts, st.sampled_from(Mode), max_size=2),
    _few(st.builds(Removal, TIMES, COUNTS)),
    _few(st.builds(GrantEnd, TIMES, TEXTS, st.none() | targets)),
    _few(removed_patterns),
    _few(IDS),
    st.dictionaries(addresses.map(str), COUNTS, max_size=2).map(by_target),
    st.dictionaries(addresses.map(str), st.builds(DocumentTakeover, TEXTS, IDS), max_size=2).map(by_target),
)
