"""AWS's own managed policies, with as many versions and characters as AWS's have (aws-facts 11).

Paths, sizes and numbers of versions are those of 2026-11, as moto's copy of AWS's policies has them. What a policy
allows is AWS's where access to ECR or IAM depends on it; the rest of a large one is filled with other actions.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_PREFIX = "arn:aws:iam::aws:policy/"
_PULL = (
    *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"),
    *("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages"),
)
_PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@dataclass(frozen=True, slots=True)
class Published:
    """A policy of AWS's: its name with the path, how many versions there are, and how long the last one is."""

    name: str
    versions: int
    characters: int
    actions: tuple[str, ...] = ()
    element: str = "Action"

    @property
    def arn(self) -> str:
        return f"{_PREFIX}{self.name}"

    @property
    def default(self) -> str:
        """The version in effect, which is the last one."""
        return f"v{self.versions}"

    def __contains__(self, version: str) -> bool:
        return version in (f"v{number + 1}" for number in range(self.versions))

    def text(self, version: str) -> str:
        """What a version says: each has a little more than the one before."""
        return _text(self, version)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every version with its text, the latest first as AWS lists them."""
        for number in range(self.versions, 0, -1):
            yield f"v{number}", self.text(f"v{number}")


# Every new account of the emulator and of moto asks for hundreds of them, and they never change.
@cache
def _text(policy: Published, version: str) -> str:
    number = int(version.removeprefix("v"))
    statement = {"Sid": f"V{number}", "Effect": "Allow", policy.element: [*policy.actions], "Resource": "*"}
    length = len(_document(statement))
    wanted = policy.characters * (policy.versions + number) // (2 * policy.versions)
    more = [f"service{index // 40:03}:DescribeThings{index:05}" for index in range((wanted - length) // 34)]
    return _document(statement | {policy.element: [*policy.actions, *more]})


def _document(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


PUBLISHED: Mapping[str, Published] = {
    one.arn: one
    for one in (
        Published("AdministratorAccess", 1, 0, ("*",)),
        Published("PowerUserAccess", 8, 0, ("iam:*", "organizations:*", "account:*"), "NotAction"),
        Published("ReadOnlyAccess", 190, 94_907, _PULL),
        Published("SecurityAudit", 94, 39_323, ("ecr:Describe*", "ecr:GetRepositoryPolicy", "iam:Get*", "iam:List*")),
        Published("job-function/ViewOnlyAccess", 46, 23_178, ("ecr:DescribeRepositories", "ecr:ListImages")),
        Published("job-function/Billing", 30, 4_962),
        Published("AmazonEC2ContainerRegistryFullAccess", 3, 0, ("ecr:*", "cloudtrail:LookupEvents")),
        Published("AmazonEC2ContainerRegistryPowerUser", 4, 0, (*_PULL, *_PUSH)),
        Published("AmazonEC2ContainerRegistryReadOnly", 4, 0, _PULL),
        Published("AmazonEC2ContainerRegistryPullOnly", 1, 0, _PULL[:1] + _PULL[2:4]),
        Published("AmazonEKSWorkerNodePolicy", 5, 600),
        Published("AmazonEKS_CNI_Policy", 7, 700),
        Published("AmazonSSMManagedInstanceCore", 3, 900),
        Published("CloudWatchAgentServerPolicy", 3, 600),
        Published("AmazonSageMakerFullAccess", 29, 13_718, ("ecr:Describe*", *_PULL[:4])),
        Published("AWSBackupFullAccess", 30, 9_104),
        Published("AmazonECS_FullAccess", 22, 5_774),
        Published("service-role/AWSLambdaBasicExecutionRole", 1, 0, _LOGS),
        Published("service-role/AmazonECSTaskExecutionRolePolicy", 1, 0, (*_PULL[:4], *_LOGS[1:])),
        Published("service-role/AWS_ConfigRole", 73, 80_648, ("ecr:Describe*", "ecr:GetRepositoryPolicy")),
        Published("service-role/AWSBackupServiceRolePolicyForBackup", 30, 10_826),
        Published("aws-service-role/AWSSupportServiceRolePolicy", 59, 152_297, ("ecr:DescribeImages",)),
        Published("aws-service-role/AWSConfigServiceRolePolicy", 96, 81_955, ("ecr:DescribeRepositories",)),
        Published("aws-service-role/AWSResourceExplorerServiceRolePolicy", 55, 68_043, ("ecr:DescribeRepositories",)),
        Published("aws-service-role/AWSTrustedAdvisorServiceRolePolicy", 14, 2_500),
        Published("aws-service-role/AmazonEKSServiceRolePolicy", 27, 6_601),
        Published("aws-service-role/AmazonInspector2ServiceRolePolicy", 27, 7_051, _PULL),
        Published("aws-service-role/AccessAnalyzerServiceRolePolicy", 23, 2_766, ("ecr:GetRepositoryPolicy",)),
        Published("aws-service-role/FMSServiceRolePolicy", 37, 13_700),
    )
}
"""By ARN."""


def in_use(policies: Iterable[Any], usage: str, count: Callable[[Any, str], int]) -> list[Any]:
    """The policies that ListPolicies returns with OnlyAttached; `count`: of a policy, the field of that name.

    Without PolicyUsageFilter those in either use: which AWS means is UNVERIFIED.
    """
    counted = {"PermissionsPolicy": ("AttachmentCount",), "PermissionsBoundary": ("PermissionsBoundaryUsageCount",)}
    fields = counted.get(usage, ("AttachmentCount", "PermissionsBoundaryUsageCount"))
    return [one for one in policies if any(count(one, name) for name in fields)]
