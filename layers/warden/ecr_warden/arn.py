"""Amazon resource names: parsed once, rendered in one place.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import re

from msgspec import Struct

from ecr_warden.errors import WardenError

ARN_COLONS = 5
"""Between the six parts of an ARN; the last part may have more."""
ACCOUNT_ID = re.compile(r"[0-9]{12}")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_MAX_LENGTH = 2048


class ArnError(WardenError):
    """The text is not an ARN."""

    code = "arn"


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


def parse_arn(text: str) -> Arn:
    """Parse an ARN; raises ArnError."""
    parts = text.split(":", 5) if len(text) <= _MAX_LENGTH else []
    if len(parts) != 6 or parts[0] != "arn" or not _PARTITION.fullmatch(parts[1]) or not parts[2] or not parts[5]:
        raise ArnError(f"not an ARN: {text[:80]!r}", remedy="write arn:partition:service:region:account:resource")
    return Arn(*parts[1:])


def iam_arn(account: str, resource: str) -> str:
    """`iam_arn("111111111111", "user/push-user")`."""
    return f"arn:aws:iam::{account}:{resource}"
