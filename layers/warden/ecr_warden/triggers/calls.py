"""API calls and what they mean: each call of ecr and iam that writes, and calls elsewhere that blind ecr-warden.

Read-only calls are recognized by name (`reads`). A call that is neither in the table nor read-only is newer than this
version; a test compares the table with botocore's service models.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from ecr_warden.triggers.trigger import Service


class Names(StrEnum):
    """What a watched call names."""

    REPOSITORY = "the repository"
    ROLE = "the role"
    USER = "the user"
    BOTH_USERS = "the user under both names"
    POLICY = "a policy of ecr-warden's own"


class Watched(Struct, frozen=True):
    """The call makes a job for what it names, because `why`."""

    names: Names
    why: str


class Irrelevant(Struct, frozen=True):
    """The call makes no job, because `why`."""

    why: str


type Row = Watched | Irrelevant

READS = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Simulate", "Generate", "Validate")
"""How the names of calls begin that change nothing a document says (reports and previews of access are reads)."""


def reads(name: str) -> bool:
    """Whether a call of that name only reads."""
    return name.startswith(READS)


def _each(why: str, *names: str) -> dict[str, Row]:
    return dict.fromkeys(names, Irrelevant(why))


def _repository(why: str) -> Watched:
    return Watched(Names.REPOSITORY, why)


def _role(why: str) -> Watched:
    return Watched(Names.ROLE, why)


def _user(why: str) -> Watched:
    return Watched(Names.USER, why)


def _policy(why: str) -> Watched:
    return Watched(Names.POLICY, why)


_ECR: Mapping[str, Row] = {
    "SetRepositoryPolicy": _repository("replaces the repository policy"),
    "DeleteRepositoryPolicy": _repository("takes the repository policy away"),
    "CreateRepository": _repository("a new repository has no policy yet, or a template's"),
    "DeleteRepository": _repository("the repository policy is gone with its repository"),
    # These decide on access too. Their documents are no target: neither the sweep nor a plan compares them.
    **_each(
        "changes the registry's own policy or its scope, which is no target",
        "PutRegistryPolicy",
        "DeleteRegistryPolicy",
        "PutAccountSetting",
    ),
    **_each(
        "changes no repository that exists: what a template gives a new one is read after its CreateRepository",
        "CreateRepositoryCreationTemplate",
        "UpdateRepositoryCreationTemplate",
        "DeleteRepositoryCreationTemplate",
    ),
    **_each(
        "decides where images come from or go to and changes no policy",
        "CreatePullThroughCacheRule",
        "UpdatePullThroughCacheRule",
        "DeletePullThroughCacheRule",
        "PutReplicationConfiguration",
        "StartReplicationBackfill",
        "StopReplicationBackfill",
    ),
    **_each(
        "changes images and no policy",
        "InitiateLayerUpload",
        "UploadLayerPart",
        "CompleteLayerUpload",
        "PutImage",
        "BatchDeleteImage",
        "UpdateImageStorageClass",
    ),
    **_each(
        "changes how images are kept, scanned or signed, and no access",
        "PutLifecyclePolicy",
        "DeleteLifecyclePolicy",
        "StartLifecyclePolicyPreview",
        "PutImageTagMutability",
        "PutImageScanningConfiguration",
        "PutRegistryScanningConfiguration",
        "StartImageScan",
        "PutSigningConfiguration",
        "DeleteSigningConfiguration",
        "RegisterPullTimeUpdateExclusion",
        "DeregisterPullTimeUpdateExclusion",
    ),
    **_each("changes tags and no document", "TagResource", "UntagResource"),
}

_IAM: Mapping[str, Row] = {
    "CreateRole": _role("the role may have another unique id, trust policy and no other policies"),
    "AcquireRole": _role("creates a role, with everything it has, from a template"),
    "DeleteRole": _role("the role is gone, and policies that trust it stop matching"),
    "UpdateRole": _role("sets MaxSessionDuration"),
    "UpdateAssumeRolePolicy": _role("replaces the trust policy"),
    "PutRolePolicy": _role("writes an inline policy"),
    "DeleteRolePolicy": _role("takes an inline policy away"),
    "AttachRolePolicy": _role("an exclusive role has no attached policy"),
    "DetachRolePolicy": _role("may end an earlier drift"),
    "PutRolePermissionsBoundary": _role("replaces the boundary"),
    "DeleteRolePermissionsBoundary": _role("takes the boundary away"),
    "TagRole": _role("may put ecr-warden's tag on"),
    "UntagRole": _role("may take ecr-warden's tag off"),
    "CreateUser": _user("policies that name an earlier user of that name do not match the new one"),
    "DeleteUser": _user("the user is gone, and policies that name it stop matching"),
    "UpdateUser": Watched(Names.BOTH_USERS, "renames or moves a user: its ARN changes"),
    "PutUserPolicy": _user("writes an inline policy"),
    "DeleteUserPolicy": _user("takes an inline policy away"),
    "AttachUserPolicy": _user("an exclusive user has no attached policy"),
    "DetachUserPolicy": _user("an exclusive user has no attached policy"),
    "PutUserPermissionsBoundary": _user("a boundary can take the owner's grant away"),
    "DeleteUserPermissionsBoundary": _user("a boundary's end can give the owner's grant back"),
    "AddUserToGroup": _user("a group's policies become the owner's"),
    "RemoveUserFromGroup": _user("a group's policies stop being the owner's"),
    # An exclusive role has no attached policy, so another version of one is the owner's other policy. The boundary's
    # content belongs to the member stack: whether a role stands under it is compared; that it changed is told.
    "CreatePolicyVersion": _policy("may change what the boundary of the roles allows"),
    "SetDefaultPolicyVersion": _policy("changes what the boundary of the roles allows"),
    "DeletePolicy": _policy("may make room for another boundary of that name"),
    **_each(
        "changes a managed policy, which is no target: attaching it to an exclusive role is what is watched",
        "CreatePolicy",
        "DeletePolicyVersion",
    ),
    **_each(
        "changes a group, which is no target: its policies are its members' other policies",
        "CreateGroup",
        "UpdateGroup",
        "DeleteGroup",
        "PutGroupPolicy",
        "DeleteGroupPolicy",
        "AttachGroupPolicy",
        "DetachGroupPolicy",
    ),
    **_each("changes a role's description only", "UpdateRoleDescription"),
    **_each(
        "concerns a service-linked role, which is AWS's own and no role of a grant",
        "CreateServiceLinkedRole",
        "DeleteServiceLinkedRole",
    ),
    **_each(
        "decides which instances may use a role and changes no policy of it",
        "CreateInstanceProfile",
        "DeleteInstanceProfile",
        "AddRoleToInstanceProfile",
        "RemoveRoleFromInstanceProfile",
        "TagInstanceProfile",
        "UntagInstanceProfile",
    ),
    **_each(
        "changes a credential and no policy",
        "CreateAccessKey",
        "UpdateAccessKey",
        "DeleteAccessKey",
        "CreateLoginProfile",
        "UpdateLoginProfile",
        "DeleteLoginProfile",
        "ChangePassword",
        "UploadSSHPublicKey",
        "UpdateSSHPublicKey",
        "DeleteSSHPublicKey",
        "UploadSigningCertificate",
        "UpdateSigningCertificate",
        "DeleteSigningCertificate",
        "UploadServerCertificate",
        "UpdateServerCertificate",
        "DeleteServerCertificate",
        "TagServerCertificate",
        "UntagServerCertificate",
        "CreateServiceSpecificCredential",
        "UpdateServiceSpecificCredential",
        "ResetServiceSpecificCredential",
        "DeleteServiceSpecificCredential",
        "CreateVirtualMFADevice",
        "EnableMFADevice",
        "ResyncMFADevice",
        "DeactivateMFADevice",
        "DeleteVirtualMFADevice",
        "TagMFADevice",
        "UntagMFADevice",
    ),
    **_each(
        "changes an identity provider and no document that trusts it",
        "CreateOpenIDConnectProvider",
        "DeleteOpenIDConnectProvider",
        "AddClientIDToOpenIDConnectProvider",
        "RemoveClientIDFromOpenIDConnectProvider",
        "UpdateOpenIDConnectProvider",
        "UpdateOpenIDConnectProviderThumbprint",
        "TagOpenIDConnectProvider",
        "UntagOpenIDConnectProvider",
        "CreateSAMLProvider",
        "UpdateSAMLProvider",
        "DeleteSAMLProvider",
        "TagSAMLProvider",
        "UntagSAMLProvider",
    ),
    **_each("changes tags and no document", "TagUser", "UntagUser", "TagPolicy", "UntagPolicy"),
    **_each(
        "lends the rights of who approves it and writes no policy: calls made with them are reported by themselves",
        "CreateDelegationRequest",
        "AssociateDelegationRequest",
        "UpdateDelegationRequest",
        "AcceptDelegationRequest",
        "RejectDelegationRequest",
        "SendDelegationToken",
    ),
    **_each(
        "is a setting of the account or organization and changes no policy",
        "CreateAccountAlias",
        "DeleteAccountAlias",
        "UpdateAccountPasswordPolicy",
        "DeleteAccountPasswordPolicy",
        "PutAccountProperties",
        "SetSecurityTokenServicePreferences",
        "EnableOutboundWebIdentityFederation",
        "DisableOutboundWebIdentityFederation",
        "EnableOrganizationsRootCredentialsManagement",
        "DisableOrganizationsRootCredentialsManagement",
        "EnableOrganizationsRootSessions",
        "DisableOrganizationsRootSessions",
    ),
}

CALLS: Mapping[Service, Mapping[str, Row]] = {Service.ECR: _ECR, Service.IAM: _IAM}

WATCHED: Mapping[Service, Mapping[str, Watched]] = {
    service: {name: row for name, row in rows.items() if isinstance(row, Watched)} for service, rows in CALLS.items()
}
"""The rows that make jobs: what the members' rules have to forward."""


