"""Who gains and who loses what between two versions of the spec."""

import re
from collections.abc import Container
from enum import StrEnum

from ecr_warden.core.ecr import ADMIN, DELETE, PULL, PUSH
from ecr_warden.core.value import Value
from iam_access.arn import parse_arn

GROUPS = {"admin": ADMIN, "delete": DELETE, "push": PUSH, "pull": PULL}
"""Of each access."""
GRAVEST_FIRST = tuple(GROUPS)
_ORGANIZATION = re.compile(r"o-[a-z0-9]+")
_PROVIDER = re.compile(r"(oidc|saml)-provider/")
_ACCOUNT = re.compile(r"[0-9]{12}")


class Direction(StrEnum):
    """Whether a change gives access or takes it."""

    GAINS = "gains"
    LOSES = "loses"


class AccessChange(Value, frozen=True, omit_defaults=True):
    """One principal that gains or loses access to one repository, or to all that match a pattern.

    A principal may gain under some conditions and lose under others. Whoever belongs to an account, an organization or
    `*` that has the access has it too.
    """

    principal: str
    """The ARN of a user, role, session or provider, an account ID for anybody in it, an organization's ID for anybody
    in it, a service's name, `*` for anybody."""
    repository: str
    """The key of its target; the name is a pattern where it contains `*`, and so is a region `*`. Of the repositories
    that match a pattern, those that another change names by itself are not meant."""
    access: str
    """Pull or push; delete or admin where a literal document decides these."""
    direction: Direction
    through: tuple[str, ...] = ()
    """The ARNs of the roles to assume, in order."""
    conditions: tuple[str, ...] = ()
    """What has to hold, in words."""


def gravity(principal: str, access: str, accounts: Container[str]) -> tuple[int, int]:
    """A sort key: anybody, other accounts, organizations, services and providers, then who is in `accounts`."""
    arn = parse_arn(principal)
    account = principal if _ACCOUNT.fullmatch(principal) else arn.account if arn is not None else ""
    if principal == "*":
        foreignness = 0
    elif account and account not in accounts:
        foreignness = 1
    elif _ORGANIZATION.fullmatch(principal):
        foreignness = 2
    elif not account or (arn is not None and _PROVIDER.match(arn.resource)):
        foreignness = 3
    else:
        foreignness = 4 if account == principal else 5
    return foreignness, GRAVEST_FIRST.index(access)


class OtherChange(Value, frozen=True):
    """What a document of a target, by its key, gives or takes that is no kind of access, in words."""

    target: str
    text: str
    direction: Direction = Direction.GAINS


class AccessChanges(Value, frozen=True):
    """Every change of access."""

    changes: tuple[AccessChange, ...]
    undecided: tuple[str, ...] = ()
    """The keys of the repositories for which there was no time, or too much to compare: of these, nothing is known."""
    others: tuple[OtherChange, ...] = ()
    """What is given and taken besides."""
