"""Incidents: what is collected is kept, flushed once, and dropped when it was said; an incident has one revision."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta

import pytest

from ecr_warden.aws.table import packed
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.result import Severity
from ecr_warden.notify.incident import Acknowledgement, Fact, begun, with_notes
from ecr_warden.notify.ports import waiting_key
from ecr_warden.versions.alerts import SpecAccepted
from local.testing.memory.hub import ManualClock
from tests.contracts.hubs import TABLE, Hub, MotoHub

START = ManualClock().now()
CAUSE = Cause(CauseKind.SPEC, "v1")
ACCEPTED = SpecAccepted(CAUSE, "v1", None, ("repository/222222222222/eu-central-1/a",), ())


def texts(collected: Mapping[str, tuple[str, datetime]]) -> list[str]:
    return [text for text, _ in collected.values()]


def test_what_is_collected_comes_back_oldest_first_each_once_with_its_time(hub: Hub) -> None:
    began = hub.clock.now()
    for text in ("a", "b", "a", "c"):
        hub.incidents.add("i", [text])
        hub.clock.advance(timedelta(seconds=1))
    hub.incidents.add("j", ["d"])
    collected = hub.incidents.close("i")
    assert sorted(texts(collected)) == ["a", "b", "c"]
    assert all(began <= at < hub.clock.now() for _, at in collected.values())
    assert texts(hub.incidents.close("j")) == ["d"]
    assert texts(hub.incidents.close("k")) == []
    assert texts(hub.incidents.close("i")) == texts(collected), "it stays until it is dropped"
    hub.incidents.drop("i", collected)
    assert texts(hub.incidents.close("i")) == []


def test_many_texts_are_added_in_their_order_and_dropped_at_once(hub: Hub) -> None:
    many = [f"{number:03}" for number in range(60)]
    hub.incidents.add("i", [*many, many[0]])
    collected = hub.incidents.close("i")
    assert texts(collected) == many
    hub.incidents.drop("i", collected)
    assert texts(hub.incidents.close("i")) == []
    hub.incidents.drop("i", ())


# What was asked for, in seconds from now, after how long; whether it was asked for anew.
OPENED: dict[str, list[tuple[int, int, bool]]] = {
    "the first": [(0, 20, True)],
    "the same again": [(0, 20, True), (5, 20, False)],
    "later than it is due": [(0, 20, True), (0, 600, False)],
    "sooner than it is due": [(0, 600, True), (0, 20, True), (0, 20, False)],
    "a flush that never came": [(0, 20, True), (41, 20, True)],
}


@pytest.mark.parametrize("name", OPENED)
def test_a_key_is_flushed_as_soon_as_anybody_asked(hub: Hub, name: str) -> None:
    for wait, seconds, expected in OPENED[name]:
        hub.clock.advance(timedelta(seconds=wait))
        assert hub.incidents.open("i", seconds=seconds) is expected
    assert hub.flushes() == ["i"] * sum(expected for _, _, expected in OPENED[name])


def test_a_flush_that_is_due_asks_for_the_next_and_one_that_comes_early_for_none(hub: Hub) -> None:
    hub.incidents.open("i", seconds=20)
    hub.incidents.close("i")
    assert not hub.incidents.open("i", seconds=600), "it is flushed in 20 seconds"
    hub.clock.advance(timedelta(seconds=20))
    hub.incidents.close("i")
    assert hub.incidents.open("i", seconds=600)


FACT = Fact("target/a", Severity.CRITICAL, "eve can push", START, START, lets_in=True)
INCIDENT = replace(with_notes(begun("by/eve", START), [(START, START, [FACT], (), "eve")], START), revision=1)


def test_an_incident_is_kept_in_the_place_of_the_revision_before_and_no_other(hub: Hub) -> None:
    assert hub.incidents.find("by/eve") is None
    assert hub.incidents.keep(INCIDENT)
    assert hub.incidents.find("by/eve") == INCIDENT
    assert hub.incidents.find("by/ev") is None
    assert not hub.incidents.keep(replace(INCIDENT, title="of another process"))
    assert hub.incidents.keep(replace(INCIDENT, revision=2))
    assert [one.revision for one in hub.incidents.standing()] == [2]


def test_an_incident_that_has_ended_stands_no_more(hub: Hub) -> None:
    hub.incidents.keep(INCIDENT)
    assert not hub.incidents.keep(INCIDENT, is_ended=True), "another process went on with it meanwhile"
    assert hub.incidents.find("by/eve") == INCIDENT
    assert hub.incidents.keep(replace(INCIDENT, revision=2), is_ended=True)
    assert hub.incidents.find("by/eve") is None
    assert hub.incidents.standing() == []
    assert hub.incidents.keep(INCIDENT), "the same cause begins another one"


def test_whoever_asks_sees_what_stands_and_what_ended_newest_first(hub: Hub) -> None:
    for number in range(4):
        began = START + number * timedelta(hours=1)
        one = replace(INCIDENT, id=f"{number:08}", key=f"by/{number}", begun=began)
        hub.incidents.keep(one)
        if number < 3:
            hub.incidents.keep(replace(one, revision=2), is_ended=True)
    assert [one.id for one in hub.incident_records.standing()] == ["00000003"]
    assert [one.id for one in hub.incident_records.ended(START + timedelta(hours=1))] == ["00000002", "00000001"]


def test_the_last_acknowledgement_of_each_incident_holds(hub: Hub) -> None:
    assert hub.incidents.acknowledged(INCIDENT.id) is None
    first, last = Acknowledgement("ann", START, "mine"), Acknowledgement("bob", START + timedelta(hours=1), "mine now")
    hub.incident_records.acknowledge(INCIDENT.id, first)
    hub.incident_records.acknowledge("0000abcd", first)
    hub.incident_records.acknowledge(INCIDENT.id, last)
    assert hub.incidents.acknowledged(INCIDENT.id) == last
    assert hub.incident_records.acknowledgements() == {INCIDENT.id: last, "0000abcd": first}


@pytest.mark.parametrize("text", ["{", '{"schema": 9}', '{"schema": 1, "by": 7}', "[]"])
def test_what_another_version_wrote_of_who_works_on_what_is_left_out(moto_hub: MotoHub, text: str) -> None:
    mine = Acknowledgement("ann", START, "mine")
    moto_hub.incident_records.acknowledge(INCIDENT.id, mine)
    item = {"pk": {"S": "ACKNOWLEDGED"}, "sk": {"S": "0000abcd"}, "acknowledgement": packed(text)}
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert moto_hub.incidents.acknowledged("0000abcd") is None
    assert moto_hub.incident_records.acknowledgements() == {INCIDENT.id: mine}


def test_a_fact_has_the_incident_that_it_was_assigned_to_until_it_is_forgotten(hub: Hub) -> None:
    facts = [f"target/{number}" for number in range(130)]
    hub.incidents.assign(facts, "by/eve")
    hub.incidents.assign(facts[:1], "storm")
    assert hub.incidents.threads([*facts, "target/x"]) == {**dict.fromkeys(facts, "by/eve"), facts[0]: "storm"}
    hub.incidents.forget(facts[1:])
    assert hub.incidents.threads(facts) == {facts[0]: "storm"}
    assert hub.incidents.threads([]) == {}


def test_the_last_end_of_a_fact_that_was_noted_is_known(hub: Hub) -> None:
    facts = [f"target/{number}" for number in range(130)]
    later = START + timedelta(seconds=1)
    hub.incidents.note_ends(facts, START)
    hub.incidents.note_ends(facts[:1], later)
    assert hub.incidents.ends([*facts, "target/x"]) == {**dict.fromkeys(facts, START), facts[0]: later}
    assert hub.incidents.threads(facts) == {}, "it says nothing of an incident"
    assert hub.incidents.ends([]) == {}


def test_there_are_so_many_turns_in_any_time_and_whoever_has_none_hears_when(hub: Hub) -> None:
    """Ten in ten minutes, whichever ten minutes: no count that begins anew lets twenty through."""
    taken = []
    for _ in range(240):
        if hub.incidents.turn("chat", most=10, seconds=600) == 0:
            taken.append(hub.clock.now())
        hub.clock.advance(timedelta(seconds=10))
    assert len(taken) == 40
    for first, eleventh in zip(taken, taken[10:], strict=False):
        assert eleventh - first >= timedelta(seconds=600)
    assert hub.incidents.turn("mail", most=10, seconds=600) == 0, "each name has its own"


def test_a_turn_is_free_again_after_the_seconds_that_were_said(hub: Hub) -> None:
    assert hub.incidents.turn("digest", most=1, seconds=60) == 0
    hub.clock.advance(timedelta(seconds=13))
    wait = hub.incidents.turn("digest", most=1, seconds=60)
    assert wait == 47
    hub.clock.advance(timedelta(seconds=wait))
    assert hub.incidents.turn("digest", most=1, seconds=60) == 0


# By how many seconds the clock of whoever took the turn is ahead; whether another may take one now, and how soon.
SKEWED = {
    "two seconds ahead": (2, 62),
    "two seconds behind": (-2, 58),
    "an hour ahead": (3600, 0),
    "an hour behind": (-3600, 0),
}


@pytest.mark.parametrize("name", SKEWED)
def test_a_clock_that_differs_neither_shuts_a_channel_nor_opens_it_wider_than_by_its_error(hub: Hub, name: str) -> None:
    ahead, wait = SKEWED[name]
    hub.clock.advance(timedelta(seconds=ahead))
    assert hub.incidents.turn("digest", most=1, seconds=60) == 0
    hub.clock.advance(timedelta(seconds=-ahead))
    assert hub.incidents.turn("digest", most=1, seconds=60) == wait


def test_what_waits_for_a_channel_says_since_when(hub: Hub) -> None:
    since = hub.clock.now()
    hub.incidents.add(waiting_key("chat"), ["a"])
    hub.clock.advance(timedelta(seconds=5))
    hub.incidents.add(waiting_key("chat"), ["b"])
    hub.incidents.add("i", ["c"])
    assert sorted(hub.waiting("chat")) == [since, since + timedelta(seconds=5)]
    assert list(hub.waiting("e-mail")) == []
    hub.incidents.drop(waiting_key("chat"), hub.incidents.close(waiting_key("chat")))
    assert list(hub.waiting("chat")) == []
