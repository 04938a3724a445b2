"""How the hub notices changes: the event sources that call it, and what the last sweep of each part found."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget


class SourceState(StrEnum):
    """How AWS shows one."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    TARGETLESS = "targetless"  # the rule is there and no longer leads to its function
    UNREADABLE = "unreadable"


class EventSource(Struct, frozen=True):
    """`name`: as AWS has it, with its kind; `brings`: what does not come without it; `why`: of one that is unreadable.

    `schedule`: of a rule that has one.
    """

    name: str
    brings: str
    state: SourceState
    schedule: str = ""
    why: str = ""


class SweepRecord(Struct, frozen=True):
    """A sweep's look at the whole of a part.

    `part`: as part_of says it; `at`: when the sweep began to read; `version`: of the spec that it compared with.
    `fine`, `due`: keys of the targets that were as the spec says, and of those that have to be reconciled. Both are
    empty where there were too many to be kept: then the look says nothing about any one target.
    """

    part: str
    at: datetime
    version: str
    fine: frozenset[str] = frozenset()
    due: frozenset[str] = frozenset()


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
    """Every part that a sweep has to look at; `leaving`: what left the spec and has not lost what it held."""
    targets = (
        *(target.target for target in spec.targets.values()),
        *(pattern.target for pattern in spec.patterns),
        *leaving,
    )
    return frozenset((*spec.accounts, *map(part_of, targets)))
