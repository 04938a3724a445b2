"""Stale reads: for a while after a write they show what was there before it (aws-facts 2.6: eventually consistent)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """A read that shows what a write changes; it is made with the write's parameters that it knows."""

    action: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past[T]:
    """An answer that a read still gives until a time in seconds."""

    answer: T
    until: float


def visible[T](past: tuple[Past[T], ...], now: float) -> Past[T] | None:
    """The oldest answer that has not ended, which is what a stale read shows; None for the current state."""
    return next((one for one in past if one.until > now), None)


def written[T](past: tuple[Past[T], ...], before: T, now: float, lag: float) -> tuple[Past[T], ...]:
    """The past answers after one more write; `before` is the answer of a read just before it."""
    return (*(one for one in past if one.until > now), Past(before, now + lag))


_REPOSITORY = (Read("GetRepositoryPolicy", ("repositoryName",)),)
_ROLE = (Read("GetRole", ("RoleName",)),)


def _inline(owner: str) -> tuple[Read, ...]:
    name = f"{owner}Name"
    return Read(f"Get{owner}Policy", (name, "PolicyName")), Read(f"List{owner}Policies", (name,))


def _attached(owner: str) -> tuple[Read, ...]:
    return (Read(f"ListAttached{owner}Policies", (f"{owner}Name",)),)


# By the write: the reads that show it late.
SHOWN_LATE: Mapping[tuple[str, str], tuple[Read, ...]] = {
    ("ecr", "SetRepositoryPolicy"): _REPOSITORY,
    ("ecr", "DeleteRepositoryPolicy"): _REPOSITORY,
    ("iam", "UpdateAssumeRolePolicy"): _ROLE,
    ("iam", "UpdateRole"): _ROLE,
    ("iam", "PutRolePermissionsBoundary"): _ROLE,
    ("iam", "DeleteRolePermissionsBoundary"): _ROLE,
    **{("iam", f"{verb}{owner}Policy"): _inline(owner) for verb in ("Put", "Delete") for owner in ("Role", "User")},
    **{
        ("iam", f"{verb}{owner}Policy"): _attached(owner) for verb in ("Attach", "Detach") for owner in ("Role", "User")
    },
}
READ_LATE: Mapping[tuple[str, str], tuple[str, ...]] = {
    (service, read.action): read.parameters for (service, _), reads in SHOWN_LATE.items() for read in reads
}
