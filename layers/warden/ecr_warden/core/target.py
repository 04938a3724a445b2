"""What one reconcile works on: a repository in a region, a role, or a user.

A target has no state. Its text (`str`) is what people and JSON see and what `parse_target` reads; its `key` is what
it is known by: IAM names are unique whatever their case, and a caller's event may spell them otherwise than the spec.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from ecr_warden.core.value import opaque
from iam_access.arn import ACCOUNT_ID, iam_arn, parse_arn
from iam_access.errors import NamedError
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.text.printable import printable

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
# Source: SetRepositoryPolicy's and GetRole's parameter constraints in the ECR and IAM API references.
REPOSITORY_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
IAM_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
EVERYTHING = "all"  # in place of targets: whatever there is


class TargetError(NamedError, code="target"):
    """The text does not name a target."""


class RepositoryTarget(Struct, frozen=True, order=True):
    """An ECR repository in one region of one account."""

    account: str
    region: str
    name: str

    @property
    def key(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"repository/{self.account}/{self.region}/{self.name}"


class _Identity(Struct, frozen=True, order=True):
    account: str
    name: str
    identity_kind: ClassVar[IdentityKind]

    @property
    def key(self) -> str:
        return str(self).lower()


class RoleTarget(_Identity, frozen=True, order=True):
    """An IAM role, by name: AWS keeps names unique in an account whatever their path and case."""

    identity_kind: ClassVar[IdentityKind] = IdentityKind.ROLE

    def __str__(self) -> str:
        return f"role/{self.account}/{self.name}"


class UserTarget(_Identity, frozen=True, order=True):
    """An IAM user, by name."""

    identity_kind: ClassVar[IdentityKind] = IdentityKind.USER

    def __str__(self) -> str:
        return f"user/{self.account}/{self.name}"


type IdentityTarget = RoleTarget | UserTarget
if TYPE_CHECKING:
    type Target = RepositoryTarget | IdentityTarget
else:
    Target = opaque("Target", RepositoryTarget, RoleTarget, UserTarget)


def parse_target(text: str) -> Target:
    """Parse a target's text; raises TargetError."""
    kind, _, rest = text.partition("/")
    account, _, rest = rest.partition("/")
    if ACCOUNT_ID.fullmatch(account):
        region, _, repository = rest.partition("/")
        if kind == "repository" and REGION.fullmatch(region) and is_repository_name(repository):
            return RepositoryTarget(account, region, repository)
        if kind == "role" and IAM_NAME.fullmatch(rest):
            return RoleTarget(account, rest)
        if kind == "user" and IAM_NAME.fullmatch(rest):
            return UserTarget(account, rest)
    raise TargetError(
        f"not a target: '{printable(text, 120)}'",
        remedy="write repository/ACCOUNT/REGION/NAME, role/ACCOUNT/NAME or user/ACCOUNT/NAME",
    )


def is_repository_name(text: str) -> bool:
    """Whether ECR would accept the text as a repository name (2 to 256 characters)."""
    return 2 <= len(text) <= 256 and REPOSITORY_NAME.fullmatch(text) is not None


def target_arn(target: Target, *, path: str = "/") -> str:
    """The target's ARN; `path` is the IAM path of a user or role."""
    if isinstance(target, RepositoryTarget):
        return f"arn:aws:ecr:{target.region}:{target.account}:repository/{target.name}"
    return iam_arn(target.account, f"{target.identity_kind}{path}{target.name}")


def target_named(arn: str) -> Target | None:
    """The target with this ARN, None for an ARN of anything else."""
    parsed = parse_arn(arn)
    if parsed is None or not parsed.name:
        return None
    kind, _, rest = parsed.resource.partition("/")
    match parsed.service, kind:
        case "ecr", "repository":
            return RepositoryTarget(parsed.account, parsed.region, rest)
        case "iam", "user":
            return UserTarget(parsed.account, parsed.name)
        case "iam", "role":
            return RoleTarget(parsed.account, parsed.name)
        case _:
            return None


def new_targets(patterns: Sequence[str]) -> str:
    """What patterns select besides what is there now: `new targets that match shop/*`."""
    return "new targets" if EVERYTHING in patterns else f"new targets that match {', '.join(patterns)}"
