"""Random histories of one incident, looked at whenever it is due and in between, against a plain reader.

The reader knows nothing of states: it has what was said of each key and when, and the messages with their times.
"""

from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ecr_warden.core.result import Severity
from ecr_warden.notify import incident as engine
from ecr_warden.notify.incident import GATHER, Acknowledgement, Fact, Incident, acknowledged, stepped, with_notes
from ecr_warden.notify.message import Transition

START, SECOND = datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=1)
ENDS = (Transition.OVER, Transition.CLOSED, Transition.REPORTED)
LISTS_ONLY = (Transition.STILL, Transition.OVER)


class Act(Struct, frozen=True):
    """After some seconds something is said that was seen `late` seconds before; or nothing, and somebody looks."""

    after: int
    what: str
    key: str
    late: int
    is_twice: bool


_WHAT = [*["opens", "lets-in"] * 2, *["ends"] * 4, "graver", "was", "let-in", "runs-out", "ack", "look"]
_WHAT += ["happens", "is-stopped"]  # news whose end nobody hears of, and the same of what is critical


def _acts(*after: int) -> st.SearchStrategy[list[Act]]:
    key, late = st.sampled_from(["a", "b", "c", "p~", "q~"]), st.sampled_from([0, 0, 0, 0, 0, -5, 5, 45, 900])
    act = st.builds(Act, st.sampled_from(after), st.sampled_from(_WHAT), key, late, st.booleans())
    return st.lists(act, min_size=1, max_size=60)


_CLOSE = (0, 0, 1, 5, 19, 20, 21, 45, 60, 61, 130)
HISTORIES = _acts(*_CLOSE) | _acts(5, 61, 610, 610) | _acts(*_CLOSE, 599, 601, 1500, 4000, 30000)


def fact_of(act: Act, seen: datetime) -> Fact:
    grade = Severity.CRITICAL if act.what in ("graver", "lets-in", "let-in", "is-stopped") else Severity.WARNING
    may_last = act.what in ("happens", "is-stopped")
    closed = seen if may_last or act.what in ("was", "let-in") else None
    closed = seen + 300 * SECOND if act.what == "runs-out" else closed
    flags = {"lets_in": act.what in ("lets-in", "let-in"), "is_image": "~" in act.key, "may_last": may_last}
    return Fact(
        act.key, grade, f"{act.key} is open", seen, seen, closed, is_news=may_last or act.what == "was", **flags
    )


class Said(Struct):
    """What was said of a key: when it and the last word on it were seen, and since when it is known to be open."""

    seen: datetime
    last: datetime
    grade: int  # 2: an outsider; 1: critical
    until: datetime | None
    since: datetime


class Message(Struct, frozen=True):
    at: datetime
    transition: Transition
    open: Sequence[str]
    is_of_critical: bool  # what is open or nobody hears the end of, and no message before has said


