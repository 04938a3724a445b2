"""What becomes of an event: the targets it names, the jobs it makes, or why it is ignored."""

from collections.abc import Callable
from copy import replace
from typing import assert_never

from msgspec import Struct

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.model.job import AcceptSpec, Cause, CauseKind, Job, Misplaced, ReconcileTarget, SweepAll, TellOwnChange
from ecr_warden.model.target import Target, TargetError, parse_target
from ecr_warden.triggers.calls import CALLS, Irrelevant, Names, Watched, reads
from ecr_warden.triggers.parse import parse_trigger
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged, SweepDue, Trigger

# No spec may give a role such a name (E116), so it is the stacks', or somebody's who wants it taken for theirs.
_PREFIX = "ecr-warden-"
_POLICIES = "policy/ecr-warden/"
# A tag gives no access to these roles, and organizations tag whatever there is.
_HARMLESS = frozenset({"TagRole", "UntagRole"})


def own_resource(call: ApiCall) -> str:
    """What of ecr-warden's own a call has changed, `role ecr-warden-read`; empty for all other calls.

    IAM's names are unique whatever their case, so it does not count.
    """
    row = CALLS[call.service].get(call.name)
    if call.error or call.name in _HARMLESS or not isinstance(row, Watched):
        return ""
    match row.names:
        case Names.ROLE if call.parameters.role.lower().startswith(_PREFIX):
            return f"role {call.parameters.role}"
        case Names.POLICY:
            return _own_policy(call)
        case _:
            return ""


def _own_policy(call: ApiCall) -> str:
    try:
        arn = parse_arn(call.parameters.policy)
    except ArnError:
        return ""
    of_account = arn.service == "iam" and arn.account == call.account
    return f"policy {arn.name}" if of_account and arn.resource.lower().startswith(_POLICIES) else ""


def _keys(names: Names, call: ApiCall) -> tuple[str, ...]:
    given = call.parameters
    match names:
        case Names.REPOSITORY:
            # A call across accounts is reported in the caller's account too; registryId says whose repository it was.
            return (f"repository/{given.registry or call.account}/{call.region}/{given.repository}",)
        case Names.ROLE:
            return (f"role/{call.account}/{given.role}",)
        case Names.USER:
            return (f"user/{call.account}/{given.user}",)
        case Names.POLICY:
            return ()
        case Names.BOTH_USERS:
            both = (given.user, given.new_user) if given.new_user else (given.user,)
            return tuple(f"user/{call.account}/{user}" for user in both)
        case _:
            assert_never(names)


def look_up(call: ApiCall) -> tuple[Target, ...] | Ignored:
    """The targets that a call names, without repetition, or why it names none."""
    row = CALLS[call.service].get(call.name)
    if row is None:
        return Ignored(
            f"{call.action} is a read-only call"
            if reads(call.name)
            else f"{call.action} is no call that this version of ecr-warden knows"
        )
    if isinstance(row, Irrelevant):
        return Ignored(f"{call.action} {row.why}")
    if call.error:
        return Ignored(f"{call.action} failed ({call.error}) and changed nothing")
    if row.names is Names.POLICY and not own_resource(call):
        return Ignored(f"{call.action} changes a managed policy that is not ecr-warden's own")
    try:
        found = {target.key: target for target in map(parse_target, _keys(row.names, call))}
    except TargetError as error:
        return Ignored(f"{call.action} names no legal target: {error.message}")
    return tuple(found.values())


def targets_of(trigger: Trigger) -> tuple[Target, ...]:
    """The targets that have to be looked at because of the trigger."""
    match trigger:
        case ApiCall():
            found = look_up(trigger)
            return () if isinstance(found, Ignored) else found
        case SpecChanged() | SweepDue():
            return ()
        case _:
            assert_never(trigger)


def jobs_of(trigger: Trigger) -> tuple[Job, ...]:
    """The jobs that a trigger makes; empty when a call names no target."""
    match trigger:
        case ApiCall(event_id, at=at, actor=actor):
            cause = Cause(CauseKind.EVENT, event_id, trigger.action, at, trigger.error, actor=actor)
            own = own_resource(trigger)
            told = (TellOwnChange(cause, trigger.account, own),) if own else ()
            return (*told, *(ReconcileTarget(cause, target) for target in targets_of(trigger)))
        case SpecChanged(event_id, at=at, actor=actor, deleted=deleted):
            action = "s3:DeleteObject" if deleted else "s3:PutObject"
            stray = Misplaced(trigger.key, trigger.version_id) if trigger.misplaced else None
            return (AcceptSpec(Cause(CauseKind.EVENT, event_id, action, at, actor=actor), stray),)
        case SweepDue(event_id, at):
            # The event of a new spec version can be lost like any other.
            cause = Cause(CauseKind.SWEEP, event_id, at=at)
            return (AcceptSpec(cause), SweepAll(cause))
        case _:
            assert_never(trigger)


SPEC_ENDINGS = (".yaml", ".yml", ".json")
"""What a file that somebody takes for the spec ends in, in any case; other objects of the bucket are nobody's error."""


class SpecPlace(Struct, frozen=True):
    """Where the spec stands: its key, and whether a bucket is the spec's."""

    key: str
    is_bucket: Callable[[str], bool]


class Decision(Struct, frozen=True):
    """What set ecr-warden to work, the targets it names (none: all of them), and the jobs it makes."""

    trigger: Trigger
    targets: tuple[Target, ...]
    jobs: tuple[Job, ...]


def decide(event: object, place: SpecPlace) -> Decision | Ignored:
    """Decide about an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither."""
    trigger = parse_trigger(event)
    match trigger:
        case Ignored():
            return trigger
        case SpecChanged() if not place.is_bucket(trigger.bucket):
            return Ignored("another object than the spec")
        case SpecChanged() if trigger.key != place.key:
            return _of_another_key(trigger)
        case ApiCall():
            targets = look_up(trigger)
            return targets if isinstance(targets, Ignored) else Decision(trigger, targets, jobs_of(trigger))
        case _:
            return Decision(trigger, (), jobs_of(trigger))


def _of_another_key(written: SpecChanged) -> Decision | Ignored:
    """A file that was to be the spec and has another name: whoever wrote it waits, and is told."""
    if written.deleted or not written.key.lower().endswith(SPEC_ENDINGS):
        return Ignored("another object than the spec")
    misplaced = replace(written, misplaced=True)
    return Decision(misplaced, (), jobs_of(misplaced))
