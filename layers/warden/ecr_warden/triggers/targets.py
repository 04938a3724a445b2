"""From a trigger to targets and jobs. An event names targets and decides nothing else."""

from typing import assert_never

from ecr_warden.model.job import (
    AcceptSpec,
    Cause,
    CauseKind,
    Job,
    Misplaced,
    ReconcileTarget,
    SweepAll,
    TellOwnChange,
)
from ecr_warden.model.target import Target, TargetError, parse_target
from ecr_warden.triggers.calls import CALLS, Irrelevant, Names, reads
from ecr_warden.triggers.own_resources import own_resource
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged, SweepDue, Trigger


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
