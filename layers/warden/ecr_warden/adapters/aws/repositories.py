"""Reading a repository's policy.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ecr_warden.adapters.aws import live_value
from ecr_warden.adapters.aws.errors import ECR, code_of, translated
from ecr_warden.model.observed import Absent, Observed, OwnerMissing
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.policy.document import DocumentKind

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PAGE = 1000


def list_names(ecr: "ECRClient", account: str, region: str) -> Iterator[str]:
    """The names of all repositories of a region, in as few calls as AWS allows; raises PortError."""
    with translated(ECR, f"listing the repositories of {account} in {region}"):
        pages = ecr.get_paginator("describe_repositories").paginate(
            registryId=account, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for repository in page["repositories"]:
                yield repository["repositoryName"]


def read_repository_policy(ecr: "ECRClient", target: RepositoryTarget) -> Observed:
    """The repository's policy; raises PortError. The registry is always named: its default is the caller's own."""
    with translated(ECR, f"reading the policy of {target}"):
        try:
            answer = ecr.get_repository_policy(registryId=target.account, repositoryName=target.name)
        except ClientError as error:
            match code_of(error):
                case "RepositoryPolicyNotFoundException":
                    return Absent()
                case "RepositoryNotFoundException":
                    return OwnerMissing()
                case _:
                    raise
    return live_value.document(answer["policyText"], DocumentKind.REPOSITORY)
