"""In which order targets are enqueued."""

from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target


def registry_first(target: Target) -> tuple[int, str]:
    """A sort key. Taking away begins where the images are: repositories, then roles, then users.

    An order of sending and no more: the queue keeps it within one target only (docs/adr/0011).
    """
    order = 0 if isinstance(target, RepositoryTarget) else 1 if isinstance(target, RoleTarget) else 2
    return order, target.key
