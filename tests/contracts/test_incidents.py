"""Incidents: alerts with one cause are kept, flushed once, and dropped when they were delivered."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.notify.ports import MEMORY, waiting_key
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from tests.contracts.hubs import Hub
from tests.contracts.runs import ended

CAUSE = Cause(CauseKind.SPEC, "v1")
ACCEPTED = SpecAccepted(CAUSE, "v1", None, ("repository/222222222222/eu-central-1/a",), ())
REFUSED = SpecRefused(CAUSE, "v2", "v1", ("E001 ...",))


def test_alerts_are_collected_oldest_first_and_flushed_once(hub: Hub) -> None:
    alerts = (ACCEPTED, ended("r1"), ended("r2"), REFUSED)
    for alert in alerts:
        hub.incidents.add("spec-v1", [alert], seconds=20)
        hub.clock.advance(timedelta(seconds=1))
    assert hub.flushes() == ["spec-v1"]
    assert tuple(hub.incidents.close("spec-v1").values()) == alerts


def test_an_incident_is_opened_by_one_and_flushed_once(hub: Hub) -> None:
    assert [hub.incidents.open("i", seconds=20) for _ in range(3)] == [True, False, False]
    hub.incidents.add("i", [ACCEPTED], seconds=20)
    assert hub.flushes() == ["i"]
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)
    assert hub.incidents.open("i", seconds=20)
    assert hub.flushes() == ["i"]


def test_same_alert_twice_is_one(hub: Hub) -> None:
    hub.incidents.add("i", [ended()], seconds=20)
    hub.incidents.add("i", [ended()], seconds=20)
    assert tuple(hub.incidents.close("i").values()) == (ended(),)


def test_incidents_are_separate(hub: Hub) -> None:
    hub.incidents.add("i", [ACCEPTED], seconds=20)
    hub.incidents.add("j", [REFUSED], seconds=20)
    assert hub.flushes() == ["i", "j"]
    assert tuple(hub.incidents.close("j").values()) == (REFUSED,)
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)
    assert tuple(hub.incidents.close("k").values()) == ()


def test_an_alert_that_was_read_and_not_dropped_is_delivered_again(hub: Hub) -> None:
    hub.incidents.add("i", [ACCEPTED], seconds=20)
    hub.incidents.close("i")
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)


def test_an_alert_after_the_flush_opens_the_incident_again(hub: Hub) -> None:
    hub.incidents.add("i", [ACCEPTED], seconds=20)
    hub.flushes()
    taken = hub.incidents.close("i")
    hub.incidents.add("i", [REFUSED], seconds=20)
    hub.incidents.drop("i", taken)
    assert hub.flushes() == ["i"]
    assert tuple(hub.incidents.close("i").values()) == (REFUSED,)


def test_an_alert_is_known_again_by_all_that_it_says(hub: Hub) -> None:
    assert not hub.incidents.was_heard(ACCEPTED)
    hub.incidents.note_heard(ACCEPTED)
    assert hub.incidents.was_heard(ACCEPTED)
    assert not hub.incidents.was_heard(replace(ACCEPTED, version="v2"))
    assert not hub.incidents.was_heard(replace(ACCEPTED, cause=Cause(CauseKind.SPEC, "v2")))
    hub.clock.advance(MEMORY)
    assert not hub.incidents.was_heard(ACCEPTED)


def test_many_alerts_are_dropped_at_once(hub: Hub) -> None:
    alerts = tuple(ended(f"r{number:03}") for number in range(60))
    for alert in alerts:
        hub.incidents.add("i", [alert], seconds=20)
        hub.clock.advance(timedelta(milliseconds=1))
    taken = hub.incidents.close("i")
    assert tuple(taken.values()) == alerts
    hub.incidents.drop("i", taken)
    assert tuple(hub.incidents.close("i").values()) == ()
    hub.incidents.drop("i", ())


def test_several_alerts_are_added_at_once_in_their_order_and_each_is_one(hub: Hub) -> None:
    alerts = tuple(ended(f"r{number:03}") for number in range(60))
    hub.incidents.add("i", (*alerts, alerts[0]), seconds=20)
    assert tuple(hub.incidents.close("i").values()) == alerts
    hub.incidents.add("i", alerts[5:6], seconds=20)
    assert len(hub.incidents.close("i")) == len(alerts)
    assert hub.flushes() == ["i", "i"]


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
    hub.incidents.add(waiting_key("chat"), [ACCEPTED], seconds=60)
    hub.clock.advance(timedelta(seconds=5))
    hub.incidents.add(waiting_key("chat"), [REFUSED], seconds=60)
    hub.incidents.add("i", [REFUSED], seconds=60)
    assert sorted(hub.waiting("chat")) == [since, since + timedelta(seconds=5)]
    assert list(hub.waiting("e-mail")) == []
    hub.incidents.drop(waiting_key("chat"), hub.incidents.close(waiting_key("chat")))
    assert list(hub.waiting("chat")) == []


def test_an_incident_with_alerts_stays_open_until_a_flush_finds_none(hub: Hub) -> None:
    """Whoever acts while its message is sent has nothing sent at once beside it."""
    hub.incidents.open("i", seconds=20)
    hub.incidents.add("i", [ACCEPTED], seconds=20)
    assert hub.flushes() == ["i"]
    hub.clock.advance(timedelta(seconds=20))
    taken = hub.incidents.close("i", again=20)
    assert tuple(taken.values()) == (ACCEPTED,)
    assert not hub.incidents.open("i", seconds=20)
    hub.incidents.add("i", [REFUSED], seconds=20)
    hub.incidents.drop("i", taken)
    assert hub.flushes() == ["i"]
    hub.clock.advance(timedelta(seconds=20))
    taken = hub.incidents.close("i", again=20)
    assert tuple(taken.values()) == (REFUSED,)
    hub.incidents.drop("i", taken)
    assert hub.flushes() == ["i"]
    hub.clock.advance(timedelta(seconds=20))
    assert hub.incidents.close("i", again=20) == {}
    assert hub.flushes() == []
    assert hub.incidents.open("i", seconds=20)
