"""`incidents`, `ack` and `test-alert`, over a hub in this process."""

from copy import replace
from dataclasses import dataclass, field

import pytest

from ecr_warden.core.result import Severity
from local.testing.people import People
from local.testing.seed import NOW
from tests.cli.command import Command
from tests.cli.test_hub import InProcess, over
from tests.usecases.test_incidents import DAY, ENDED, HOUR, STANDING, of, world_with
from tests.usecases.world import world_in_sync

ANN, BOB, CID, EVE, FAY = (one.id for one in STANDING)
REASON = "looking into it, ticket 4711"


def alerted() -> Command:
    return over(world_with())


def test_what_lasts_stands_above_what_is_over_each_with_what_is_to_do() -> None:
    world = world_with()
    bob = STANDING[1]
    world.incidents.incidents[bob.key] = replace(bob, asked="end the session", command="ecr-warden status", things=3)
    ran = over(world)("incidents")
    assert ran.code == 2
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == [
        f"{EVE}  CRITICAL open for 9 d: eve can push",
        f"{CID}  CRITICAL open for 2 h: cid can push",
        f"{BOB}  CRITICAL open for 3 h: bob can push",
        f"{ANN}  WARNING open for 1 h: ann can push",
        f"{FAY}  WARNING over after 1 h: fay can push",
        f"{ENDED[0].id}  INFO over after 1 h: gus can push",
    ]
    assert (
        "  by bob, since 2026-11-24T07:00:00Z, 3 things, about to be said\n"
        "  To do: end the session\n"
        "  ecr-warden status\n"
    ) in ran.out


def test_one_incident_shows_all_that_it_is_about() -> None:
    ran = alerted()("incidents", ENDED[1].id)
    assert (ran.code, ran.out) == (
        0,
        f"{ENDED[1].id}  CRITICAL over after 1 h: hal can push\n"
        "  by hal, since 2026-11-15T10:00:00Z, about to be said\n"
        "  2026-11-15T10:00:00Z  CRITICAL over at 2026-11-15T11:00:00Z: hal can push\n",
    )


@pytest.mark.parametrize(
    ("words", "by"),
    [
        (("--open",), ["eve", "cid", "bob", "ann"]),
        (("--from", "2h"), ["eve", "cid", "bob", "ann", "fay"]),
        (("--from", "2026-11-14"), ["eve", "cid", "bob", "ann", "fay", "gus", "hal"]),
        ((BOB[:5],), ["bob"]),
    ],
)
def test_programs_get_what_people_asked_for(words: tuple[str, ...], by: list[str]) -> None:
    assert [one["by"] for one in alerted()("incidents", *words, "--json").json["incidents"]] == by


def test_nothing_that_lasts_is_well() -> None:
    world = world_with(of("fay", Severity.WARNING, NOW - DAY - HOUR, is_over=True))
    ran = over(world)("incidents", "--open")
    assert (ran.code, ran.out) == (0, "no incident\n")


def test_an_acknowledgement_is_shown_with_its_reason_and_is_in_the_history() -> None:
    command = alerted()
    ran = command("ack", BOB[:4], "--reason", REASON)
    assert (ran.code, ran.err) == (0, "")
    assert ran.last_line.startswith("recorded as worked on by ci:user/alice: nobody is reminded of it")
    assert f"  alice works on it since 2026-11-24T10:00:00Z: {REASON}\n" in command("incidents").out
    assert f"acknowledged  incident {BOB}\n  by alice: {REASON}\n" in command("history").out
    [shown] = command("incidents", BOB, "--json").json["incidents"]
    assert shown["acknowledged"] == {"by": "alice", "at": "2026-11-24T10:00:00+00:00", "reason": REASON}


@dataclass(slots=True)
class Announcing(InProcess):
    """A hub whose alerts reach people while somebody waits."""

    people: People = field(default_factory=People)

    def pass_time(self, seconds: float) -> None:
        if self.works:
            self.people.announce(*self.world.alerts.published)
            self.world.alerts.published.clear()
        self.people.wait(seconds)


def announcing(*, works: bool = True, is_heard: bool = True) -> Command:
    world = world_in_sync()
    people = People(world.clock)
    world.adapters.incidents, people.chat.works = people.incidents, is_heard
    hub = Announcing(world, works, people=people)
    return Command(hub=hub, clock=world.clock, sleep=hub.pass_time)


@pytest.mark.parametrize(
    ("works", "is_heard", "code", "says"),
    [
        (True, True, 0, "sent by every channel, as incident "),
        (True, False, 2, "but 1 message for chat: waiting since 2026-11-24T10:00:"),
        (False, True, 1, "no message has left within 120 s: see the log group /aws/lambda/ecr-warden-alert"),
    ],
)
def test_a_test_waits_until_its_message_has_left_and_says_where_it_waits(
    works: bool, is_heard: bool, code: int, says: str
) -> None:
    ran = announcing(works=works, is_heard=is_heard)("test-alert")
    assert ran.code == code
    assert says in ran.out + ran.err
    form = announcing(works=works, is_heard=is_heard)("test-alert", "--json").json
    assert (form["incident"] is not None, len(form["waiting"])) == (works, not is_heard)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("incidents", "00000000"), "no incident is 00000000, or several begin so"),
        (("incidents", "eve"), "is not the ID of an incident, or 4 or more digits of it"),
        (("incidents", BOB, "--open"), "--open or --from with one incident"),
        (("ack", FAY, "--reason", "mine"), f"no incident {FAY} lasts"),
        (("ack", BOB), "the following arguments are required: --reason"),
        (("ack", BOB, "--reason", " "), "a reason is one line of 1 to 200 printable characters"),
        (("acknowledge", BOB), "did you mean ack?"),
    ],
)
def test_wrong_input_says_what_to_write(words: tuple[str, ...], says: str) -> None:
    ran = alerted()(*words)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
