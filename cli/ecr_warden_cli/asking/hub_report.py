"""The report of the hub as it is now: of what it has read and found."""

import argparse
from collections.abc import Iterator
from copy import replace
from datetime import datetime

from ecr_warden.audit.finding import AuditFailed, AuditRecord, FindingGroup, SeenFinding
from ecr_warden.core.part import part_of
from ecr_warden.core.target import parse_target
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden_cli.asking.administering import administrators_in
from ecr_warden_cli.asking.estate_input import asking_hub, open_estate
from ecr_warden_cli.hub.client import expect
from ecr_warden_cli.report.make import Beside, grants_and_teams, make_report, parts_of_spec
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import Origin, Report
from ecr_warden_cli.terminal.context import Context, Failure
from iam_access.gather import gather


def fresh_report(arguments: argparse.Namespace, context: Context) -> Report:
    """A report of now; raises Failure."""
    hub, now = open_estate(arguments, context), context.clock.now()
    if hub.spec is None:
        raise Failure("no version of the spec is in force", remedy="ecr-warden status says why")
    with asking_hub(arguments, context) as client:
        status = expect(StatusReply, client.ask(AskStatus()))
    grants, teams = grants_and_teams(hub.spec.spec)
    health = {repository.target: repository.health for repository in status.repositories}
    aliases = {account: alias for alias, account in hub.accounts.items()}
    parts = parts_of_spec(hub.spec.compiled, aliases, hub.began, dict(_swept(status)))
    beside = Beside(now, Origin.HUB, parts, grants, administrators_in(hub), status.access.unread)
    # By the hub's name for it: the command calls a text by its digest.
    compiled = replace(hub.spec.compiled, version=status.version)
    with context.console.doing("working out who can pull and push"):
        return make_report(Sources(hub.estate, compiled, health, teams, hub.hub), _record(status), beside)


def _record(status: StatusReply) -> AuditRecord:
    """The last audit, as far as its findings go."""
    access = status.access
    failure = next(
        (trouble.message for trouble in status.troubles if trouble.code in ("audit-failed", "access-unaudited")), ""
    )
    return AuditRecord(
        access.at or datetime.min,
        status.version,
        {},
        tuple(finding for group in access.findings for finding in _seen(group)),
        access.left_out + sum(group.left_out for group in access.findings),
        failure=AuditFailed(failure) if failure else None,
        audited_at=access.at,
    )


def _seen(group: FindingGroup) -> Iterator[SeenFinding]:
    """The findings that a group stands for."""
    return (
        SeenFinding(replace(group.finding, access=access, place=place), group.first_seen)
        for place in group.places
        for access in group.accesses
    )


def _swept(status: StatusReply) -> Iterator[tuple[str, datetime | None]]:
    """Since when all targets of each part have been compared."""
    looked = gather((part_of(parse_target(one.target)), one.last.at if one.last else None) for one in status.targets)
    for part, looks in looked.items():
        yield part, None if None in looks else min((at for at in looks if at is not None), default=None)
