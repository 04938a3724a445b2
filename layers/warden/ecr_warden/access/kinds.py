"""The kinds of access to a repository, and the actions that each requires."""

from collections.abc import Mapping
from enum import StrEnum

TOKEN = "ecr:GetAuthorizationToken"  # noqa: S105 - an action's name


class Access(StrEnum):
    """A kind of access. Pull and push are what docker needs, including its token; admin is writing the policy."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMIN = "admin"


# Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html and
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
ACTIONS: Mapping[Access, tuple[str, ...]] = {
    Access.PULL: ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    Access.PUSH: (
        "ecr:PutImage",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:BatchGetImage",
    ),
    Access.DELETE: ("ecr:BatchDeleteImage",),
    Access.ADMIN: ("ecr:SetRepositoryPolicy",),
}
"""What each kind of access requires of the repository."""
WITH_TOKEN = (Access.PULL, Access.PUSH)
