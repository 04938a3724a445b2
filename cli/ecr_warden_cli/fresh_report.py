"""The report of the hub as it is now: of what it has read, found and remembers, made here and not once a day."""

import argparse
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import replace
from datetime import date, datetime, timedelta

from ecr_warden.audit.finding import AuditRecord, FindingGroup, SeenFinding
from ecr_warden.audit.report.history import MAX_ENTRIES as MOST_LISTED
from ecr_warden.audit.report.history import MAX_INCIDENTS, history_of
from ecr_warden.audit.report.make import Beside, make_report
from ecr_warden.audit.report.matrix import Sources
from ecr_warden.audit.report.report import (
    Day,
    History,
    Origin,
    PartRead,
    PausedTarget,
    Report,
    Waiting,
    report_from_json,
)
from ecr_warden.audit.report.use import grants_and_teams
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.codec.compressed import decompress
from ecr_warden.core.run import RunEntry
from ecr_warden.core.target import parse_target, part_of
from ecr_warden.hub.reply import HeldReply, HistoryReply, ReportReply, StatusReply
from ecr_warden.hub.request import MAX_ENTRIES, AskHeld, AskHistory, AskReport, AskStatus
from ecr_warden.state.hold import HoldState
from ecr_warden_cli.context import Context, Failure
from ecr_warden_cli.estate_input import asking_hub, open_estate
from ecr_warden_cli.hub import HubClient, HubRefused, expect, unintelligible

_DAYS = 7
"""Of history where the hub has made no report yet."""


def daily_report(client: HubClient) -> Report:
    """The report that the hub made last; raises Failure."""
    reply = expect(ReportReply, client.ask(AskReport()))
    try:
        return report_from_json(decompress(b64decode(reply.report, validate=True)))
    except (CodecError, ValueError) as error:
        raise unintelligible("the report cannot be opened") from error


def fresh_report(arguments: argparse.Namespace, context: Context) -> Report:
    """A report of now; raises Failure."""
    hub, now = open_estate(arguments, context), context.clock.now()
    if hub.spec is None:
        raise Failure("no version of the spec is in force", remedy="ecr-warden status says why")
    with asking_hub(arguments, context) as client:
        status = expect(StatusReply, client.ask(AskStatus()))
        waiting = tuple(_waiting(expect(HeldReply, client.ask(AskHeld()))))
        history = _history(client, now)
    grants, teams = grants_and_teams(hub.spec.spec)
    health = {repository.target: repository.health for repository in status.repositories}
    paused = [PausedTarget(target.target, target.pause) for target in status.targets if target.pause is not None]
    beside = Beside(now, Origin.HUB, [*_parts(status, hub.accounts, hub.began)], grants, paused, waiting, history)
    # By the hub's name for it: the command calls a text by its digest.
    compiled = replace(hub.spec.compiled, version=status.version)
    with context.console.doing("working out who can pull and push"):
        return make_report(Sources(hub.estate, compiled, health, teams), _record(status), beside)


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
        access.administrators,
        unread=access.unread,
        failure=failure,
        audited_at=access.at,
    )


def _seen(group: FindingGroup) -> Iterator[SeenFinding]:
    """The findings that a group stands for."""
    for place in group.places:
        for access in group.accesses:
            yield SeenFinding(replace(group.finding, access=access, place=place), group.first_seen)


def _parts(status: StatusReply, accounts: Mapping[str, str], began: Mapping[str, datetime]) -> Iterator[PartRead]:
    """When each part was read, and since when all of its targets have been compared."""
    aliases = {account: alias for alias, account in accounts.items()}
    looked: defaultdict[str, list[datetime | None]] = defaultdict(list)
    for target in status.targets:
        looked[part_of(parse_target(target.target))].append(target.last.at if target.last is not None else None)
    for part in sorted(began):
        looks = looked[part]
        swept = None if None in looks else min((at for at in looks if at is not None), default=None)
        yield PartRead(part, aliases.get(part, ""), began[part], swept)


def _waiting(reply: HeldReply) -> Iterator[Waiting]:
    for hold in reply.holds:
        if hold.state is HoldState.WAITING and hold.decision is None:
            yield Waiting(hold.id, hold.what, hold.reasons, hold.since, hold.until, hold.gains, hold.loses)


def _history(client: HubClient, now: datetime) -> History:
    """That of the report of the day, and what happened since."""
    try:
        daily = daily_report(client)
    except HubRefused as error:
        if error.code != "no-report":
            raise
        daily = None
    since = now - timedelta(days=_DAYS) if daily is None else daily.made_at
    reply = expect(HistoryReply, client.ask(AskHistory((), MAX_ENTRIES, since)))
    days: defaultdict[date, list[RunEntry]] = defaultdict(list)
    for entry in reply.entries:
        days[entry.started_at.date()].append(entry)
    late = history_of({day: (runs, 0) for day, runs in days.items()}, reply.log, since)
    late = replace(late, left_out=late.left_out + reply.omitted)
    return late if daily is None or daily.history is None else _joined(daily.history, late)


def _joined(early: History, late: History) -> History:
    days = {day.day: day for day in early.days}
    for one in late.days:
        days[one.day] = _sum(days[one.day], one) if one.day in days else one
    incidents, log = (*late.incidents, *early.incidents), (*late.log, *early.log)
    over = max(0, len(incidents) - MAX_INCIDENTS) + max(0, len(log) - MOST_LISTED)
    return History(
        early.since,
        tuple(days[day] for day in sorted(days)),
        incidents[:MAX_INCIDENTS],
        log[:MOST_LISTED],
        early.left_out + late.left_out + over,
    )


def _sum(day: Day, other: Day) -> Day:
    counts = (day.repaired + other.repaired, day.reported + other.reported, day.failed + other.failed)
    return Day(day.day, *counts, day.more + other.more)
