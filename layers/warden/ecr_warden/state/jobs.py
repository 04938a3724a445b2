"""Repairs as jobs."""

from collections.abc import Iterable

from ecr_warden.core.job import Cause, ReconcileTarget
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target


def reconcile_jobs(cause: Cause, targets: Iterable[Target]) -> tuple[ReconcileTarget, ...]:
    """A job for each target: repositories first, then roles and users, so that access ends first where the images are.

    This is the order of sending; the queue preserves it only within a target (docs/adr/0011).
    """

    def order(target: Target) -> tuple[int, str]:
        rank = 0 if isinstance(target, RepositoryTarget) else 1 if isinstance(target, RoleTarget) else 2
        return rank, target.key

    return tuple(ReconcileTarget(cause, target) for target in sorted(targets, key=order))
