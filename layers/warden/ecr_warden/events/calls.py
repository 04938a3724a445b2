"""API calls and what they mean: each call of ecr and iam that writes, and calls elsewhere that blind ecr-warden.

Read-only calls are recognized by name (`reads`). A call that is neither in the table nor read-only is newer than this
version; a test compares the table with botocore's service models.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from ecr_warden.events.trigger import Blindable, WatchedService


class NamesOfCall(StrEnum):
    """What a watched call names."""

    REPOSITORY = "the repository"
    REGISTRY = "the registry"
    ROLE = "the role"
    SESSIONS = "the role's sessions"
    USER = "the user"
    BOTH_USERS = "the user under both names"
    CREDENTIAL = "the user's credential"
    IMAGES = "the repository's images"
    GROUP = "the group"
    POLICY = "the managed policy"
    PROVIDER = "the identity provider"
    CERTIFICATE = "the identity provider's certificate"
    SETTING = "the registry's settings"


class Watched(Struct, frozen=True):
    """The call makes jobs for what it names, because `why`."""

    names: NamesOfCall
    why: str
    surveys: bool = True
    """It can change who has access to what."""


class Irrelevant(Struct, frozen=True):
    """The call makes no job, because `why`."""

    why: str


type Row = Watched | Irrelevant

READS = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Simulate", "Generate", "Validate")
"""Prefixes of calls that change no document (generating a report or a preview of access is a read)."""


def reads(name: str) -> bool:
    """Whether a call of that name only reads."""
    return name.startswith(READS)


def _irrelevant(why: str, names: str) -> dict[str, Row]:
    return dict.fromkeys(names.split(), Irrelevant(why))


def _watched(names: NamesOfCall, **why: str) -> dict[str, Row]:
    return {name: Watched(names, reason) for name, reason in why.items()}


_ECR: Mapping[str, Row] = {
    **_watched(
        NamesOfCall.REPOSITORY,
        SetRepositoryPolicy="replaces the repository policy",
        DeleteRepositoryPolicy="deletes the repository policy",
        CreateRepository="a new repository has no policy yet, or a template's",
        DeleteRepository="deletes the repository and its policy",
    ),
    # What these change is no target: it is surveyed, and an audit reports whom it lets in.
    **_watched(
        NamesOfCall.REGISTRY,
        PutRegistryPolicy="replaces the policy over every repository of the registry",
        DeleteRegistryPolicy="deletes the policy over every repository of the registry",
        PutAccountSetting="may change what the registry policy decides",
        PutReplicationConfiguration="may copy images to another registry",
        StartReplicationBackfill="copies the images that are there already",
        CreateRepositoryCreationTemplate="may give new repositories a policy",
        UpdateRepositoryCreationTemplate="may give new repositories another policy",
        DeleteRepositoryCreationTemplate="new repositories get no policy of this template any more",
        CreatePullThroughCacheRule="lets images in from another registry",
        UpdatePullThroughCacheRule="may change how images come in from another registry",
        DeletePullThroughCacheRule="ends the way in from another registry",
    ),
    # No policy changes, and an image expires or moves as by a push: reported, of a repository that the spec names.
    "PutLifecyclePolicy": Watched(NamesOfCall.IMAGES, "may delete images, now and from now on", surveys=False),
    "DeleteLifecyclePolicy": Watched(NamesOfCall.IMAGES, "images that were to expire are kept", surveys=False),
    "PutImageTagMutability": Watched(NamesOfCall.IMAGES, "may let a push move a tag to another image", surveys=False),
    # No policy changes either; there is no target: reported of the registries of the spec's accounts.
    "DeleteSigningConfiguration": Watched(NamesOfCall.SETTING, "new images are not signed any more", surveys=False),
    "RegisterPullTimeUpdateExclusion": Watched(NamesOfCall.SETTING, "hides when somebody pulls", surveys=False),
    **_irrelevant("copies fewer images", "StopReplicationBackfill"),
    **_irrelevant(
        "changes images, not policies",
        """InitiateLayerUpload UploadLayerPart CompleteLayerUpload PutImage BatchDeleteImage UpdateImageStorageClass""",
    ),
    **_irrelevant(
        "changes how images are kept, scanned or signed, not who has access",
        """StartLifecyclePolicyPreview PutImageScanningConfiguration PutRegistryScanningConfiguration StartImageScan
        PutSigningConfiguration DeregisterPullTimeUpdateExclusion""",
    ),
    **_irrelevant("changes tags, not documents", "TagResource UntagResource"),
}

_IAM: Mapping[str, Row] = {
    **_watched(
        NamesOfCall.ROLE,
        CreateRole="a new role may have another unique ID and trust policy, and no other policies",
        AcquireRole="creates a role and its policies from a template",
        DeleteRole="deletes the role; policies that trust it no longer match",
        UpdateAssumeRolePolicy="replaces the trust policy",
        PutRolePolicy="writes an inline policy",
        DeleteRolePolicy="deletes an inline policy",
        AttachRolePolicy="an exclusive role has no attached policies",
        DetachRolePolicy="may remove an earlier drift",
        PutRolePermissionsBoundary="replaces the permissions boundary",
        DeleteRolePermissionsBoundary="removes the permissions boundary",
        TagRole="may add ecr-warden's tag",
        UntagRole="may remove ecr-warden's tag",
    ),
    "UpdateRole": Watched(NamesOfCall.SESSIONS, "sets MaxSessionDuration", surveys=False),
    **_watched(
        NamesOfCall.USER,
        CreateUser="policies that name an earlier user of the same name do not match the new one",
        DeleteUser="deletes the user; policies that name it no longer match",
    ),
    **_watched(NamesOfCall.BOTH_USERS, UpdateUser="renames or moves a user, which changes its ARN"),
    **_watched(
        NamesOfCall.USER,
        PutUserPolicy="writes an inline policy",
        DeleteUserPolicy="deletes an inline policy",
        AttachUserPolicy="an exclusive user has no attached policies",
        DetachUserPolicy="an exclusive user has no attached policies",
        PutUserPermissionsBoundary="a permissions boundary can block the user's grants",
        DeleteUserPermissionsBoundary="removing a permissions boundary can unblock the user's grants",
        AddUserToGroup="the group's policies start to apply to the user",
        RemoveUserFromGroup="the group's policies stop applying to the user",
        TagUser="conditions on the user's tags may hold now",
        UntagUser="conditions on the user's tags may no longer hold",
    ),
    **_watched(
        NamesOfCall.GROUP,
        UpdateGroup="renames or moves a group, which changes its ARN",
        PutGroupPolicy="writes an inline policy, which applies to the group's users",
        DeleteGroupPolicy="deletes an inline policy, which applied to the group's users",
        AttachGroupPolicy="the policy starts to apply to the group's users",
        DetachGroupPolicy="the policy stops applying to the group's users",
    ),
    # ecr-warden compares which boundary a push role has, not what that boundary allows: its content belongs to the
    # member stack. A change of it is only reported.
    **_watched(
        NamesOfCall.POLICY,
        CreatePolicyVersion="may change what the policy allows, in an identity or as a boundary",
        SetDefaultPolicyVersion="changes what the policy allows, in an identity or as a boundary",
    ),
    "DeletePolicy": Watched(NamesOfCall.POLICY, "may make room for another boundary of the same name", surveys=False),
    **_irrelevant("makes a managed policy that applies to nobody; attaching one is watched", "CreatePolicy"),
    **_irrelevant("deletes a version that is not in effect", "DeletePolicyVersion"),
    **_irrelevant("concerns a group without users and policies", "CreateGroup DeleteGroup"),
    **_irrelevant("changes only a role's description", "UpdateRoleDescription"),
    **_irrelevant(
        "concerns a service-linked role, which AWS owns and no grant names",
        "CreateServiceLinkedRole DeleteServiceLinkedRole",
    ),
    **_irrelevant(
        "controls which instances may use a role, not its policies",
        """CreateInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile
        TagInstanceProfile UntagInstanceProfile""",
    ),
    # What these change is no target, and no access that the spec does not give: an audit reports what it closes.
    **_watched(
        NamesOfCall.PROVIDER,
        CreateOpenIDConnectProvider="roles that trust the provider can be assumed with its tokens",
        DeleteOpenIDConnectProvider="roles that trust the provider cannot be assumed with its tokens any more",
        AddClientIDToOpenIDConnectProvider="roles that trust the provider for this audience can be assumed",
        RemoveClientIDFromOpenIDConnectProvider="roles that trust the provider for this audience cannot be assumed",
        DeleteSAMLProvider="roles that trust the provider cannot be assumed with its assertions any more",
    ),
    # A survey does not show whose certificate it is: reported, too.
    **_watched(
        NamesOfCall.CERTIFICATE,
        CreateSAMLProvider="whoever has its key can assume roles that trust a provider of this name",
        UpdateSAMLProvider="whoever has the new key can assume roles that trust the provider",
        UpdateOpenIDConnectProvider="may change whose tokens assume roles that trust the provider",
        UpdateOpenIDConnectProviderThumbprint="whoever has the new certificate can issue the provider's tokens",
    ),
    "CreateAccessKey": Watched(NamesOfCall.CREDENTIAL, "whoever has the key can what the user can", surveys=False),
    "UpdateAccessKey": Watched(
        NamesOfCall.CREDENTIAL, "whoever has the key can again what the user can", surveys=False
    ),
    "CreateLoginProfile": Watched(
        NamesOfCall.CREDENTIAL, "whoever has the password can what the user can", surveys=False
    ),
    "UpdateLoginProfile": Watched(
        NamesOfCall.CREDENTIAL, "whoever has the password can what the user can", surveys=False
    ),
    **_irrelevant(
        "changes a credential, not a policy",
        """DeleteAccessKey DeleteLoginProfile
        ChangePassword UploadSSHPublicKey UpdateSSHPublicKey DeleteSSHPublicKey UploadSigningCertificate
        UpdateSigningCertificate DeleteSigningCertificate UploadServerCertificate UpdateServerCertificate
        DeleteServerCertificate TagServerCertificate UntagServerCertificate CreateServiceSpecificCredential
        UpdateServiceSpecificCredential ResetServiceSpecificCredential DeleteServiceSpecificCredential
        CreateVirtualMFADevice EnableMFADevice ResyncMFADevice DeactivateMFADevice DeleteVirtualMFADevice TagMFADevice
        UntagMFADevice""",
    ),
    **_irrelevant(
        "changes an identity provider, not whether roles that trust it can be assumed with its tokens",
        "TagOpenIDConnectProvider UntagOpenIDConnectProvider TagSAMLProvider UntagSAMLProvider",
    ),
    **_irrelevant("changes tags, not documents", "TagPolicy UntagPolicy"),
    **_irrelevant(
        "lends the approver's permissions and writes no policy; calls made with them are reported themselves",
        """CreateDelegationRequest AssociateDelegationRequest UpdateDelegationRequest AcceptDelegationRequest
        RejectDelegationRequest SendDelegationToken""",
    ),
    **_irrelevant(
        "changes a setting of the account or organization, not a policy",
        """CreateAccountAlias DeleteAccountAlias UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy
        PutAccountProperties SetSecurityTokenServicePreferences EnableOutboundWebIdentityFederation
        DisableOutboundWebIdentityFederation EnableOrganizationsRootCredentialsManagement
        DisableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions
        DisableOrganizationsRootSessions""",
    ),
}

CALLS: Mapping[WatchedService, Mapping[str, Row]] = {WatchedService.ECR: _ECR, WatchedService.IAM: _IAM}

WATCHED: Mapping[WatchedService, Mapping[str, Watched]] = {
    service: {name: row for name, row in rows.items() if isinstance(row, Watched)} for service, rows in CALLS.items()
}
"""The calls that make jobs: what the rules of the member accounts have to forward."""


class Blinding(Struct, frozen=True):
    """A call of another service: what it changes, and what it can do to ecr-warden.

    The latter follows `cloudtrail:StopLogging`.
    """

    changes: Blindable
    effect: str
    in_members: bool = False
    """The members forward it; otherwise it is reported in the hub's account alone."""