class History:
    """One incident on a clock, and a plain reader of the same."""

    def __init__(self) -> None:
        self.now, self.due = START, START
        self.incident: Incident | None = None
        self.notes: list[engine.Note] = []
        self.by: Acknowledgement | None = None
        self.reader: dict[str, Said] = {}
        self.stopped: list[datetime] = []  # when something was that is critical, and whose end nobody hears of
        self.messages: list[Message] = []
        self.threads: list[list[Message]] = []
        self.looks = 0

    def open(self) -> Sequence[str]:
        return [key for key, said in self.reader.items() if said.until is None or said.until > max(self.now, said.seen)]

    def play(self, acts: Sequence[Act]) -> None:
        for act in acts:
            self.until(self.now + act.after * SECOND)
            if act.what == "ack":
                self.by = Acknowledgement("ann", self.now, "mine")
            elif act.what == "look":
                self.look()
            elif act.what != "ends" or act.key in self.open():  # an end of what is not open is of no incident
                self.say(act)

    def say(self, act: Act) -> None:
        if act.what in ("was", "happens", "is-stopped"):  # news, each with a key of its own
            act = replace(act, key=f"{act.key} at {self.now} {len(self.reader)}")
            self.stopped += [self.now] * (act.what == "is-stopped")
        seen, known = self.now - act.late * SECOND, self.reader.get(act.key)
        if known is not None and known.until is not None and self.now < known.until <= self.now + GATHER:
            return  # what runs out before anybody looks
        if known is not None and abs(seen - known.last) <= 5 * SECOND:
            seen = known.last + SECOND  # whoever sees one thing after the other says so by one clock
        fact = None if act.what == "ends" else fact_of(act, seen)
        note: engine.Note = (self.now, seen, [fact] if fact else [], [] if fact else [act.key], "eve")
        self.notes += [note] * (1 + act.is_twice)
        self.read(act.key, seen, fact)
        soon = bool(self.incident or self.notes[1 + act.is_twice :]) and self.due <= self.now + GATHER
        self.due = self.due if soon else self.now + GATHER
        if fact is not None and fact.severity is Severity.CRITICAL and not soon:
            self.look()

    def read(self, key: str, seen: datetime, fact: Fact | None) -> None:
        known, is_open = self.reader.get(key), key in self.open()
        if fact is None:
            if known is not None and is_open and seen > known.last:
                known.until, known.last = min(seen, self.now), seen
        elif known is None or seen > (known.last if is_open else max(known.last, known.until or known.last)):
            grade = (fact.severity is Severity.CRITICAL) + fact.lets_in
            since = known.since if known and is_open and known.grade >= grade else self.now
            self.reader[key] = Said(seen, seen, grade, fact.closed, since)

    def until(self, end: datetime) -> None:
        while (self.incident or self.notes) and self.due <= end:
            self.now = max(self.now, self.due)
            self.look()
        self.now = end

    def look(self) -> None:
        if not (self.incident or self.notes):
            return
        self.looks += 1
        assert self.looks < 3000, "it is looked at without end"
        before = self.incident or engine.begun("by/eve", self.notes[0][0])
        noted = with_notes(before, self.notes, self.now)
        step = stepped(acknowledged(noted, self.by), self.now)
        if len({(at, *ends, *(one.key for one in facts)) for _, at, facts, ends, _ in self.notes}) == len(self.notes):
            assert {*with_notes(before, self.notes[::-1], self.now).facts} == {*noted.facts}, "in any order"
        assert with_notes(noted, self.notes, self.now) == noted, "what is said twice changes nothing"
        assert step.due is None or step.due > self.now, "the time goes on"
        is_open = self.open()
        assert sorted(fact.key for fact in noted.left(self.now)) == sorted(is_open)
        assert {fact.key for fact in noted.facts} == {*self.reader}, "no fact is lost"
        again = stepped(known := acknowledged(step.incident, self.by), self.now)
        assert (again.transition, again.incident) == (None, known), "to decide twice is to decide once"
        since = [self.reader[key].since for key in is_open if self.reader[key].grade]
        if step.transition is not None:
            words = [one.at for one in self.messages if one.transition not in LISTS_ONLY]
            is_unsaid = any(not self.messages or self.messages[-1].at <= at for at in since)
            is_unsaid |= any(not words or words[-1] <= at for at in self.stopped)
            self.messages.append(Message(self.now, step.transition, is_open, is_unsaid))
        last = self.messages[-1].at if self.messages else START
        assert all(at <= last or self.now < at + engine.PACE + GATHER for at in since), (
            "what is critical is open and unsaid"
        )
        words = [one.at for one in self.messages if one.transition not in LISTS_ONLY]
        assert all(words[-1:] >= [at] or self.now < at + engine.PACE + GATHER for at in self.stopped), (
            "what is critical, and nobody hears the end of, is unsaid"
        )
        self.incident, self.notes = step.incident, []
        if step.due is None:
            assert not is_open
            self.threads.append(self.messages)
            self.incident, self.reader, self.messages, self.stopped = None, {}, [], []
        else:
            self.due = min(step.due, self.now + 900 * SECOND)


def check(acts: Sequence[Act]) -> None:
    history = History()
    history.play(acts)
    history.until(history.now + 3 * engine.HOUR)
    for key in [*history.open()]:
        history.say(Act(0, "ends", key, 0, is_twice=False))
    history.until(history.now + 2 * engine.HOUR)
    assert history.incident is None, "it ends when all is over and quiet"
    for thread in history.threads:
        check_thread(thread)


def check_thread(messages: Sequence[Message]) -> None:
    """What people heard of one incident is what the reader knew, and no more often than they can read."""
    lasted = any(one.open or one.transition in (Transition.OVER, Transition.CLOSED) for one in messages)
    assert messages[-1].transition in ENDS or not lasted, "the last message says that what lasted is over"
    for before, one in zip([None, *messages], messages, strict=False):
        is_first = one.transition in (Transition.OPENED, Transition.CLOSED)
        assert before is None or not is_first
        assert before is not None or is_first or one.transition is Transition.REPORTED
        match one.transition:
            case Transition.OPENED | Transition.STILL:
                assert one.open
            case Transition.OVER | Transition.CLOSED | Transition.REPORTED:
                assert not one.open
            case Transition.GREW if before is not None and before.transition not in ENDS:
                assert one.at >= before.at + GATHER
    first = [one for one in messages if one.at < messages[0].at + engine.HOUR - GATHER]
    # What is critical and was unsaid, and the end of what was said.
    owed = [
        one.is_of_critical or (one.transition is Transition.OVER and before.is_of_critical)
        for before, one in zip([first[0], *first], first, strict=False)
    ]
    assert len(first) - sum(owed) <= engine.MOST_IN_AN_HOUR


@given(HISTORIES)
def test_people_hear_what_a_plain_reader_knows(acts: list[Act]) -> None:
    check(acts)


@pytest.mark.thorough
@settings(max_examples=1000, phases=[Phase.generate])
@given(HISTORIES)
def test_people_hear_what_a_plain_reader_knows_in_a_thousand_histories(acts: list[Act]) -> None:
    check(acts)
