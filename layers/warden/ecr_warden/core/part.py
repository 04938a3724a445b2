"""The parts of a sweep: an account's users and roles, and the repositories of each of its regions."""

from ecr_warden.core.target import RepositoryTarget, Target


def part_of(target: Target) -> str:
    """The part of a sweep: `ACCOUNT/REGION` of a repository, `ACCOUNT` of a user or role."""
    return f"{target.account}/{target.region}" if isinstance(target, RepositoryTarget) else target.account


def part_of_key(key: str) -> str:
    """The part of the target that has this key."""
    kind, account, name = key.split("/", 2)
    return f"{account}/{name.partition('/')[0]}" if kind == "repository" else account
