"""The grants that end, and whose access in the matrix that is."""

from collections.abc import Iterable, Iterator

from ecr_warden.audit.spec_access import bare
from ecr_warden.core.desired import MustNotExist, RepositoryPattern
from ecr_warden.core.grant import Grant
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.report.report import EndingGrant, Matrix


def ends_of(grants: Iterable[Grant], matrix: Matrix) -> tuple[EndingGrant, ...]:
    """The grants with an end, the next one first."""
    principals = {bare(principal.name): place for place, principal in enumerate(matrix.principals)}
    found = [
        EndingGrant(
            grant.access,
            grant.repository,
            grant.who,
            grant.through,
            grant.until,
            principals.get(bare(grant.who)),
            tuple(_rows(grant, matrix)),
        )
        for grant in grants
        if grant.until is not None
    ]
    return tuple(sorted(found, key=lambda end: (end.until, end.repository, end.who)))


def _rows(grant: Grant, matrix: Matrix) -> Iterator[int]:
    if "*" not in grant.repository:
        yield from (place for place, row in enumerate(matrix.rows) if row.target == grant.repository)
        return
    _, account, region, name = grant.repository.split("/", 3)
    pattern = RepositoryPattern(account, region, name, grant.excluded, MustNotExist())
    for place, row in enumerate(matrix.rows):
        _, own_account, own_region, own_name = row.target.split("/", 3)
        if pattern.covers(RepositoryTarget(own_account, own_region, own_name)):
            yield place
