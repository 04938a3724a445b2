"""Whoever asks sees what lasts and what is over; whoever works on an incident ends its reminders."""

from copy import replace
from datetime import datetime, timedelta

import pytest

from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.result import Severity
from ecr_warden.hub.incidents import NoSuchIncident
from ecr_warden.hub.reply import CommandReply, IncidentsReply, IncidentStatus
from ecr_warden.hub.request import AskIncidents, request_to_text
from ecr_warden.notify.incident import Acknowledgement, Fact, Incident, IncidentState, begun, with_notes
from ecr_warden.notify.message import Transition
from ecr_warden.state.commands import Acknowledge, BadRequest
from ecr_warden.state.history import HistoryKind
from iam_access.errors import NamedError
from local.testing.people import People
from local.testing.seed import NOW
from tests.usecases.hub import ALICE, HUB, ask, commands_of
from tests.usecases.world import World, expect, world_in_sync

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CUT = Wire("rule ecr-warden-sweep", "the schedule", WireState.MISSING, mark="missing")
IN_ORDER = replace(CUT, state=WireState.ON, mark="")


def of(name: str, severity: Severity, began: datetime, *, lets_in: bool = False, is_over: bool = False) -> Incident:
    fact = Fact(f"fact/{name}", severity, f"{name} can push", began, began, lets_in=lets_in)
    fact = replace(fact, closed=began + HOUR) if is_over else fact
    known = with_notes(begun(f"by/{name}", began), [(began, began, [fact], (), name)], NOW)
    return replace(known, state=IncidentState.OVER if is_over else IncidentState.OPEN, said_at=began)


STANDING = (
    of("ann", Severity.WARNING, NOW - HOUR),
    of("bob", Severity.CRITICAL, NOW - 3 * HOUR),
    of("cid", Severity.CRITICAL, NOW - 2 * HOUR),
    of("eve", Severity.CRITICAL, NOW - 9 * DAY, lets_in=True),
    of("fay", Severity.WARNING, NOW - 2 * HOUR, is_over=True),
)
ENDED = (
    of("gus", Severity.INFO, NOW - DAY, is_over=True),
    of("hal", Severity.CRITICAL, NOW - 9 * DAY, is_over=True),
)


def world_with(*standing: Incident) -> World:
    world = world_in_sync()
    world.incidents.incidents = {one.key: one for one in standing or STANDING}
    world.incidents.ended = [*ENDED]
    return world


def shown(world: World, **asked: object) -> tuple[IncidentStatus, ...]:
    return expect(IncidentsReply, ask(world, AskIncidents(**asked))).incidents  # type: ignore[arg-type]


def give(world: World, command: Acknowledge) -> CommandReply:
    return commands_of(world).carry_out(request_to_text(command), "alice", HUB)


