"""What the messages of an incident say beside what its alerts say."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_warden.core.result import Severity
from ecr_warden.images.push import Right
from ecr_warden.notify.incident import Acknowledgement, Fact, Incident, acknowledged, begun, with_notes
from ecr_warden.notify.layout import FIELDS
from ecr_warden.notify.message import Message, Transition
from ecr_warden.notify.threads import message_on
from tests.unit.notify.pages import by, pushed
from tests.unit.notify.reports import MALLORY

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
NOW = START + timedelta(hours=1)


def fact(title: str, *, until: timedelta | None = None, is_image: bool = False, may_last: bool = False) -> Fact:
    """Open from the start until then."""
    closed = None if until is None else START + until
    seen = START if closed is None else closed
    return Fact(title, Severity.CRITICAL, title, START, seen, closed, False, is_image, may_last, may_last)


OPEN, ALSO_OPEN, IMAGE = fact("a is open"), fact("b is open"), fact("an image is there", is_image=True)
OVER, STOPPED = (
    fact("c was open", until=timedelta(minutes=5)),
    fact("a trail was stopped", until=timedelta(minutes=30), may_last=True),
)


def of(*facts: Fact, **more: Any) -> Incident:
    """An incident of these facts, of which people had a message."""
    return replace(with_notes(begun("by/eve", START), [(START, START, facts, (), "eve")], START), sent=2, **more)


def shown(message: Message) -> dict[str, str]:
    return {field.label: field.text for field in message.fields}


# The incident, what became of it, and of a message that has no alerts of its own the state, the title and the lines.
WITHOUT_ALERTS: dict[str, tuple[Incident, Transition, str, tuple[str, ...]]] = {
    "one thing is open": (of(OPEN), Transition.STILL, "open: a is open", ()),
    "two are": (of(OPEN, ALSO_OPEN), Transition.STILL, "open: a is open (1 more)", ("Open:", "a is open", "b is open")),
    "nothing but an image is left": (
        of(OVER, IMAGE, STOPPED, only_images=True),
        Transition.STILL,
        "open: left: an image is there",
        ("Over:", "c was open"),
    ),
    "what grew is no longer true": (of(OPEN, OVER), Transition.GREW, "open: a is open", ()),
    "all is over": (of(OVER), Transition.OVER, "closed: c was open", ()),
    "what nobody hears the end of is no part of an end": (of(STOPPED, OVER), Transition.OVER, "closed: c was open", ()),
    "nothing of it was over": (of(STOPPED), Transition.REPORTED, "open: a trail was stopped", ()),
}


@pytest.mark.parametrize("name", WITHOUT_ALERTS)
def test_what_a_message_says_by_the_facts_alone(name: str) -> None:
    incident, transition, title, lines = WITHOUT_ALERTS[name]
    message = message_on(incident, transition, [], NOW)
    assert (f"{message.state}: {message.title}", message.lines) == (title, lines)


def test_an_end_says_after_how_long_and_what_may_last() -> None:
    message = message_on(of(STOPPED, OVER), Transition.OVER, [], NOW)
    assert message.lasted == "after 5 min"
    assert shown(message)["May last"] == "a trail was stopped"
    assert "May last" not in shown(message_on(of(OVER), Transition.OVER, [], NOW))


# Of an incident of which an image is left, what else there was, and whether nobody gets in any more.
LEFT: dict[str, tuple[Incident, bool]] = {
    "what is over": (of(OVER, IMAGE, only_images=True), True),
    "what nobody hears the end of": (of(OVER, IMAGE, STOPPED, only_images=True), False),
    "what was open and only counted": (of(OVER, IMAGE, only_images=True, left_open=2, left_out=2), False),
}


@pytest.mark.parametrize("name", LEFT)
def test_nobody_gets_in_any_more_is_said_where_it_is_known_alone(name: str) -> None:
    incident, is_known = LEFT[name]
    assert ("Access" in shown(message_on(incident, Transition.STILL, [], NOW))) is is_known


def test_an_end_names_what_was_open_and_only_counted() -> None:
    incident = of(OVER, STOPPED, left_open=2, left_out=7)
    may_last = shown(message_on(incident, Transition.OVER, [], NOW))["May last"]
    assert may_last == "2 things counted only, a trail was stopped"


def test_a_reminder_says_how_reminders_end_unless_somebody_works_on_it() -> None:
    incident = of(OPEN)
    assert incident.id in shown(message_on(incident, Transition.STILL, [], NOW))["Reminders"]
    worked_on = acknowledged(incident, Acknowledgement("ann", NOW, "mine"))
    assert "Reminders" not in shown(message_on(worked_on, Transition.STILL, [], NOW))


def test_how_much_it_is_says_what_was_only_counted() -> None:
    message = message_on(of(OPEN, ALSO_OPEN, left_out=7), Transition.STILL, [], NOW)
    assert shown(message)["In all"] == "2 things since 2026-11-24T10:00:00Z, 7 of them counted only"


@pytest.mark.parametrize("transition", Transition)
def test_a_message_names_its_incident_unless_that_is_past_with_it(transition: Transition) -> None:
    incident = of(OVER) if transition in (Transition.OVER, Transition.CLOSED) else of(OPEN)
    is_named = "Incident" in shown(message_on(incident, transition, [], NOW))
    assert is_named is (transition not in (Transition.CLOSED, Transition.REPORTED))


def test_a_message_of_many_fields_still_names_its_incident() -> None:
    many = [replace(pushed(MALLORY, Right.OUTSIDE), cause=by(f"ecr:Call{number}")) for number in range(2)]
    incident = of(OPEN, ALSO_OPEN)
    message = message_on(incident, Transition.GREW, many, NOW)
    assert len(message.fields) <= FIELDS
    assert list(shown(message))[-2:] == ["In all", "Incident"]
