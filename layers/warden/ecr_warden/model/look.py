"""What the sweeps have looked at: everything falls into parts, and each part was looked at by the last sweep of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget


class Look(Struct, frozen=True):
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


def parts_of(spec: CompiledSpec, departing: Iterable[Target] = ()) -> frozenset[str]:
    """Every part that a sweep has to look at; `departing`: what left the spec and has not lost what it held."""
    targets = (
        *(target.target for target in spec.targets.values()),
        *(pattern.target for pattern in spec.patterns),
        *departing,
    )
    return frozenset((*spec.accounts, *map(part_of, targets)))
