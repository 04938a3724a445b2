"""Amazon resource names: parsed once, rendered in one place.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import re
from functools import lru_cache

from msgspec import Struct

ARN_COLONS = 5
"""Between the six parts of an ARN; the last part may have more."""
ACCOUNT_ID = re.compile(r"[0-9]{12}")
IAM_ARN = re.compile(r"arn:([A-Za-z0-9-]+):(?:iam|sts)::([0-9]{12}):(.*)", re.DOTALL)
"""Partition, account and the rest of an ARN of IAM or STS; any partition, because new ones appear without notice."""
PARTITION = re.compile(r"aws(-[a-z]+)*")
IAM_REGION = "us-east-1"
"""The region for which requests to IAM are signed, and the only one in which CloudTrail reports them.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
"""
CLOUDS = {
    "aws-us-gov": "AWS GovCloud (US)",
    "aws-cn": "AWS China",
    "aws-eusc": "the AWS European Sovereign Cloud",
}
"""The partitions that people know by a name; no principal of one gets into an account of another.

Source: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
"""
_MAX_LENGTH = 2048


class Arn(Struct, frozen=True):
    """`arn:partition:service:region:account:resource`; region and account may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """The part after the last slash: the name of an IAM user or role, whatever its path."""
        return self.resource.rpartition("/")[2]


def parse_arn(text: str) -> Arn | None:
    """Parse an ARN; None for any other text."""
    match text.split(":", ARN_COLONS) if len(text) <= _MAX_LENGTH else ():
        case "arn", partition, service, region, account, resource if (
            PARTITION.fullmatch(partition) and service and resource
        ):
            return Arn(partition, service, region, account, resource)
        case _:
            return None


def iam_arn(account: str, resource: str, partition: str = "aws") -> str:
    """`iam_arn("111111111111", "user/push-user")`."""
    return f"arn:{partition}:iam::{account}:{resource}"


def account_of(text: str) -> str:
    """The account that an account ID or an ARN names; empty for any other text."""
    if ACCOUNT_ID.fullmatch(text):
        return text
    arn = parse_arn(text)
    return arn.account if arn else ""


def account_of_root(text: str) -> str | None:
    """The account whose root this ARN is; None for any other text."""
    found = IAM_ARN.fullmatch(text)
    return found[2] if found and found[3] == "root" else None


def account_part(text: str) -> str | None:
    """The account of an ARN or of a pattern for ARNs as written, perhaps empty; None if it lacks parts."""
    parts = text.split(":", ARN_COLONS)
    return parts[4] if len(parts) > ARN_COLONS else None


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}


@lru_cache(maxsize=1024)
def partition_of(region: str) -> str:
    """The partition that a region belongs to: `aws-cn` for `cn-north-1`."""
    return next((partition for start, partition in _PARTITIONS.items() if region.startswith(start)), "aws")


def cloud_of(partition: str) -> str:
    """What people call a partition."""
    return CLOUDS.get(partition, f"the partition {partition}")