# Lambda reports UpdateFunctionCode20150331v2, S3 and others their plain names.
_VERSION = re.compile(r"[0-9]{8}(v[0-9]+)?")

_TRAIL = "can end CloudTrail's reports; the sweep needs none of them"
_RULES = "can end the forwarding of reports, or the schedule; the sweep and the reports do without each other"
_BUS = "can end the reception of reports; the sweep needs none of them"
_SPEC = "can hide or replace the spec; the last accepted one stays enforced"
_QUEUE = "can lose jobs and reports; the next sweep makes them again"
_KEY = "can silence what it encrypts, the alert topic among it; repairs go on"
_FUNCTION = "can stop or replace a function; the hub's alarms tell of its errors and of jobs that wait"

BLINDING_CALLS: Mapping[str, Mapping[str, str]] = {
    "cloudtrail": dict.fromkeys(("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"), _TRAIL),
    "events": dict.fromkeys(("DisableRule", "DeleteRule", "PutRule", "RemoveTargets", "PutTargets"), _RULES)
    | dict.fromkeys(("DeleteEventBus", "RemovePermission", "PutPermission"), _BUS),
    "s3": dict.fromkeys(
        (
            "PutBucketNotification",
            "PutBucketNotificationConfiguration",
            "PutBucketVersioning",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
        ),
        _SPEC,
    ),
    "sqs": dict.fromkeys(("SetQueueAttributes", "PurgeQueue", "DeleteQueue"), _QUEUE),
    "kms": dict.fromkeys(("DisableKey", "ScheduleKeyDeletion"), _KEY),
    "lambda": dict.fromkeys(
        (
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
            "PutFunctionConcurrency",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
            "RemovePermission",
        ),
        _FUNCTION,
    ),
}
"""Service -> call -> what it can do to ecr-warden. Each reads on after `cloudtrail:StopLogging`."""


def blinding_effect(service: str, call: str) -> str:
    """What a call can do to ecr-warden; empty for all others. A version at the end of the name is looked past."""
    rows = BLINDING_CALLS.get(service, {})
    if call in rows:
        return rows[call]
    return next((why for name, why in rows.items() if _is_version_of(call, name)), "")


def _is_version_of(call: str, name: str) -> bool:
    return call.startswith(name) and _VERSION.fullmatch(call, len(name)) is not None