# What is asked for, and whose incidents are shown.
ASKED: dict[str, tuple[dict[str, object], str]] = {
    "what lasts, whoever is not ours first, then the gravest, then the newest": ({}, "eve cid bob ann"),
    "and what is over and began since": ({"since": NOW - 7 * DAY}, "eve cid bob ann fay gus"),
    "and what is over and began long ago": ({"since": NOW - 10 * DAY}, "eve cid bob ann fay gus hal"),
    "one that lasts": ({"incident": STANDING[1].id}, "bob"),
    "one by the beginning of its ID": ({"incident": STANDING[0].id[:5]}, "ann"),
    "one that ended long ago": ({"incident": ENDED[1].id}, "hal"),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_lasts_is_shown_first_and_the_gravest_of_it(name: str) -> None:
    asked, expected = ASKED[name]
    assert [one.by for one in shown(world_with(), **asked)] == expected.split()


def test_an_incident_says_when_it_ended_and_a_list_counts_the_facts_that_one_shows_all() -> None:
    facts = [Fact(f"fact/{number}", Severity.WARNING, f"thing {number}", NOW - HOUR, NOW - HOUR) for number in range(8)]
    facts[7] = replace(facts[7], severity=Severity.CRITICAL, closed=NOW - HOUR / 2)
    many = with_notes(begun("by/ann", NOW - HOUR), [(NOW - HOUR, NOW - HOUR, facts, (), "ann")], NOW)
    world = world_with(replace(many, state=IncidentState.OPEN, asked="look at it", command="ecr-warden status"))
    [listed] = shown(world)
    assert (len(listed.facts), listed.left_out, listed.ended, listed.to_do) == (5, 3, None, "look at it")
    [whole] = shown(world, incident=many.id)
    assert [one.title for one in whole.facts] == [f"thing {number}" for number in range(8)], "what lasts comes first"
    assert [one.lasts for one in whole.facts] == [True] * 7 + [False]
    [over] = shown(world, incident=ENDED[0].id)
    assert (over.ended, over.to_do, over.command) == (NOW - DAY + HOUR, "", "")


def test_many_incidents_are_counted_beyond_two_hundred() -> None:
    world = world_with(*(of(f"p{number}", Severity.WARNING, NOW - number * HOUR) for number in range(230)))
    reply = expect(IncidentsReply, ask(world, AskIncidents()))
    assert (len(reply.incidents), reply.left_out) == (200, 30)


def test_digits_with_which_several_incidents_begin_name_none_whether_they_last_or_not() -> None:
    first, second, over = (replace(one, id=f"abcd000{number}") for number, one in enumerate((*STANDING[:2], ENDED[0])))
    world = world_with(first, second)
    world.incidents.ended = [over]
    for digits, found in (("abcd", None), ("abcd0001", second), ("abcd0002", over)):
        if found is None:
            with pytest.raises(NoSuchIncident):
                ask(world, AskIncidents(digits))
        else:
            [one] = expect(IncidentsReply, ask(world, AskIncidents(digits))).incidents
            assert one.id == found.id


def test_whoever_acknowledges_is_proven_recorded_and_shown_until_it_grows() -> None:
    world = world_with()
    reply = give(world, Acknowledge("command-1", STANDING[1].id[:6], " looking into it "))
    assert (reply.caller, reply.targets, reply.enqueued) == (ALICE.arn, (), False)
    by = Acknowledgement("alice", NOW, "looking into it")
    assert world.command_records.taken["command-1"].caller == ALICE.arn
    [kept] = [one for one in world.log.kept.values() if one.kind is HistoryKind.ACKNOWLEDGED]
    assert (kept.id, kept.by, kept.text) == (STANDING[1].id, ALICE, "looking into it")
    assert {one.by: one.acknowledged for one in shown(world)} == {"eve": None, "cid": None, "bob": by, "ann": None}
    grown = replace(STANDING[1], said_at=NOW + HOUR)
    world.incidents.incidents[grown.key] = grown
    assert {one.acknowledged for one in shown(world)} == {None}


REFUSED: dict[str, tuple[Acknowledge, type[NamedError]]] = {
    "an unknown one": (Acknowledge("command-1", "0000abcd", "mine"), NoSuchIncident),
    "one that is over": (Acknowledge("command-1", STANDING[4].id, "mine"), NoSuchIncident),
    "one that has ended": (Acknowledge("command-1", ENDED[0].id, "mine"), NoSuchIncident),
    "no reason": (Acknowledge("command-1", STANDING[0].id, " "), BadRequest),
    "a reason of two lines": (Acknowledge("command-1", STANDING[0].id, "a\nb"), BadRequest),
    "no ID": (Acknowledge("command-1", "by/ann", "mine"), BadRequest),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_acknowledged_is_refused_by_name_and_nothing_is_recorded(name: str) -> None:
    command, error = REFUSED[name]
    world = world_with()
    logged = [*world.log.kept]
    with pytest.raises(error):
        give(world, command)
    assert (world.command_records.taken, [*world.log.kept], world.incidents.acknowledgements) == ({}, logged, {})


def test_nobody_is_reminded_of_what_somebody_works_on_and_its_end_is_said() -> None:
    """The same trouble twice, once acknowledged: reminders after 1, 6 and 24 hours, and none."""
    heard = {}
    for is_worked_on in (False, True):
        people, world = People(), world_in_sync()
        people.announce(WiringChanged(Cause(CauseKind.SWEEP, "s-1"), "hub", (CUT,)))
        people.wait(60)
        world.incidents, world.clock = people.incidents, people.clock
        if is_worked_on:
            give(world, Acknowledge("command-1", shown(world)[0].id, "mine"))
        people.wait(DAY.total_seconds())
        people.announce(WiringChanged(Cause(CauseKind.SWEEP, "s-2"), "hub", (), (IN_ORDER,)))
        people.wait(60)
        heard[is_worked_on] = [message.transition for _, message in people.chat.got]
    still = Transition.STILL
    assert heard[False] == [Transition.OPENED, still, still, still, Transition.OVER]
    assert heard[True] == [Transition.OPENED, Transition.OVER]
