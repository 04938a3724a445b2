"""The table of an incident's states: what people hear when a fact opens, grows graver, ends, or comes again.

Each row is a story on a clock: what is said of facts, and what people hear then. A number is a second; a fact is its
key, `!` after it is critical, `*` lets an outsider in, `i` is information, `~` an image; `-key` ends it, and `key.` was
over before it was said; `^` is news, and `?` news whose end nobody hears of.
"""

from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from string import ascii_letters, digits

import pytest

from ecr_warden.aws.table import packed
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.result import Severity
from ecr_warden.notify.incident import (
    MOST_FACTS,
    Acknowledgement,
    Fact,
    Incident,
    acknowledged,
    begun,
    incident_from_json,
    incident_to_json,
    joins_storm,
    stepped,
    with_notes,
)
from ecr_warden.notify.message import Transition

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(seconds=90)
HOUR, DAY = 3600, 86400


def fact(text: str, at: datetime) -> Fact:
    key = text.rstrip("!*i~.^?")
    marks = text[len(key) :]
    severity = (
        Severity.CRITICAL if "!" in marks or "*" in marks else Severity.INFO if "i" in marks else Severity.WARNING
    )
    may_last = "?" in marks
    closed = at if "." in marks or may_last else None
    lets_in, is_image, is_news = ("*" in marks, "~" in marks, "^" in marks or may_last)
    return Fact(key, severity, f"{key} is open", at, at, closed, lets_in, is_image, is_news, may_last)


