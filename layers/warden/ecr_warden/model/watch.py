"""How the hub notices changes: the event sources that call it, and what the last sweep of each part found."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct, field

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.sessions import TrustLook
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget


class SourceState(StrEnum):
    """The state of an event source in AWS."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    TARGETLESS = "targetless"  # the rule is there and no longer leads to its function
    UNREADABLE = "unreadable"


class EventSource(Struct, frozen=True):
    """A rule or notification that calls the hub.

    `name`: AWS's name with its kind; `delivers`: what would be missing without it; `schedule`: of a scheduled rule;
    `why`: the error if it is unreadable.
    """

    name: str
    delivers: str
    state: SourceState
    schedule: str = ""
    why: str = ""


class SweepRecord(Struct, frozen=True):
    """The record of a sweep that has read all of a part.

    `part`: as part_of names it; `at`: when the sweep began to read; `version`: of the spec that it compared with.
    `fine`, `due`: keys of the targets that were in sync, and of those that have to be reconciled. Both are empty if
    there were too many to store; then the record says nothing about single targets. `trusts`: by a role's key, the last
    look of any sweep that read its trust policy in sync.
    """

    part: str
    at: datetime
    version: str
    fine: frozenset[str] = frozenset()
    due: frozenset[str] = frozenset()
    trusts: Mapping[str, TrustLook] = field(default_factory=dict)


def part_of(target: Target) -> str:
    """`ACCOUNT/REGION` of a repository, `ACCOUNT` of a user or role."""
    match target:
        case RepositoryTarget(account, region):
            return f"{account}/{region}"
        case RoleTarget(account) | UserTarget(account):
            return account
        case _:
            assert_never(target)


def parts_of(spec: CompiledSpec, leaving: Iterable[Target] = ()) -> frozenset[str]:
    """Every part that a sweep has to read; `leaving`: removed targets that have not lost their access yet."""
    targets = (
        *(target.target for target in spec.targets.values()),
        *(pattern.target for pattern in spec.patterns),
        *leaving,
    )
    return frozenset((*spec.accounts, *map(part_of, targets)))
