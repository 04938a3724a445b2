"""The report of the day: made beside an audit, from what the hub has kept; it reads nothing from the accounts."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.access_spec.granted import grants_of
from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.report.history import history_of
from ecr_warden.audit.report.make import Beside
from ecr_warden.audit.report.matrix import Sources, Teams
from ecr_warden.audit.report.report import History, Origin, PartRead, PausedTarget, Report, Waiting
from ecr_warden.audit.spec_access import bare
from ecr_warden.collect.estate import Kept
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from ecr_warden.core.failures import PortError
from ecr_warden.core.grant import Grant
from ecr_warden.core.last import Last
from ecr_warden.state.history import HistoryLog
from ecr_warden.state.hold import Hold, Holds, HoldState
from ecr_warden.state.journal import Journal
from ecr_warden.state.specs import Specs
from ecr_warden.state.sweeps import SweepRecord, parts_of
from iam_access.text.printable import first

if TYPE_CHECKING:
    from ecr_warden.access_spec.spec import Spec

DAYS = 30
_RUNS_A_DAY, _SENTENCES = 300, 10

type Make = Callable[[Sources, AuditRecord, Beside], Report]
"""report.make.make_report; raises Unfinished when there was no time."""


class Audited(Struct, frozen=True):
    """What an audit has worked out, of which the report is made; `broken`: what cannot be used of the estate."""

    accepted: CompiledSpec
    estate: Estate
    record: AuditRecord
    kept: Mapping[str, Kept]
    sweeps: Mapping[str, SweepRecord]
    paused: tuple[PausedTarget, ...]
    broken: tuple[str, ...]


class MakeReport(Struct, frozen=True):
    """The use case over its ports; `hub`: the hub's account."""

    specs: Specs
    journal: Journal
    log: HistoryLog
    holds: Holds
    reports: Last[Report]
    clock: Clock
    make: Make
    hub: str

    def renew(self, audited: Audited) -> None:
        """Make the report and keep it; raises PortError, Unfinished."""
        now, accepted = self.clock.now(), audited.accepted
        grants, teams, aliases, unread = self._of_spec(accepted.version)
        sources = Sources(audited.estate, accepted, audited.record.health, teams, self.hub)
        parts = tuple(
            PartRead(
                part,
                aliases.get(part, ""),
                audited.kept[part].at if part in audited.kept else None,
                audited.sweeps[part].at if part in audited.sweeps else None,
            )
            for part in sorted(parts_of(accepted))
        )
        unread = (*unread, *audited.broken)
        beside = Beside(now, Origin.HUB, parts, grants, audited.paused, self._waiting(), self._history(now), unread)
        self.reports.keep(self.make(sources, audited.record, beside))

    def _waiting(self) -> tuple[Waiting, ...]:
        def waiting(hold: Hold) -> Waiting:
            gains, loses = (tuple(first(some, _SENTENCES)) for some in (hold.gains, hold.loses))
            return Waiting(hold.id, hold.what, hold.reasons, hold.since, hold.until, gains, loses)

        holds = sorted(self.holds.waiting(), key=lambda hold: (hold.since, hold.id))
        return tuple(waiting(hold) for hold in holds if hold.state is HoldState.WAITING and hold.decision is None)

    def _of_spec(self, version: str) -> tuple[tuple[Grant, ...], Teams, Mapping[str, str], tuple[str, ...]]:
        """The grants, the teams, and the aliases of accounts, which only the text of a spec has."""
        from ecr_warden.access_spec import Valid, load_spec  # noqa: PLC0415 - the other jobs need no YAML

        try:
            loaded = load_spec(self.specs.text(version))
        except PortError as error:
            return (), {}, {}, (f"spec: its teams and the ends of its grants: {error.message}",)
        if not isinstance(loaded, Valid):
            return (), {}, {}, ("spec: its teams and the ends of its grants: this version would refuse it",)
        grants, teams = grants_and_teams(loaded.spec)
        return grants, teams, {account.id: account.alias for account in loaded.spec.accounts}, ()

    def _history(self, now: datetime) -> History:
        """Day by day, so that each day has its own share of the runs that are looked at."""
        since = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
        days = {}
        for number in range(DAYS):
            begin = since + timedelta(days=number)
            end = min(now, begin + timedelta(days=1, seconds=-1))
            page = self.journal.latest(begin, end.replace(microsecond=0), limit=_RUNS_A_DAY)
            days[begin.date()] = (page.entries, page.omitted)
        return history_of(days, list(self.log.entries(since, now)), since)


def grants_and_teams(spec: "Spec") -> tuple[tuple[Grant, ...], Teams]:
    """The grants of a spec, and in which of its teams each user or role is."""
    teams: dict[str, list[str]] = defaultdict(list)
    for name, members in sorted(spec.teams.items()):
        for member in members:
            teams[bare(member.arn)].append(name)
    return grants_of(spec), {arn: tuple(names) for arn, names in teams.items()}
