"""What an event leads to: targets and their jobs, a report on ecr-warden's own roles, or the reason to ignore it."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from ecr_warden.core.job import (
    AcceptSpec,
    Cause,
    CauseKind,
    FollowClock,
    FollowSwitch,
    Job,
    Misplaced,
    NoteHeartbeat,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.target import REGION, RepositoryTarget, Target, TargetError, parse_target
from ecr_warden.events.calls import CALLS, WATCHED, Irrelevant, NamesOfCall, Watched, reads
from ecr_warden.events.parse import parse_trigger
from ecr_warden.events.trigger import (
    ApiCall,
    Blindable,
    BlindingCall,
    HeartbeatSent,
    Ignored,
    SpecChanged,
    SweepDue,
    Trigger,
    WatchedService,
)
from iam_access.arn import ACCOUNT_ID, parse_arn

_SPEC_ENDINGS = (".yaml", ".yml", ".json")
# The spec may name no such role (E116), so it belongs to the stacks, or imitates them.
_OWN_ROLE = "ecr-warden-"
_OWN_POLICY = "policy/ecr-warden/"
# A tag gives no access to these roles, and organizations tag everything.
_HARMLESS = frozenset({"TagRole", "UntagRole"})


class SpecPlace(Struct, frozen=True):
    """Where the spec is kept: its key, and whether a bucket is the spec's."""

    key: str
    is_bucket: Callable[[str], bool]


class EventDecision(Struct, frozen=True):
    """A trigger, the targets that its call names, and the jobs it makes."""

    trigger: Trigger
    targets: tuple[Target, ...]
    jobs: tuple[Job, ...]


def decide(event: object, place: SpecPlace) -> EventDecision | Ignored:
    """Decide about an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither."""
    trigger = parse_trigger(event)
    match trigger:
        case Ignored():
            return trigger
        case ApiCall():
            targets = _targets(trigger)
            if isinstance(targets, Ignored):
                return targets
            return EventDecision(trigger, targets, tuple(_call_jobs(trigger, targets)))
        case BlindingCall():
            cause = Cause(CauseKind.EVENT, trigger.event_id, trigger.action, trigger.at, actor=trigger.actor)
            if trigger.changes is Blindable.SWITCH:
                return EventDecision(trigger, (), (FollowSwitch(cause),))
            return EventDecision(trigger, (), (ReportOwnChange(cause, trigger.account, trigger.thing),))
        case SpecChanged():
            return _spec_changed(trigger, place)
        case SweepDue(event_id, at):
            # The event of a new spec version can be lost like any other.
            cause = Cause(CauseKind.SWEEP, event_id, at=at)
            return EventDecision(
                trigger, (), (FollowClock(cause), FollowSwitch(cause), AcceptSpec(cause), SweepAll(cause))
            )
        case HeartbeatSent(event_id, account, region, at):
            return EventDecision(
                trigger, (), (NoteHeartbeat(Cause(CauseKind.HEARTBEAT, event_id, at=at), account, region),)
            )


def accounts_of(trigger: Trigger) -> tuple[str, ...]:
    """The accounts that an event is about, of which one may be the hub's; none for what only the hub has."""
    match trigger:
        case ApiCall():
            # A call across accounts is about the other one's repository.
            return tuple(filter(None, (trigger.account, _registry(trigger))))
        case BlindingCall() | HeartbeatSent():
            return (trigger.account,) if trigger.account else ()
        case SpecChanged() | SweepDue():
            return ()


def _spec_changed(changed: SpecChanged, place: SpecPlace) -> EventDecision | Ignored:
    """A job to accept the bucket's current version; a spec under another key is reported."""
    misplaced = changed.key != place.key
    looks_like_spec = changed.key.lower().endswith(_SPEC_ENDINGS)
    if not place.is_bucket(changed.bucket) or (misplaced and (changed.deleted or not looks_like_spec)):
        return Ignored("another object than the spec")
    action = "s3:DeleteObject" if changed.deleted else "s3:PutObject"
    cause = Cause(CauseKind.EVENT, changed.event_id, action, changed.at, actor=changed.actor)
    stray = Misplaced(changed.key, changed.version_id) if misplaced else None
    return EventDecision(changed, (), (AcceptSpec(cause, stray),))


