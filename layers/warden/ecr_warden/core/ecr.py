"""ECR as iam_access is to know it: what its actions do, and which names its repositories have.

Actions as in botocore 1.44.8 (2026-11).
"""

from ecr_warden.core.actions import REQUIRED, TOKEN, UPLOADS, Access
from iam_access.delta.service import OTHER, ActionGroup, Service
from iam_access.who_can.powers import WRITING

REPOSITORY_POLICY_QUOTA = 10_240
"""A repository policy as sent; whether ECR ignores whitespace is unknown, so compact text is counted in full."""
_LOOK = "ecr:BatchCheckLayerAvailability"
PUSH = ActionGroup(
    "PUSH",
    (*REQUIRED[Access.PUSH], *UPLOADS, _LOOK),
    "push to {}",
    "push to {}",
)
PULL = ActionGroup("PULL", REQUIRED[Access.PULL], "pull from {}", "pull from {}")
DELETE = ActionGroup(
    "DELETE", ("ecr:BatchDeleteImage", "ecr:DeleteRepository"), "delete from {}", "deletion of images from {}"
)
ADMIN = ActionGroup(
    "ADMIN",
    (
        *("ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy", "ecr:PutRegistryPolicy", "ecr:DeleteRegistryPolicy"),
        *("ecr:PutLifecyclePolicy", "ecr:DeleteLifecyclePolicy", "ecr:PutImageTagMutability"),
        *("ecr:PutImageScanningConfiguration", "ecr:PutRegistryScanningConfiguration"),
        *("ecr:PutReplicationConfiguration", "ecr:PutAccountSetting", "ecr:CreateRepository"),
        *("ecr:CreatePullThroughCacheRule", "ecr:UpdatePullThroughCacheRule", "ecr:DeletePullThroughCacheRule"),
        *("ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"),
        *("ecr:DeleteRepositoryCreationTemplate", "ecr:TagResource", "ecr:UntagResource"),
    ),
    "administer {}",
    "administration of {}",
)
POWER = ActionGroup(
    "POWER",
    ("iam:*", "iam:UpdateAssumeRolePolicy", *sorted(WRITING)),
    "write policies of {}",
    "the right to write policies of {}",
)
"""What gives any access to whoever may call it."""
_LOGIN = ActionGroup("LOGIN", (TOKEN,), "log in to ECR", "login to ECR", on_all=True)
ECR = Service(
    prefix="ecr",
    noun="repository",
    policy_quota=REPOSITORY_POLICY_QUOTA,
    groups=(PUSH, PULL, DELETE, ADMIN, POWER),
    parts=(
        # The token gives no access by itself: other actions say to which repositories.
        _LOGIN,
        # A push needs it too, and alone it only says whether a layer is there: many pull policies have it.
        ActionGroup("LOOK", (_LOOK,), OTHER.does, OTHER.has),
    ),
)
