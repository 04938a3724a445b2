"""Which images are in a repository now."""

from collections.abc import Mapping

from ecr_warden.aws.accounts import Accounts
from ecr_warden.aws.errors import translated
from ecr_warden.aws.member_errors import ECR
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.aws_reading import PAGE


def images_in(accounts: Accounts, repository: RepositoryTarget) -> Mapping[str, str]:
    """The status of each image by its digest, such as ACTIVE and ARCHIVED; raises PortError.

    Without the filter archived images are left out.
    """
    with translated(ECR, f"listing the images of {repository}"):
        pages = (
            accounts.reader(repository.account)
            .ecr(repository.region)
            .get_paginator("describe_images")
            .paginate(
                registryId=repository.account,
                repositoryName=repository.name,
                filter={"imageStatus": "ANY"},
                PaginationConfig={"PageSize": PAGE},
            )
        )
        return {one["imageDigest"]: one.get("imageStatus", "ACTIVE") for page in pages for one in page["imageDetails"]}
