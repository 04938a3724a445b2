"""Groups of actions, and AWS's spelling of actions.

Actions of ECR and STS as in botocore 1.44.8 (2026-11). An action that is not listed keeps its spelling.
"""

from enum import StrEnum

from iam_access.text.ascii_case import ascii_lower


class ActionGroup(StrEnum):
    """What a set of actions allows."""

    EVERYTHING = "EVERYTHING"
    PULL = "PULL"
    PUSH = "PUSH"
    DELETE = "DELETE"
    ADMIN = "ADMIN"
    ASSUME = "ASSUME"
    OTHER = "OTHER"


_PULL = ("BatchGetImage", "GetDownloadUrlForLayer")
_PUSH = ("PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "BatchCheckLayerAvailability")
_DELETE = ("BatchDeleteImage", "DeleteRepository")
_ADMIN = (
    *("SetRepositoryPolicy", "DeleteRepositoryPolicy", "PutRegistryPolicy", "DeleteRegistryPolicy"),
    *("PutLifecyclePolicy", "DeleteLifecyclePolicy", "PutImageTagMutability", "PutImageScanningConfiguration"),
    *("PutRegistryScanningConfiguration", "PutReplicationConfiguration", "PutAccountSetting", "CreateRepository"),
    *("CreatePullThroughCacheRule", "UpdatePullThroughCacheRule", "DeletePullThroughCacheRule"),
    *("CreateRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate", "DeleteRepositoryCreationTemplate"),
    *("TagResource", "UntagResource"),
)
_TAGGING = ("SetSourceIdentity", "SetContext", "TagSession")
_ASSUME = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", *_TAGGING)
_READ = (
    *("GetAuthorizationToken", "GetRepositoryPolicy", "GetRegistryPolicy", "GetAccountSetting", "GetLifecyclePolicy"),
    *("GetLifecyclePolicyPreview", "GetRegistryScanningConfiguration", "DescribeImages", "DescribeImageScanFindings"),
    *("DescribeRepositories", "DescribeRegistry", "DescribePullThroughCacheRules", "ListImages", "ListTagsForResource"),
    *("StartImageScan", "StartLifecyclePolicyPreview", "BatchGetRepositoryScanningConfiguration", "ReplicateImage"),
    *("BatchImportUpstreamImage", "ValidatePullThroughCacheRule", "DescribeRepositoryCreationTemplates"),
    *("DescribeImageReplicationStatus",),
)

_TABLE = (
    ("ecr", ActionGroup.PULL, _PULL),
    ("ecr", ActionGroup.PUSH, _PUSH),
    ("ecr", ActionGroup.DELETE, _DELETE),
    ("ecr", ActionGroup.ADMIN, _ADMIN),
    ("ecr", ActionGroup.OTHER, _READ),
    ("sts", ActionGroup.ASSUME, _ASSUME),
)
_GROUPS = {f"{service}:{name}".lower(): group for service, group, names in _TABLE for name in names}
_SPELLING = {f"{service}:{name}".lower(): f"{service}:{name}" for service, _, names in _TABLE for name in names}
_EVERYTHING = frozenset({"*", "*:*", "ecr:*", "sts:*"})


TAGGING = frozenset(f"sts:{name}" for name in _TAGGING)
"""They let nobody in: they say what the session of whoever may assume a role carries."""


def group_of(action: str) -> ActionGroup:
    """The group of an action in any case; patterns are OTHER, except for all actions of ECR, STS or AWS."""
    lowered = ascii_lower(action)
    return ActionGroup.EVERYTHING if lowered in _EVERYTHING else _GROUPS.get(lowered, ActionGroup.OTHER)


def spelled(action: str) -> str:
    """An action as AWS spells it."""
    return _SPELLING.get(ascii_lower(action), action)


def actions_of(group: ActionGroup) -> tuple[str, ...]:
    """The known actions of a group, the most important first, as AWS spells them."""
    return tuple(f"{service}:{name}" for service, its, names in _TABLE if its is group for name in names)
