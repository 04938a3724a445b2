"""Pauses, the journal as people read it, and what came of commands."""

from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ecr_warden.core.failures import CommandRepeated
from ecr_warden.core.job import Actor
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.result import Result
from ecr_warden.core.run import Debts, LastSeen
from ecr_warden.core.target import Target
from ecr_warden.hub.queries import history
from ecr_warden.hub.request import AskHistory
from ecr_warden.state.commands import Call, CommandResult
from ecr_warden.state.journal import Page
from ecr_warden.state.state import Due, Learned, TargetRecord
from local.testing.seed import CHECKOUT, PUSH_USER, PUSHER
from tests.contracts.hubs import TABLE, Hub, MotoHub
from tests.contracts.runs import open_run, report

ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PAUSE = Pause("c1", ALICE, "a migration, until Friday", BEGAN, BEGAN + timedelta(hours=2))
YESTERDAY, NOW = BEGAN - timedelta(days=1), BEGAN + timedelta(minutes=1)
FIRST, SECOND, THIRD = "20251231T235959Z0a", "20260101T000000Z1b", "20260101T000001Z2c"


def ran(hub: Hub, run_id: str, *, closed: bool = True) -> None:
    """A run that wrote."""
    lease, _ = hub.state.acquire(CHECKOUT, run_id)
    started = datetime.strptime(run_id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    hub.state.open_run(lease, replace(open_run(run_id), started_at=started), Debts())
    if closed:
        hub.state.close_run(lease, replace(report(run_id), started_at=started), Debts())
    hub.state.release(lease, Learned(reported=None))


def test_the_latest_pause_that_names_a_target_is_in_its_record(hub: Hub) -> None:
    hub.state.pause(CHECKOUT, PAUSE)
    assert hub.state.records([CHECKOUT, PUSHER]) == {CHECKOUT.key: TargetRecord(pause=PAUSE)}
    later = replace(PAUSE, id="c2", reason="longer")
    hub.state.pause(CHECKOUT, later)
    lease, found = hub.state.acquire(CHECKOUT, "r1")
    assert found.pause == later
    hub.state.release(lease, Learned(reported="fingerprint"))
    known = hub.state.records([CHECKOUT])[CHECKOUT.key]
    assert (known.reported, known.pause) == ("fingerprint", later)
    ended = replace(PAUSE, id="c3", reason="", until=PAUSE.at)
    hub.state.pause(CHECKOUT, ended)
    assert hub.state.records([CHECKOUT])[CHECKOUT.key].pause == ended


def test_pauses_of_patterns_are_kept_beside_each_other(hub: Hub) -> None:
    assert list(hub.state.pattern_pauses()) == []
    first, second = PatternPause(("shop/*", "all"), PAUSE), PatternPause(("shop/*",), replace(PAUSE, id="c2"))
    for one in (first, second, first):
        hub.state.pause_patterns(one)
    assert sorted(hub.state.pattern_pauses(), key=lambda one: one.pause.id) == [first, second]
    assert hub.state.records([CHECKOUT]) == {}


def test_what_is_due_is_found_once_between_two_looks_and_the_earliest_first(hub: Hub) -> None:
    for minutes, target in ((2, PUSHER), (1, CHECKOUT), (1, CHECKOUT), (9, PUSH_USER)):
        hub.state.wait(target, BEGAN + timedelta(minutes=minutes))
    looks = [BEGAN + timedelta(minutes=minutes) for minutes in (0, 1, 5, 5, 10)]
    found = [[one.target for one in hub.state.due(since, until)] for since, until in pairwise(looks)]
    assert found == [[CHECKOUT], [PUSHER], [], [PUSH_USER]]
    assert list(hub.state.due(looks[0], looks[-1])) == [Due(CHECKOUT), Due(PUSHER), Due(PUSH_USER)]


@pytest.mark.parametrize("text", ["{", '{"patterns": ["shop/*"]}', '{"schema": 9}', "[]"])
def test_a_pause_of_patterns_that_this_version_cannot_read_pauses_nothing(moto_hub: MotoHub, text: str) -> None:
    known = PatternPause(("shop/*",), PAUSE)
    moto_hub.state.pause_patterns(known)
    item = {"pk": {"S": "PAUSES"}, "sk": {"S": "newer"}, "pause": {"S": text}}
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert list(moto_hub.state.pattern_pauses()) == [known]


def test_how_the_last_run_ended_is_remembered_and_a_run_that_did_not_end_takes_nothing_of_it(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, FIRST)
    hub.state.release(lease, Learned(reported=None, report=report(FIRST)))
    assert hub.state.records([CHECKOUT])[CHECKOUT.key].last == LastSeen(BEGAN, FIRST, Result.CONVERGED)
    hub.clock.advance(timedelta(minutes=1))
    lease, _ = hub.state.acquire(CHECKOUT, SECOND)
    hub.state.release(lease, Learned(reported=None))
    last = hub.state.records([CHECKOUT])[CHECKOUT.key].last
    assert last == LastSeen(BEGAN + timedelta(minutes=1), FIRST, Result.CONVERGED)


def test_runs_are_listed_by_target_and_by_day_newest_first_and_found_by_their_id(hub: Hub) -> None:
    for run_id in (FIRST, SECOND):
        ran(hub, run_id)
    ran(hub, THIRD, closed=False)
    page = hub.journal.of_target(CHECKOUT, YESTERDAY, NOW, limit=10)
    entries = page.entries
    assert [(entry.run_id, entry.result, entry.written) for entry in entries] == [
        (THIRD, None, 0),
        (SECOND, Result.CONVERGED, 1),
        (FIRST, Result.CONVERGED, 1),
    ]
    assert page == hub.journal.latest(YESTERDAY, NOW, limit=10) == Page(entries, 0)
    assert hub.journal.of_target(PUSHER, YESTERDAY, NOW, limit=10) == Page([], 0)
    found = hub.journal.find(SECOND)
    assert found == replace(report(SECOND), started_at=BEGAN)
    unfinished = hub.journal.find(THIRD)
    assert unfinished is not None
    assert (unfinished.run_id, unfinished.plan) == (THIRD, open_run().plan)
    assert hub.journal.find("20260101T000002Z3d") is None
    assert hub.journal.find("nonsense") is None


TIMES = {
    "all of it": (YESTERDAY, NOW, 10, [THIRD, SECOND, FIRST], 0),
    "one, and how many more there are": (YESTERDAY, NOW, 1, [THIRD], 2),
    "two, which leave one of the day before": (YESTERDAY, NOW, 2, [THIRD, SECOND], 1),
    "from midnight": (BEGAN, NOW, 10, [THIRD, SECOND], 0),
    "to midnight": (YESTERDAY, BEGAN, 10, [SECOND, FIRST], 0),
    "to midnight, and one of them": (YESTERDAY, BEGAN, 1, [SECOND], 1),
    "a second": (BEGAN, BEGAN, 10, [SECOND], 0),
    "a time in which there was none": (NOW, NOW, 10, [], 0),
}


@pytest.mark.parametrize("name", TIMES)
def test_runs_that_began_within_a_period_are_listed_or_counted(hub: Hub, name: str) -> None:
    since, until, limit, ids, more = TIMES[name]
    for run_id in (FIRST, SECOND, THIRD):
        ran(hub, run_id)
    for page in (
        hub.journal.latest(since, until, limit=limit),
        hub.journal.of_target(CHECKOUT, since, until, limit=limit),
    ):
        assert ([entry.run_id for entry in page.entries], page.omitted) == (ids, more)


def test_a_run_that_wrote_nothing_is_journalled_without_having_been_opened(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, SECOND)
    closed = replace(report(SECOND), outcomes=(), result=Result.REPORTED, started_at=BEGAN)
    hub.state.close_run(lease, closed, Debts())
    hub.state.release(lease, Learned(reported="fingerprint"))
    assert hub.journal.find(SECOND) == closed
    assert [(entry.result, entry.written) for entry in hub.journal.latest(BEGAN, NOW, limit=5).entries] == [
        (Result.REPORTED, 0)
    ]
    assert hub.state.records([CHECKOUT])[CHECKOUT.key].open_run is None


def test_a_command_is_read_as_it_was_given(hub: Hub) -> None:
    assert hub.command_records.text("c1") is None
    hub.command_records.record(Call("c1", ALICE.arn, '{"reason":"ß"}', hub.clock.now()))
    hub.command_records.record(Call("c2", ALICE.arn, '{"action":"reconcile"}', hub.clock.now()))
    assert hub.command_records.text("c1") == '{"reason":"ß"}'


def test_a_command_is_recorded_once_and_collects_one_answer_per_target(hub: Hub) -> None:
    call = Call("c1", ALICE.arn, '{"action":"reconcile"}', hub.clock.now())
    hub.command_records.record(call)
    with pytest.raises(CommandRepeated):
        hub.command_records.record(call)
    assert hub.command_records.answers("c1") == []
    role, user = (
        CommandResult(str(PUSHER), "r1", Result.WAITING, True),
        CommandResult(str(PUSH_USER), "r2", Result.IN_SYNC, True),
    )
    for answer in (role, user, replace(role, run_id="r3", result=Result.CONVERGED)):
        hub.command_records.answer("c1", answer)
    hub.command_records.answer("c2", user)
    assert {answer.target: answer.result for answer in hub.command_records.answers("c1")} == {
        str(PUSHER): Result.CONVERGED,
        str(PUSH_USER): Result.IN_SYNC,
    }


@pytest.mark.parametrize("targets", [(), (CHECKOUT,)], ids=["all", "a target"])
def test_a_history_that_ends_before_what_is_kept_is_empty(hub: Hub, targets: tuple[Target, ...]) -> None:
    ran(hub, FIRST)
    asked = AskHistory(targets, until=hub.clock.now() - timedelta(days=400))
    reply = history(asked, hub.journal, hub.log, hub.switch, hub.clock)
    assert (reply.entries, reply.log, reply.omitted) == ((), (), 0)