def _can(changes: Blindable, effect: str, names: str, *, in_members: bool = False) -> dict[str, Blinding]:
    return dict.fromkeys(names.split(), Blinding(changes, effect, in_members))


BLINDING_CALLS: Mapping[str, Mapping[str, Blinding]] = {
    "cloudtrail": _can(
        Blindable.TRAIL,
        "can stop CloudTrail's events; the sweep does not need them",
        "StopLogging DeleteTrail UpdateTrail PutEventSelectors",
        in_members=True,
    ),
    "events": _can(
        Blindable.RULE,
        "can stop the forwarding of events, or the schedule; either works without the other",
        "DisableRule DeleteRule PutRule RemoveTargets PutTargets",
        in_members=True,
    )
    | _can(
        Blindable.BUS,
        "can stop events from arriving; the sweep does not need them",
        "DeleteEventBus UpdateEventBus RemovePermission PutPermission",
    ),
    "cloudformation": _can(
        Blindable.STACK,
        "can change or delete all that a stack consists of; it is also how stacks are deployed",
        "UpdateStack ExecuteChangeSet DeleteStack",
        in_members=True,
    ),
    "s3": _can(
        Blindable.BUCKET,
        "can hide or replace the spec; the last accepted version stays enforced",
        """PutBucketNotification PutBucketVersioning PutBucketPolicy DeleteBucketPolicy PutBucketPublicAccessBlock
        DeleteBucketPublicAccessBlock""",
    ),
    "sqs": _can(
        Blindable.QUEUE,
        "can lose jobs and events; the next sweep creates the jobs again",
        "SetQueueAttributes PurgeQueue DeleteQueue",
    ),
    "lambda": _can(
        Blindable.FUNCTION,
        "can stop or replace a function; the hub's alarms report its errors and waiting jobs",
        """UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction PutFunctionConcurrency RemovePermission
        PutResourcePolicy DeleteResourcePolicy PutFunctionRecursionConfig PutFunctionEventInvokeConfig
        UpdateFunctionEventInvokeConfig
        DeleteFunctionEventInvokeConfig""",
    )
    | _can(
        Blindable.MAPPING,
        "can stop a queue from being polled; the hub's alarms report waiting jobs",
        "UpdateEventSourceMapping DeleteEventSourceMapping",
    ),
    "ssm": _can(
        Blindable.SWITCH,
        "can stop or enable all writes; what the stop switch says is announced",
        "PutParameter DeleteParameter DeleteParameters",
    ),
}
"""Service -> call -> what it can do to ecr-warden. No job reverts these calls; those on what is ours are reported."""
SILENCING: Mapping[str, Blinding] = {
    "sns": Blinding(Blindable.TOPIC, "can silence the alert topic; the webhook, if there is one, still says so"),
    "kms": Blinding(Blindable.KEY, "can silence the alert topic, which the key encrypts; the webhook still says so"),
    "monitoring": Blinding(Blindable.ALARM, "can silence the hub's alarms, not its alerts"),
    "dynamodb": Blinding(Blindable.TABLE, "can lose what ecr-warden remembers, without which it repairs nothing"),
    "secretsmanager": Blinding(Blindable.WEBHOOK, "can silence the webhook; the alert topic still says so"),
    "ssm": Blinding(Blindable.WEBHOOK, "can silence the webhook; the alert topic still says so"),
}
"""Service -> what any call that writes can do, if it is on what alerts go through. Of keys and secrets that is
whichever the hub's rule lets through."""
# CloudTrail reports Lambda's calls with a version: UpdateFunctionCode20150331v2.
_VERSION = re.compile(r"[0-9]{8}(v[0-9]+)?")


def blinding(service: str, call: str) -> Blinding | None:
    """What a call can do to ecr-warden, if anything; a version at the end of the name is ignored."""
    return next((row for name, row in BLINDING_CALLS.get(service, {}).items() if _is(call, name)), None)


def _is(call: str, name: str) -> bool:
    return call == name or (call.startswith(name) and _VERSION.fullmatch(call, len(name)) is not None)
