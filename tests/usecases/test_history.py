"""What happened, newest first, never cut without saying so."""

import re
from copy import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.job import ReconcileTarget
from ecr_warden.hub.reply import HistoryReply
from ecr_warden.hub.request import AskHistory
from ecr_warden.state.history import HistoryEntry, HistoryKind
from iam_access.text.printable import show_time
from local.testing.seed import ACCEPTED, CHECKOUT, D1, NOW, PUSHER
from tests import examples
from tests.cli.test_hub import over
from tests.usecases.hub import ALICE, ask
from tests.usecases.uploads import upload
from tests.usecases.world import OPEN, World, expect, tampered, world_in_sync

MINUTE = timedelta(minutes=1)


def busy() -> World:
    """One thing a minute: two repairs, a pause and its end, a stop and its end, a refused file."""
    world = tampered()
    command = over(world)
    world.clock.advance(MINUTE)
    world.run(CHECKOUT)
    world.clock.advance(MINUTE)
    world.run(PUSHER)
    world.clock.advance(MINUTE)
    command("pause", "shop/checkout", "--for", "1h", "--reason", "a migration")
    world.clock.advance(MINUTE)
    command("resume", "shop/checkout", "--wait", "0")
    world.clock.advance(MINUTE)
    world.switch.changed.append(
        HistoryEntry(HistoryKind.WRITES_STOPPED, world.clock.now(), "2", ALICE, "nothing is written")
    )
    world.clock.advance(MINUTE)
    world.switch.changed.append(
        HistoryEntry(HistoryKind.WRITES_ENABLED, world.clock.now(), "3", ALICE, "writes are on")
    )
    world.clock.advance(MINUTE)
    upload(world, "version: 7\nx: 1\ny: 2\nz: 3\n", "v7")
    world.clock.advance(MINUTE)
    world.jobs.sent.clear()
    return world


def history(world: World, asked: AskHistory | None = None) -> HistoryReply:
    return expect(HistoryReply, ask(world, asked or AskHistory(limit=100)))


def test_without_runs_it_is_the_history_log() -> None:
    world = busy()
    whole, log = history(world), history(world, AskHistory(limit=100, runs=False))
    assert (log.entries, log.log, log.omitted) == ((), whole.log, 0)


def test_the_history_of_a_target_has_its_runs_and_the_entries_that_name_it() -> None:
    reply = history(busy(), AskHistory((CHECKOUT,), limit=100))
    assert [entry.kind for entry in reply.log] == [HistoryKind.RESUMED, HistoryKind.PAUSED]
    assert {entry.target for entry in reply.entries} == {str(CHECKOUT)}
    assert {entry.by for entry in reply.log} == {ALICE}
    both = history(busy(), AskHistory((CHECKOUT, PUSHER), limit=100))
    assert {entry.target for entry in both.entries} == {str(CHECKOUT), str(PUSHER)}
    assert len(both.log) == 2


def test_a_refusal_lists_its_first_problems_and_counts_the_rest() -> None:
    [refusal] = [entry for entry in history(busy()).log if entry.kind is HistoryKind.SPEC_REFUSED]
    assert refusal.id == "v7"
    assert refusal.text.count("; ") >= 3
    assert refusal.text.endswith(" more")


def test_a_second_acceptance_says_what_it_replaces_and_changes() -> None:
    world = world_in_sync()
    upload(world, "version: 1\naccounts: {ci: {id: '111111111111'}}\n", "v8")
    entries = [entry for entry in history(world).log if entry.kind is not HistoryKind.HELD]
    assert [entry.kind for entry in entries] == [HistoryKind.SPEC_ACCEPTED] * 2
    assert any(entry.text.startswith(f"replaces {ACCEPTED.version}, ") for entry in entries)


def test_a_command_for_many_targets_names_some_and_counts_the_rest() -> None:
    world = world_in_sync()
    names = tuple(f"user/111111111111/u{number:02}" for number in range(25))
    world.log.record(HistoryEntry(HistoryKind.PAUSED, NOW, "c9", ALICE, "until then", names))
    [pause] = [entry for entry in history(world).log if entry.kind is HistoryKind.PAUSED]
    assert (pause.targets, pause.omitted) == (names[:10], 15)
    assert " and 15 more by alice: until then" in over(world)("history").out


def entries_of(printed: str) -> list[str]:
    """The entries of a printed history: their second lines are indented."""
    return re.split(r"\n(?! )", printed.rstrip("\n"))


EVERYTHING = ("--since", "999999d"), ("--since", "0001-01-01T00:00:00Z")
NOTHING = ("--until", "0001-01-02T00:00:00Z"), ("--until", "999999d"), ("--until", "400d")


