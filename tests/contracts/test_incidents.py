"""Incidents: alerts with one cause are kept, flushed once, and dropped when they were delivered."""

from copy import replace
from datetime import timedelta

from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.notify.ports import MEMORY
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from tests.contracts.hubs import Hub
from tests.contracts.runs import ended

CAUSE = Cause(CauseKind.SPEC, "v1")
ACCEPTED = SpecAccepted(CAUSE, "v1", None, ("repository/222222222222/eu-central-1/a",), ())
REFUSED = SpecRefused(CAUSE, "v2", "v1", ("E001 ...",))


def test_alerts_are_collected_oldest_first_and_flushed_once(hub: Hub) -> None:
    alerts = (ACCEPTED, ended("r1"), ended("r2"), REFUSED)
    for alert in alerts:
        hub.incidents.add("spec-v1", alert, seconds=20)
        hub.clock.advance(timedelta(seconds=1))
    assert hub.flushes() == ["spec-v1"]
    assert tuple(hub.incidents.close("spec-v1").values()) == alerts


def test_an_incident_is_opened_by_one_and_flushed_once(hub: Hub) -> None:
    assert [hub.incidents.open("i", seconds=20) for _ in range(3)] == [True, False, False]
    hub.incidents.add("i", ACCEPTED, seconds=20)
    assert hub.flushes() == ["i"]
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)
    assert hub.incidents.open("i", seconds=20)
    assert hub.flushes() == ["i"]


def test_same_alert_twice_is_one(hub: Hub) -> None:
    hub.incidents.add("i", ended(), seconds=20)
    hub.incidents.add("i", ended(), seconds=20)
    assert tuple(hub.incidents.close("i").values()) == (ended(),)


def test_incidents_are_separate(hub: Hub) -> None:
    hub.incidents.add("i", ACCEPTED, seconds=20)
    hub.incidents.add("j", REFUSED, seconds=20)
    assert hub.flushes() == ["i", "j"]
    assert tuple(hub.incidents.close("j").values()) == (REFUSED,)
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)
    assert tuple(hub.incidents.close("k").values()) == ()


def test_an_alert_that_was_read_and_not_dropped_is_delivered_again(hub: Hub) -> None:
    hub.incidents.add("i", ACCEPTED, seconds=20)
    hub.incidents.close("i")
    assert tuple(hub.incidents.close("i").values()) == (ACCEPTED,)


def test_an_alert_after_the_flush_opens_the_incident_again(hub: Hub) -> None:
    hub.incidents.add("i", ACCEPTED, seconds=20)
    hub.flushes()
    taken = hub.incidents.close("i")
    hub.incidents.add("i", REFUSED, seconds=20)
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
        hub.incidents.add("i", alert, seconds=20)
        hub.clock.advance(timedelta(milliseconds=1))
    taken = hub.incidents.close("i")
    assert tuple(taken.values()) == alerts
    hub.incidents.drop("i", taken)
    assert tuple(hub.incidents.close("i").values()) == ()
    hub.incidents.drop("i", ())
