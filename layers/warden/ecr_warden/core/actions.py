"""What a pull, a push and administering are, by ECR's actions: the one place that says it.

An access is what AWS allows by API. docker makes more calls (`FOR_DOCKER`): whoever lacks those has the access all the
same. Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
"""

from collections.abc import Mapping
from enum import StrEnum

TOKEN = "ecr:GetAuthorizationToken"  # noqa: S105 - an action's name
"""What docker signs in with. It is of no repository."""
IMPORT = "ecr:BatchImportUpstreamImage"
"""Has a pull-through cache fetch an image of its upstream, whose rule is an administrator's."""

REPLICATE = "ecr:ReplicateImage"
"""What a registry policy gives the account whose images are copied there; nobody calls it."""

REGISTRY_CALLS = (REPLICATE, "ecr:CreateRepository", IMPORT)
"""What a registry policy decides in either scope."""


class Access(StrEnum):
    """A kind of access; ADMIN: any call that changes images, a repository or its registry otherwise than a push."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMIN = "admin"


REQUIRED: Mapping[Access, tuple[str, ...]] = {
    Access.PULL: ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    # By itself it moves a tag to another image of the repository.
    Access.PUSH: ("ecr:PutImage",),
    Access.DELETE: ("ecr:BatchDeleteImage",),
    Access.ADMIN: ("ecr:SetRepositoryPolicy",),
}
"""What each kind of access requires, all of it. Of what administers (core.administering) this is the gravest."""
UPLOADS = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
"""They prepare a push, and change nothing by themselves."""
FOR_DOCKER: Mapping[Access, tuple[str, ...]] = {
    Access.PULL: (TOKEN,),
    Access.PUSH: ("ecr:BatchCheckLayerAvailability", *UPLOADS, "ecr:BatchGetImage", TOKEN),
}
"""What docker needs besides, all of it."""