def _call_jobs(call: ApiCall, targets: tuple[Target, ...]) -> Iterator[Job]:
    cause = Cause(CauseKind.EVENT, call.event_id, call.action, call.at, actor=call.actor)
    if own := _own_resource(call):
        yield ReportOwnChange(cause, call.account, own)
    row = WATCHED[call.service][call.name]
    made = ReportCall if row.names in (NamesOfCall.CREDENTIAL, NamesOfCall.IMAGES) else ReconcileTarget
    yield from (made(cause, target) for target in targets)
    if row.names is NamesOfCall.SESSIONS and call.parameters.lengthens and not own:
        yield from (ReportCall(cause, target) for target in targets)
    if row.names is NamesOfCall.CERTIFICATE:
        yield ReportCall(cause, None, call.account)
    elif row.names is NamesOfCall.SETTING:
        yield ReportCall(cause, None, _registry(call), call.region)
    if not row.surveys:
        return
    # Whoever pads a document until CloudTrail leaves out the parameters hides which one it is: then all are compared.
    is_policy = row.names is NamesOfCall.POLICY
    is_named = bool(call.parameters.policy) if is_policy else bool(targets) or row.names not in _OF_TARGETS
    match call.service:
        case WatchedService.ECR if is_named:
            named = next((target.name for target in targets if isinstance(target, RepositoryTarget)), "")
            yield SurveyRegistry(cause, _registry(call), call.region, named)
        case WatchedService.ECR:
            yield SweepRepositories(cause, _registry(call), call.region)
        case WatchedService.IAM if is_named:
            # Of a user that was renamed, the new name is the one that can be found.
            yield SurveyIdentities(cause, call.account, next(reversed(targets), None))
        case WatchedService.IAM:
            yield ReportCall(cause, None, call.account)
            yield SweepIdentities(cause, call.account)


_OF_TARGETS = frozenset({NamesOfCall.REPOSITORY, NamesOfCall.ROLE, NamesOfCall.USER, NamesOfCall.BOTH_USERS})


def _registry(call: ApiCall) -> str:
    """A call across accounts is also reported in the caller's account; registryId names the repository's."""
    return call.parameters.registry or call.account


def _targets(call: ApiCall) -> tuple[Target, ...] | Ignored:
    """The targets that a call names, each once, or why it is ignored."""
    row = CALLS[call.service].get(call.name)
    if row is None:
        return Ignored(
            f"{call.action} is a read-only call"
            if reads(call.name)
            else f"{call.action} is not a call that this version of ecr-warden knows"
        )
    if isinstance(row, Irrelevant):
        return Ignored(f"{call.action} {row.why}")
    if call.error:
        return Ignored(f"{call.action} failed ({call.error}) and changed nothing")
    if row.names is NamesOfCall.CREDENTIAL and call.parameters.ends:
        return Ignored(f"{call.action} ends a credential")
    if not row.surveys and row.names is NamesOfCall.POLICY and not _own_resource(call):
        return Ignored(f"{call.action} changes a managed policy that is not ecr-warden's own")
    if call.service is WatchedService.ECR and not (
        ACCOUNT_ID.fullmatch(_registry(call)) and REGION.fullmatch(call.region)
    ):
        return Ignored(f"{call.action} names no valid registry")
    try:
        found = {target.key: target for target in map(parse_target, _keys(row.names, call))}
    except TargetError as error:
        return () if row.surveys else Ignored(f"{call.action} names no valid target: {error.message}")
    return tuple(found.values())


def _keys(names: NamesOfCall, call: ApiCall) -> tuple[str, ...]:
    parameters = call.parameters
    match names:
        case NamesOfCall.REPOSITORY | NamesOfCall.IMAGES:
            return (f"repository/{_registry(call)}/{call.region}/{parameters.repository}",)
        case NamesOfCall.ROLE | NamesOfCall.SESSIONS:
            return (f"role/{call.account}/{parameters.role}",)
        case NamesOfCall.USER | NamesOfCall.CREDENTIAL:
            return (f"user/{call.account}/{parameters.user}",)
        case (
            NamesOfCall.REGISTRY
            | NamesOfCall.GROUP
            | NamesOfCall.POLICY
            | NamesOfCall.PROVIDER
            | NamesOfCall.CERTIFICATE
            | NamesOfCall.SETTING
        ):
            return ()
        case NamesOfCall.BOTH_USERS:
            both = (parameters.user, parameters.new_user) if parameters.new_user else (parameters.user,)
            return tuple(f"user/{call.account}/{user}" for user in both)


def _own_resource(call: ApiCall) -> str:
    """The role or policy of ecr-warden's own that a call changed, such as `role ecr-warden-read`, or "".

    Case is ignored: IAM's names are unique without it.
    """
    row = CALLS[call.service].get(call.name)
    if call.name in _HARMLESS or not isinstance(row, Watched):
        return ""
    match row.names:
        case NamesOfCall.ROLE | NamesOfCall.SESSIONS if call.parameters.role.lower().startswith(_OWN_ROLE):
            return f"role {call.parameters.role}"
        case NamesOfCall.POLICY:
            arn = parse_arn(call.parameters.policy)
            is_ours = arn is not None and arn.service == "iam" and arn.resource.lower().startswith(_OWN_POLICY)
            return f"policy {arn.name}" if arn and is_ours and arn.account == call.account else ""
        case _:
            return ""