@pytest.mark.parametrize("ends", [*EVERYTHING, *NOTHING], ids=" ".join)
def test_a_range_of_long_ago_is_not_an_error(ends: tuple[str, str]) -> None:
    ran = over(busy())("history", "--limit", "100", *ends)
    assert ran.code == 0
    assert len(entries_of(ran.out)) == (8 if ends in EVERYTHING else 1)
    assert ("nothing is kept of the time before 2025-11-23T" in ran.out) == (ends in NOTHING)


@examples.of(60)
@given(st.integers(1, 12), st.integers(0, 9), st.integers(0, 9))
def test_shown_and_omitted_entries_add_up(limit: int, since: int, until: int) -> None:
    world = BUSY
    first, last = NOW + since * MINUTE, NOW + until * MINUTE
    whole = history(world, AskHistory(limit=100, since=first, until=last))
    some = history(world, AskHistory(limit=limit, since=first, until=last))
    count = len(whole.entries) + len(whole.log)
    shown_now = len(some.entries) + len(some.log)
    assert whole.omitted == 0
    assert count == len([at for at in range(8) if since <= at <= until])
    assert (shown_now, some.omitted) == (min(limit, count), max(0, count - limit))
    assert set(some.entries) <= set(whole.entries)
    assert set(some.log) <= set(whole.log)


BUSY = busy()


@pytest.mark.parametrize("limit", [2, 3, 7])
def test_following_the_last_line_page_by_page_shows_everything(limit: int) -> None:
    command = over(BUSY)
    seen: set[str] = set()
    more: tuple[str, ...] = ()
    for _ in range(10):
        *entries, last = entries_of(command("history", "--limit", str(limit), *more).out)
        seen |= {*entries}
        said, more_with, options = last.partition("see them with\n")
        if not more_with:
            seen.add(last)
            break
        assert said == f"and {said.split()[1]} more; raise --limit, or "
        assert options.startswith("  --since 2026-11-17T10:08:00Z --until ")
        more = tuple(options.split())
    assert seen == {*entries_of(command("history").out)}
    assert len(seen) == 8


def test_lines_name_the_actor_and_the_action() -> None:
    entries = entries_of(over(BUSY)("history").out)
    assert entries[1:5] == [
        "2026-11-24T10:06:00Z  writes enabled\n  by alice: writes are on",
        "2026-11-24T10:05:00Z  writes stopped\n  by alice: nothing is written",
        f"2026-11-24T10:04:00Z  resumed\n  {CHECKOUT} by alice",
        f"2026-11-24T10:03:00Z  paused\n  {CHECKOUT} by alice: until 2026-11-24T11:03:00Z: a migration",
    ]
    assert entries[0].startswith("2026-11-24T10:07:00Z  spec refused  v7\n  E0")
    assert show_time(NOW) == "2026-11-24T10:00:00Z"


def test_what_has_ended_says_how_long_it_was_open() -> None:
    world = world_in_sync()
    finding = HistoryEntry(HistoryKind.FINDING_ENDED, NOW, "f1", ALICE, "x can push", since=NOW - 90 * MINUTE)
    restored = HistoryEntry(HistoryKind.WIRE_RESTORED, NOW, "w1", None, "the rule is on")
    own = HistoryEntry(HistoryKind.OWN_PART, NOW, "o1", ALICE, "the rule was changed by alice")
    for entry in (finding, restored, own):
        world.log.record(entry)
    entries = entries_of(over(world)("history").out)
    assert "2026-11-24T10:00:00Z  finding ended, after 1 h 30 min\n  found after a call by alice: x can push" in entries
    assert "2026-11-24T10:00:00Z  wiring is as it should be again\n  the rule is on" in entries
    assert "2026-11-24T10:00:00Z  a part of ecr-warden was changed\n  the rule was changed by alice" in entries
    world.put(D1, OPEN)
    call = replace(world.event(), action="ecr:SetRepositoryPolicy", at=(NOW - MINUTE).isoformat())
    world.reconcile().reconcile(ReconcileTarget(call, CHECKOUT))
    assert "  repaired, 1 written, 1 min after the call\n" in over(world)("history").out


def test_the_beginning_of_an_id_is_enough_if_no_other_begins_so() -> None:
    world = tampered()
    world.run(CHECKOUT)
    [run] = history(world).entries
    assert over(world)("history", run.run_id[:10]).out == over(world)("history", run.run_id).out
    world.run(PUSHER)
    both = over(world)("history", run.run_id[:10])
    assert (both.code, f"several runs begin with {run.run_id[:10]}" in both.err) == (1, True)
