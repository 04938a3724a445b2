"""The table of watched API calls: event name -> targets. An event names targets and decides nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from ecr_warden.model.job import AcceptSpec, Cause, CauseKind, Job, ReconcileTarget, SweepSlice
from ecr_warden.model.target import Target, TargetError, parse_target
from ecr_warden.triggers.trigger import ApiCall, Ignored, Service, SpecChanged, SweepDue, Trigger

type Keys = Callable[[ApiCall], tuple[str, ...]]


def _repository(call: ApiCall) -> tuple[str, ...]:
    # A call across accounts is reported in the caller's account too; registryId says whose repository it was.
    return (f"repository/{call.parameters.registry or call.account}/{call.region}/{call.parameters.repository}",)


def _role(call: ApiCall) -> tuple[str, ...]:
    return (f"role/{call.account}/{call.parameters.role}",)


def _user(call: ApiCall) -> tuple[str, ...]:
    return (f"user/{call.account}/{call.parameters.user}",)


def _renamed_user(call: ApiCall) -> tuple[str, ...]:
    new = call.parameters.new_user
    return _user(call) + ((f"user/{call.account}/{new}",) if new else ())


@dataclass(frozen=True, slots=True)
class Row:
    """How a call names its targets, and why a target of today has to be looked at."""

    keys: Keys
    why: str


WATCHED: Mapping[Service, Mapping[str, Row]] = {
    Service.ECR: {
        "SetRepositoryPolicy": Row(_repository, "replaces the repository policy"),
        "DeleteRepositoryPolicy": Row(_repository, "takes the repository policy away"),
        "CreateRepository": Row(_repository, "a new repository has no policy yet, or a template's"),
        "DeleteRepository": Row(_repository, "the repository policy is gone with its repository"),
    },
    Service.IAM: {
        "CreateRole": Row(_role, "the role may have another unique id, trust policy and no other policies"),
        "DeleteRole": Row(_role, "the role is gone, and policies that trust it stop matching"),
        "UpdateRole": Row(_role, "sets MaxSessionDuration"),
        "UpdateAssumeRolePolicy": Row(_role, "replaces the trust policy"),
        "PutRolePolicy": Row(_role, "writes an inline policy"),
        "DeleteRolePolicy": Row(_role, "takes an inline policy away"),
        "AttachRolePolicy": Row(_role, "an exclusive role has no attached policy"),
        "DetachRolePolicy": Row(_role, "may end an earlier drift"),
        "PutRolePermissionsBoundary": Row(_role, "replaces the boundary"),
        "DeleteRolePermissionsBoundary": Row(_role, "takes the boundary away"),
        "TagRole": Row(_role, "may put ecr-warden's tag on"),
        "UntagRole": Row(_role, "may take ecr-warden's tag off"),
        "CreateUser": Row(_user, "policies that name an earlier user of that name do not match the new one"),
        "DeleteUser": Row(_user, "the user is gone, and policies that name it stop matching"),
        "UpdateUser": Row(_renamed_user, "renames or moves a user: its ARN changes"),
        "PutUserPolicy": Row(_user, "writes an inline policy"),
        "DeleteUserPolicy": Row(_user, "takes an inline policy away"),
        "AttachUserPolicy": Row(_user, "the owner's other policies are left alone and watched"),
        "DetachUserPolicy": Row(_user, "the owner's other policies are left alone and watched"),
        "PutUserPermissionsBoundary": Row(_user, "a boundary can take the owner's grant away"),
        "DeleteUserPermissionsBoundary": Row(_user, "a boundary's end can give the owner's grant back"),
        "AddUserToGroup": Row(_user, "a group's policies become the owner's"),
        "RemoveUserFromGroup": Row(_user, "a group's policies stop being the owner's"),
    },
}

# Access can change by these as well, but what they change is no target yet: the sweep compares nothing of it either.
_MANAGED = "changes a managed policy, which is no target: attaching it to an exclusive role is what is watched"
_GROUP = "changes a group, which is no target"
_REGISTRY = "changes the registry, which is no target"
NOT_YET: Mapping[Service, Mapping[str, str]] = {
    Service.ECR: {
        "PutRegistryPolicy": _REGISTRY,
        "DeleteRegistryPolicy": _REGISTRY,
        "PutAccountSetting": _REGISTRY,
        "CreateRepositoryCreationTemplate": _REGISTRY,
        "UpdateRepositoryCreationTemplate": _REGISTRY,
        "DeleteRepositoryCreationTemplate": _REGISTRY,
    },
    Service.IAM: {
        "CreatePolicyVersion": _MANAGED,
        "SetDefaultPolicyVersion": _MANAGED,
        "DeletePolicyVersion": _MANAGED,
        "DeletePolicy": _MANAGED,
        "PutGroupPolicy": _GROUP,
        "DeleteGroupPolicy": _GROUP,
        "AttachGroupPolicy": _GROUP,
        "DetachGroupPolicy": _GROUP,
        "UpdateGroup": _GROUP,
        "CreateAccessKey": "makes a credential of a user and changes no policy",
        "CreateLoginProfile": "makes a credential of a user and changes no policy",
        "AddRoleToInstanceProfile": "lets instances use the role and changes no policy of it",
    },
}


def look_up(call: ApiCall) -> tuple[Target, ...] | Ignored:
    """The targets that a call names, without repetition, or why it names none."""
    row = WATCHED[call.service].get(call.name)
    if row is None:
        reason = NOT_YET[call.service].get(call.name, "changes nothing that a grant rests on")
        return Ignored(f"{call.action} {reason}")
    if call.error:
        return Ignored(f"{call.action} failed ({call.error}) and changed nothing")
    try:
        found = {target.key: target for target in map(parse_target, row.keys(call))}
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
            return tuple(ReconcileTarget(cause, target) for target in targets_of(trigger))
        case SpecChanged(event_id, at=at, actor=actor):
            return (AcceptSpec(Cause(CauseKind.EVENT, event_id, "s3:PutObject", at, actor=actor)),)
        case SweepDue(event_id, at):
            # The event of a new spec version can be lost like any other.
            cause = Cause(CauseKind.SWEEP, event_id, at=at)
            return (AcceptSpec(cause), SweepSlice(cause))
        case _:
            assert_never(trigger)
