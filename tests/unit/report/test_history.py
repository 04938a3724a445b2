"""The journal in a report: days, incidents, and the ends of grants."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ecr_warden.core.grant import Grant, GrantedAccess
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunEntry
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden_cli.report.history import MAX_ENTRIES, MAX_INCIDENTS, history_of
from ecr_warden_cli.report.make import ends_of
from ecr_warden_cli.report.report import Day
from tests.reports import CI, REGION, REGISTRY, UNTIL, example

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = date(2026, 11, 27)
MALLORY = Actor("IAMUser", arn=f"arn:aws:iam::{REGISTRY}:user/mallory", account=REGISTRY)
EVENT = Cause(CauseKind.EVENT, "e1", "ecr:SetRepositoryPolicy", actor=MALLORY)
CHECKOUT, SEARCH = (f"repository/{REGISTRY}/{REGION}/shop/{name}" for name in ("checkout", "search"))


def run(number: int, result: Result | None, target: str = CHECKOUT, cause: Cause = EVENT, written: int = 0) -> RunEntry:
    return RunEntry(f"r{number}", target, cause, NOON + timedelta(seconds=number), result, written)


DAYS = {
    "repaired": (Result.CONVERGED, Day("2026-11-27", repaired=1)),
    "repaired and not shown yet": (Result.NOT_YET_VISIBLE, Day("2026-11-27", repaired=1)),
    "reported": (Result.REPORTED, Day("2026-11-27", reported=1)),
    "waiting": (Result.WAITING, Day("2026-11-27", reported=1)),
    "failed": (Result.FAILED, Day("2026-11-27", failed=1)),
    "never ended": (None, Day("2026-11-27", failed=1)),
    "unreadable": (Result.UNKNOWN, Day("2026-11-27", failed=1)),
    "in sync": (Result.IN_SYNC, Day("2026-11-27")),
}


@pytest.mark.parametrize("name", DAYS)
def test_a_day_counts_how_its_runs_ended(name: str) -> None:
    result, day = DAYS[name]
    assert history_of({TODAY: ([run(1, result)], 0)}, (), NOON).days == (day,)


def test_what_was_not_looked_at_is_counted() -> None:
    assert history_of({TODAY: ([], 7)}, (), NOON).days == (Day("2026-11-27", more=7),)


def test_the_runs_of_one_cause_are_one_incident() -> None:
    follow = Cause(CauseKind.RUN, "r1", root=EVENT.incident)
    runs = [
        run(3, Result.CONVERGED, SEARCH, follow, written=2),
        run(2, Result.CONVERGED, CHECKOUT, written=1),
        run(1, Result.FAILED, CHECKOUT),
    ]
    (incident,) = history_of({TODAY: (runs, 0)}, (), NOON).incidents
    assert (incident.at, incident.call, incident.who, incident.run) == (
        *(NOON + timedelta(seconds=1), "ecr:SetRepositoryPolicy", "mallory", "r1"),
    )
    assert incident.targets == (CHECKOUT, SEARCH)
    assert incident.results == ("failed", "converged")
    assert incident.written == 3


def test_who_becomes_known_by_a_later_run_is_named() -> None:
    first = run(1, Result.FAILED, cause=Cause(CauseKind.EVENT, "e1", "ecr:SetRepositoryPolicy"))
    (incident,) = history_of({TODAY: ([run(2, Result.CONVERGED), first], 0)}, (), NOON).incidents
    assert incident.who == "mallory"


def test_what_is_left_out_is_counted() -> None:
    runs = [run(number, Result.CONVERGED, cause=Cause(CauseKind.SWEEP, f"s{number}")) for number in range(250)]
    entries = [HistoryEntry(HistoryKind.PAUSED, NOON, f"c{number}", None, "x", ("a",) * 9) for number in range(103)]
    history = history_of({TODAY: (runs, 0)}, entries, NOON)
    assert (len(history.incidents), len(history.log)) == (MAX_INCIDENTS, MAX_ENTRIES)
    assert history.left_out == 50 + 3
    assert (len(history.log[0].targets), history.log[0].omitted) == (5, 4)


REPORT = example()
BUILDER = f"arn:aws:iam::{CI}:user/build-billing"


def test_the_end_of_a_grant_is_that_of_an_access() -> None:
    found = {end.repository: end for end in REPORT.ends}
    ledger = found[f"repository/{REGISTRY}/{REGION}/billing/ledger"]
    assert ledger.principal is not None
    assert REPORT.matrix.principals[ledger.principal].name == BUILDER
    assert [REPORT.matrix.rows[place].target for place in ledger.rows] == [ledger.repository]
    assert {end.until for end in REPORT.ends} == {UNTIL}


ROWS = {
    "a name": (f"repository/{REGISTRY}/{REGION}/billing/ledger", (), ["billing/ledger"]),
    "a pattern": (f"repository/{REGISTRY}/{REGION}/billing/*", (), ["billing/invoices", "billing/ledger"]),
    "a pattern but": (f"repository/{REGISTRY}/{REGION}/billing/*", ("billing/ledger",), ["billing/invoices"]),
    "another region": (f"repository/{REGISTRY}/eu-west-1/billing/*", (), []),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_grant_concerns_the_repositories_that_it_names(name: str) -> None:
    repository, excluded, names = ROWS[name]
    grants = [
        Grant(GrantedAccess.PUSH, repository, BUILDER, until=UNTIL, excluded=excluded),
        Grant(GrantedAccess.PULL, repository, "nobody"),
    ]
    (end,) = ends_of(grants, REPORT.matrix)
    assert [REPORT.matrix.rows[place].target.split("/", 3)[3] for place in end.rows] == names


def test_the_next_end_is_the_first() -> None:
    later = Grant(GrantedAccess.PUSH, CHECKOUT, "a", until=UNTIL + timedelta(days=1))
    sooner = Grant(GrantedAccess.PUSH, CHECKOUT, "b", until=UNTIL)
    assert [end.who for end in ends_of([later, sooner], REPORT.matrix)] == ["b", "a"]
