"""From an estate, a spec and the last audit to the report; pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ecr_warden.access_spec.spec import Spec
from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.finding_changes import grouped
from ecr_warden.audit.spec_access import bare
from ecr_warden.core.desired import CompiledSpec, MustNotExist, RepositoryPattern
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.sweeps import parts_of
from ecr_warden_cli.report.grant import Grant
from ecr_warden_cli.report.granted import grants_of
from ecr_warden_cli.report.matrix import Sources, Teams, matrix_of
from ecr_warden_cli.report.policies_not_given import not_given
from ecr_warden_cli.report.report import EndingGrant, Matrix, Origin, PartRead, Report
from iam_access.text.printable import first

MAX_ENDS, MAX_NAMED = 500, 100


class Beside(Struct, frozen=True):
    """What a report has beside who can do what."""

    made_at: datetime
    origin: Origin
    parts: Sequence[PartRead]
    grants: Sequence[Grant] = ()
    administrators: Mapping[str, Sequence[str]] = {}
    unread: Sequence[str] = ()
    """What could not be read, a line each."""


def make_report(sources: Sources, audit: AuditRecord, beside: Beside) -> Report:
    """The report. `audit`: of the same spec, or its failure is said."""
    matrix = matrix_of(sources)
    return Report(
        made_at=beside.made_at,
        origin=beside.origin,
        version=sources.compiled.version,
        mode=sources.compiled.mode,
        parts=tuple(beside.parts),
        matrix=matrix,
        findings=tuple(grouped(audit.findings)),
        findings_left_out=audit.left_out,
        unread=tuple(first(beside.unread, MAX_NAMED)),
        not_given=tuple(not_given(sources.estate)),
        failure=str(audit.failure or ""),
        administrators={
            account: tuple(first(names, MAX_NAMED))
            for account, names in beside.administrators.items()
            if account in sources.compiled.accounts
        },
        exceptions=sources.compiled.also_allowed,
        ends=ends_of(beside.grants, matrix)[:MAX_ENDS],
    )


def parts_of_spec(
    compiled: CompiledSpec,
    aliases: Mapping[str, str],
    read: Mapping[str, datetime],
    swept: Mapping[str, datetime | None] | None = None,
) -> tuple[PartRead, ...]:
    """Every part that the spec names and those that were read beside; `aliases`: of accounts, by their IDs."""
    parts = sorted(parts_of(compiled) | read.keys())
    return tuple(PartRead(part, aliases.get(part, ""), read.get(part), (swept or {}).get(part)) for part in parts)


def grants_and_teams(spec: Spec) -> tuple[tuple[Grant, ...], Teams]:
    """The grants of a spec, and in which of its teams each user or role is."""
    teams: dict[str, list[str]] = defaultdict(list)
    for name, members in sorted(spec.teams.items()):
        for member in members:
            teams[bare(member.arn)].append(name)
    return grants_of(spec), {arn: tuple(names) for arn, names in teams.items()}


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