class Story:
    """An incident on a clock, which looks at it whenever it is due, as the queue does."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.due: datetime | None = None
        self.heard: list[tuple[int, Transition]] = []
        self.by: Acknowledgement | None = None

    def until(self, second: int) -> None:
        end = START + timedelta(seconds=second)
        for number in count():
            assert number < 400, "it is looked at without end"
            if self.due is None or self.due > end:
                return
            self.look(self.due, [], [])

    def look(self, now: datetime, facts: list[Fact], ends: list[str]) -> None:
        notes = with_notes(self.incident or begun("by/eve", now), [(now, now, facts, ends, "eve")], now)
        step = stepped(acknowledged(notes, self.by), now)
        assert step.due is None or step.due > now, "the time goes on"
        self.incident, self.due = step.incident if step.due else None, step.due
        if step.transition is not None:
            self.heard.append((round((now - START).total_seconds()), step.transition))

    def say(self, second: int, text: str) -> None:
        self.until(second)
        now = START + timedelta(seconds=second)
        if text == "ack":
            self.by = Acknowledgement("ann", now, "mine")
            return
        words = text.split()
        facts = [fact(word, now) for word in words if not word.startswith("-")]
        is_urgent = any(one.severity is Severity.CRITICAL for one in facts)
        gathered = self.due is not None and self.due <= now + timedelta(seconds=20)
        if is_urgent or self.incident is None or not gathered:
            self.look(now, facts, [word[1:] for word in words if word.startswith("-")])
        else:
            assert self.due is not None
            self.incident = with_notes(
                self.incident or begun("by/eve", now),
                [(now, now, facts, [word[1:] for word in words if word.startswith("-")], "eve")],
                now,
            )


O, G, S, A, V, C, R = Transition  # noqa: E741 - opened, grew, still, again, over, closed, reported
# Until when, what is said at which second, and what people hear at which second.
STORIES: dict[str, tuple[int, list[tuple[int, str]], list[tuple[int, Transition]]]] = {
    "what is not critical is gathered": (30, [(0, "a"), (5, "b")], [(20, O)]),
    "what is over while it is gathered is one message": (HOUR, [(0, "a"), (5, "-a")], [(20, C)]),
    "news is one message": (HOUR, [(0, "a."), (3, "b.")], [(20, C)]),
    "what asks for nobody waits until no more of it comes": (
        HOUR,
        [(at, f"r{at}i.") for at in range(0, 100, 15)],
        [(110, C)],
    ),
    "and ten minutes at most": (650, [(at, f"r{at}i.") for at in range(0, 700, 15)], [(600, C)]),
    "what is critical is said at once": (10, [(0, "a!")], [(0, O)]),
    "what is critical and over is said at once, once": (HOUR, [(0, "a!.")], [(0, C)]),
    "what becomes critical while it is gathered is said at once": (19, [(0, "a"), (5, "b!")], [(5, O)]),
    "the end is said at once": (HOUR, [(0, "a!"), (300, "-a")], [(0, O), (300, V)]),
    "the end of one of two is not said": (300, [(0, "a! b!"), (30, "-a")], [(0, O)]),
    "what is graver is said": (300, [(0, "a"), (100, "b!")], [(20, O), (100, G)]),
    "what is graver waits a minute after the last message": (300, [(0, "a"), (45, "b!")], [(20, O), (80, G)]),
    "the first outsider is said": (300, [(0, "a!"), (100, "b*")], [(0, O), (100, G)]),
    "what is critical and lasts is said, and what is not is counted": (
        300,
        [(0, "a!"), (100, "b!"), (200, "c")],
        [(0, O), (100, G)],
    ),
    "what is critical and was repaired is counted": (300, [(0, "a!"), (100, "b!."), (200, "c!.")], [(0, O)]),
    "what is critical and nothing repairs is said": (
        300,
        [(0, "a!"), (100, "b!.^"), (110, "c!.^")],
        [(0, O), (100, G), (160, G)],
    ),
    "what follows at once tells the extent": (300, [(0, "a!"), (1, "b!"), (2, "c!")], [(0, O), (20, G)]),
    "what is over and comes again is said again, and over once it is quiet": (
        3000,
        [(0, "a!."), (60, "a!"), (120, "-a"), (180, "a!."), (240, "a!.")],
        [(0, C), (60, A), (840, V)],
    ),
    "another fact after the end makes it grow": (2000, [(0, "a!."), (60, "b!.")], [(0, C), (60, G), (660, V)]),
    "news after news is said, and counted when it is quiet": (
        HOUR,
        [(0, "a.^"), (60, "b.^")],
        [(20, C), (60, G), (660, V)],
    ),
    "what nobody hears the end of is reported": (HOUR, [(0, "a!?")], [(0, R)]),
    "with what was over before": (HOUR, [(0, "a!. b?")], [(0, R)]),
    "with what lasts it opens, and no end is said of it": (HOUR - 1, [(0, "a! b!?"), (100, "-a")], [(0, O), (100, V)]),
    "more of it makes it grow, and then it ends in silence": (HOUR, [(0, "a?"), (60, "b?")], [(20, R), (60, G)]),
    "and what was only counted is reported": (HOUR, [(0, "a?"), (60, "b?"), (70, "c?")], [(20, R), (60, G), (670, R)]),
    "what is critical is said before the end of what lasted": (
        HOUR,
        [(0, "a!"), (50, "-a b!?")],
        [(0, O), (60, G), (650, V)],
    ),
    "the same long after is another incident": (2000, [(0, "a!."), (700, "a!.")], [(0, C), (700, C)]),
    "people are reminded": (
        DAY + 10,
        [(0, "a")],
        [(20, O), (HOUR, S), (6 * HOUR, S), (DAY, S)],
    ),
    "of what is critical each day": (
        3 * DAY + 10,
        [(0, "a!")],
        [(0, O), (HOUR, S), (6 * HOUR, S), (DAY, S), (2 * DAY, S), (3 * DAY, S)],
    ),
    "nobody is reminded of what somebody works on": (
        DAY + 10,
        [(0, "a"), (100, "ack"), (30 * HOUR, "-a")],
        [(20, O), (30 * HOUR, V)],
    ),
    "until it grows": (
        DAY,
        [(0, "a"), (100, "ack"), (200, "b!")],
        [(20, O), (200, G), (HOUR, S), (6 * HOUR, S), (DAY, S)],
    ),
    "an end wins over an acknowledgement": (HOUR, [(0, "a"), (100, "-a"), (101, "ack")], [(20, O), (100, V)]),
    "an image that is left is said, and is over when it is gone": (
        2 * HOUR,
        [(0, "a* p*~"), (100, "-a"), (5000, "-p")],
        [(0, O), (100, S), (HOUR, S), (5000, V)],
    ),
    "what lasts after news has not come again: its end is said at once": (
        HOUR - 1,
        [(0, "n.^"), (100, "a*"), (300, "-a")],
        [(20, C), (100, G), (300, V)],
    ),
    "an image that comes late is said again": (HOUR - 1, [(0, "a*."), (400, "p*~")], [(0, C), (400, G)]),
    "at most five messages in an hour": (
        HOUR - 1,
        [(0, "a"), (100, "b!"), (300, "c*"), (500, "-a -b -c"), (600, "d"), (700, "-d")],
        [(20, O), (100, G), (300, G), (500, V), (1300, V)],
    ),
    "an outsider who stays is said however much came before, and no more than once a minute": (
        HOUR - 1,
        [(0, "a"), (100, "b!"), (300, "c*"), (500, "-a -b -c"), (600, "d*"), (610, "e*"), (620, "f*"), (700, "d*")],
        [(20, O), (100, G), (300, G), (500, V), (600, G), (660, G)],
    ),
    "an outsider who gets in where something lesser lasts is said": (
        300,
        [(0, "a* b"), (100, "b*")],
        [(0, O), (100, G)],
    ),
    "an image alone is said once, and another makes it grow": (
        HOUR - 1,
        [(0, "p*~"), (900, "q*~")],
        [(0, O), (900, G)],
    ),
    "access that comes and goes while an image is left has no more than five messages": (
        HOUR - 1,
        [
            (0, "a* p*~"),
            *((second, word) for at in range(100, 900, 200) for second, word in ((at, "-a"), (at + 99, "a"))),
        ],
        [(0, O), (100, S), (300, S), (500, S)],
    ),
    "nor has what comes again after each end": (
        2 * HOUR,
        [(at, "a!.") for at in range(0, 3000, 595)],
        [(0, C), (595, A), (3575, V)],
    ),
    "what comes again after five messages is over when the hour is": (
        2 * HOUR,
        [(at, "a!.") for at in (0, 300, 1000, 1500, 2200, 2400)],
        [(0, C), (300, A), (900, V), (1000, A), (2100, V), (HOUR, V)],
    ),
    "of what grew after it was acknowledged nobody is reminded for the time before": (
        6 * HOUR,
        [(0, "a"), (100, "ack"), (2 * HOUR, "b!")],
        [(20, O), (2 * HOUR, G), (6 * HOUR, S)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_people_hear(name: str) -> None:
    end, said, heard = STORIES[name]
    story = Story()
    for second, text in said:
        story.say(second, text)
    story.until(end)
    assert story.heard == heard


def test_what_is_said_twice_late_or_out_of_order_changes_nothing() -> None:
    opened, again = fact("a!", START), fact("a!", START + timedelta(seconds=60))
    ended = replace(opened, closed=START + timedelta(seconds=30), seen=START + timedelta(seconds=30))
    notes = [(one.seen, one.seen, [one], (), "") for one in (opened, ended, again)]
    for order in ([0, 1, 2], [0, 1, 2, 0, 1, 2], [0, 0, 1, 1, 2, 2], [0, 2, 1], [2, 0, 1]):
        made = with_notes(begun("by/eve", START), [notes[number] for number in order], START)
        assert [one.closed for one in made.facts] == [None], order
    made = with_notes(begun("by/eve", START), [notes[0], (LATER, LATER, (), ("a",), "")], LATER)
    late = with_notes(made, notes[:3], LATER)
    assert [one.closed for one in late.facts] == [LATER]


def test_more_facts_than_an_incident_remembers_are_counted_those_that_are_over_first() -> None:
    many = [fact(f"f{number}{'.' if number % 2 else ''}", LATER) for number in range(2 * MOST_FACTS)]
    notes = [(START, START, [fact("a*", START)], (), ""), (LATER, LATER, many, (), "")]
    made = with_notes(begun("by/eve", START), notes, LATER)
    assert (len(made.facts), made.left_out, made.things) == (MOST_FACTS, MOST_FACTS + 1, 2 * MOST_FACTS + 1)
    assert all(one.is_open(LATER) for one in made.facts)
    assert made.lets_in, "many that are lesser drive out no outsider"
    assert made.left_open == 1
    again = with_notes(made, notes, LATER)
    assert (again.left_out, again.left_open, again.things) == (made.left_out, 1, made.things), "each is counted once"
    after = LATER + timedelta(seconds=1)
    more = with_notes(made, [(after, after, [fact("g", after), fact("h", after)], (), "")], after)
    assert (more.left_out, more.left_open, more.things) == (MOST_FACTS + 3, 3, made.things + 2)


def test_an_incident_whose_facts_somebody_made_long_is_no_larger_than_an_item_of_the_table() -> None:
    """Roles have names of 64 characters and paths of 512, and whoever made them chose both."""
    chosen = Random(7)
    names = ["".join(chosen.choices(ascii_letters + digits + "+=,.@_-/", k=700)) for _ in range(MOST_FACTS)]
    facts = [replace(fact("f", START), key=f"unread/{name}", title=f"not read: {name}") for name in names]
    made = with_notes(begun("by/eve", START), [(START, START, facts, (), "")], START)
    assert made.things == len(made.facts) + made.left_out == MOST_FACTS
    assert len(packed(dumps(incident_to_json(made)))["B"]) < 390_000


def test_an_incident_is_by_whoever_was_named_first() -> None:
    notes = [(START, START, [fact(f"f{number}", START)], (), by) for number, by in enumerate(("", "eve", "bob"))]
    assert [with_notes(begun("by/eve", START), notes[:number], START).by for number in (1, 2, 3)] == ["", "eve", "eve"]


def test_an_incident_is_stored_and_read() -> None:
    made = with_notes(begun("by/eve", START), [(START, START, [fact("a*~", START)], (), "eve")], START)
    assert incident_from_json(incident_to_json(made)) == made


# Of how many others that are open, and whether each lets somebody in; whether it does; whether it joins the storm.
STORMS = {
    "the first": (0, False, False, False),
    "the fifth": (4, False, False, False),
    "the sixth": (5, False, False, True),
    "an outsider's": (5, False, True, False),
    "beside five of outsiders": (5, True, False, False),
}


@pytest.mark.parametrize("name", STORMS)
def test_the_sixth_that_lets_nobody_in_joins_one_storm(name: str) -> None:
    others, let_in, lets_in, joins = STORMS[name]

    def opened(key: str, mark: str) -> Incident:
        made = with_notes(begun(key, START), [(START, START, [fact(f"f{mark}", START)], (), "")], START)
        return stepped(made, START + timedelta(seconds=20)).incident

    standing = [opened(f"by/{number}", "*" if let_in else "!") for number in range(others)]
    assert joins_storm(opened("by/eve", "*" if lets_in else "!"), standing) is joins
