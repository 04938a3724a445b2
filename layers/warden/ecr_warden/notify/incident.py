"""One cause, one thread until it is over: facts, the incident that has them, and what people hear of it.

A fact is open from a time to a time. An incident is a cause with its facts. A message is a function of an incident and
of what became of it, and nothing else is sent.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from msgspec import Struct

from ecr_warden.core.codec.base import forms
from ecr_warden.core.result import Severity, highest
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.notify.message import Transition

GATHER = timedelta(seconds=20)
"""How long what is not critical is gathered, and what follows the first message of what is."""
GATHER_NEWS = timedelta(minutes=10)
"""The longest that what asks for nobody is gathered while more of it comes, such as the runs of a roll-out."""
PACE = timedelta(seconds=60)
"""The least time between a message and one that says that it grew."""
QUIET = timedelta(minutes=10)
"""For so long what is over can come again, in the same thread."""
STILL_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""When people are reminded; of what is critical then each day."""
HOUR, MOST_IN_AN_HOUR = timedelta(hours=1), 5
"""At most so many messages in an incident's first hour, of which the last is kept for its end.

More are sent of what is critical alone, came after the last message and was not repaired, one each PACE at most."""
MOST_FACTS, MOST_TEXT = 1000, 300_000
"""How many facts an incident remembers one by one, and characters of theirs; further ones are counted.

Others may have chosen them so that they do not get smaller: an item of the table holds 400 KB.
"""
_DAY = timedelta(days=1)


class Fact(Value, frozen=True, omit_defaults=True):
    """Something that is, or was, other than it should be; or news, which is over at once."""

    key: str
    """The same for what the same end closes, whoever opens it."""
    severity: Severity
    title: str
    opened: Moment
    seen: Moment
    """When this was said of it: what was said earlier and comes later changes nothing."""
    closed: Moment | None = None
    """When it ended, or will by itself; None while nobody knows."""
    lets_in: bool = False
    """It lets somebody in who is not ours, or such a one left an image."""
    is_image: bool = False
    is_news: bool = False
    """It is said once, and nothing else ever ends it."""
    may_last: bool = False
    """It is news of what was not over: nobody hears of its end."""
    is_said: bool = False
    """People had a message of its incident since it opened."""

    @property
    def is_critical(self) -> bool:
        """Whether somebody has to get up for it."""
        return self.severity is Severity.CRITICAL

    @property
    def over(self) -> str:
        """What is said of it once it is over: its title says so unless another word ended it."""
        return self.title if self.closed is None or self.closed <= self.seen else f"no longer: {self.title}"

    def is_open(self, now: datetime) -> bool:
        """Whether it lasts; what had ended when it was seen is over, whatever the clock there said."""
        return self.closed is None or self.closed > max(now, self.seen)


class Changes(Struct, frozen=True):
    """What an alert changes."""

    at: datetime
    """When that was seen."""
    facts: tuple[Fact, ...] = ()
    ends: tuple[str, ...] = ()
    """The keys of facts that have ended."""
    news: tuple[Fact, ...] = ()
    """What it says by itself where it has no facts, and ends none that is known."""


class IncidentState(StrEnum):
    """Where an incident stands."""

    GATHERING = "gathering"
    OPEN = "open"
    OVER = "over"
    REPORTED = "reported"
    """Nothing of it is known to last, and of something nobody hears that it is over."""


class Incident(Value, frozen=True, omit_defaults=True):
    """A cause with its facts; `key` is the cause's."""

    id: str
    key: str
    state: IncidentState
    since: Moment
    """When its first fact opened."""
    begun: Moment
    """When the first was heard of."""
    last: Moment
    """When a change of a fact was last heard of."""
    severity: Severity
    title: str = ""
    """Of the last message that asked for something."""
    by: str = ""
    facts: tuple[Fact, ...] = ()
    things: Count = 0
    """How often a fact opened."""
    left_out: Count = 0
    """How many facts were counted only."""
    left_open: Count = 0
    """How many of them were open at once: nobody hears of their end."""
    sent: Count = 0
    """How many messages."""
    said_at: Moment | None = None
    said: Severity = Severity.INFO
    """The gravest that people heard of."""
    said_lets_in: bool = False
    said_things: Count = 0
    came_again: bool = False
    """Something came after what lasted was over: then it is over once it has been quiet."""
    reopened: bool = False
    """A fact that was over is open again."""
    only_images: bool = False
    """People heard that nothing but images is left."""
    asked: str = ""
    command: str = ""
    """What people were asked to do, and the command for it."""
    acknowledged: str = ""
    """By whom and why; nobody is reminded of what somebody works on."""
    revision: Count = 0

    def ended(self) -> datetime:
        """When the last of its facts ended, as far as they have."""
        ends = (fact.closed for fact in self.facts if not fact.may_last)
        return max((closed for closed in ends if closed is not None), default=self.last)

    def left(self, now: datetime) -> Sequence[Fact]:
        """What is open, the gravest first."""
        return [fact for fact in self.ranked() if fact.is_open(now)]

    def ranked(self) -> Sequence[Fact]:
        """Its facts, the gravest first."""
        return sorted(self.facts, key=lambda fact: (not fact.lets_in, -[*Severity].index(fact.severity), fact.opened))

    @property
    def is_past(self) -> bool:
        """Whether people have had the last message on what is known."""
        return self.state in (IncidentState.OVER, IncidentState.REPORTED)

    @property
    def reported(self) -> Sequence[Fact]:
        """What nobody hears the end of, the gravest first."""
        return [fact for fact in self.ranked() if fact.may_last]

    @property
    def lets_in(self) -> bool:
        """Whether it let somebody in who is not ours; such an incident never shares its thread."""
        return any(fact.lets_in for fact in self.facts)


class Acknowledgement(Value, frozen=True):
    """Somebody works on an incident; it holds until the incident grows or comes again."""

    by: str
    at: Moment
    reason: str


incident_to_json, incident_from_json = forms("incident", Incident)


class Step(Struct, frozen=True):
    """What follows: the incident, what people hear of it, and when to look at it again (None: it has ended)."""

    incident: Incident
    transition: Transition | None
    due: datetime | None


def begun(key: str, now: datetime) -> Incident:
    """An incident of a cause that has no fact yet."""
    made = hashlib.sha256(f"{key} {now.isoformat()}".encode()).hexdigest()[:8]
    return Incident(made, key, IncidentState.GATHERING, now, now, now, Severity.INFO)


type Note = tuple[datetime, datetime, Sequence[Fact], Sequence[str], str]
"""When it was heard, when it was seen, the facts and the keys of those that have ended, and by whom."""


def with_notes(before: Incident, notes: Iterable[Note], now: datetime) -> Incident:
    """The incident with what was said of its facts, in whatever order and however often it comes."""
    known, after = {fact.key: fact for fact in before.facts}, before
    # News is over at once: what follows it has not come again.
    lasted = before.is_past and any(not fact.is_news for fact in before.facts)
    counted = 0
    for heard, at, facts, ends, by in sorted(notes, key=lambda note: (note[1], bool(note[3]))):
        came = [fact for fact in facts if _is_new(fact, known.get(fact.key), now)]
        came_back = any(not old.is_open(now) for fact in came if (old := known.get(fact.key)) is not None)
        for fact in came:
            old = known.get(fact.key)
            lasts = old is not None and old.is_open(now)
            known[fact.key] = _as_known(fact, old) if lasts and old else fact
            # What is counted only is not known when the same note comes again.
            is_counted = old is None and bool(before.left_out) and heard <= before.last
            counted += is_counted
            after = replace(after, things=after.things + (not (lasts or is_counted)))
        ended = [old for key in ends if (old := known.get(key)) is not None and old.is_open(now) and at >= old.seen]
        known |= {old.key: replace(old, closed=min(at, now)) for old in ended}
        after = replace(
            after,
            last=max(after.last, heard) if came or ended else after.last,
            severity=highest([after.severity, *(fact.severity for fact in came)]),
            by=after.by or by,
            came_again=after.came_again or (bool(came) and lasted),
            reopened=after.reopened or came_back,
        )
    kept = sorted(known.values(), key=lambda fact: (fact.is_open(now), fact.lets_in, fact.seen), reverse=True)
    sizes = accumulate(len(ascii(fact.key)) + len(ascii(fact.title)) for fact in kept[:MOST_FACTS])
    most = sum(size <= MOST_TEXT for size in sizes)
    return replace(
        after,
        since=min([after.since, *(fact.opened for fact in kept)]),
        facts=tuple(kept[:most]),
        left_out=after.left_out + max(0, len(kept) - most - counted),
        left_open=after.left_open + max(0, sum(fact.is_open(now) for fact in kept[most:]) - counted),
    )


def _as_known(fact: Fact, old: Fact) -> Fact:
    """What lasts, with what is known of it; that it is critical, or lets somebody in, is said of it anew."""
    is_graver = fact.lets_in > old.lets_in or fact.is_critical > old.is_critical
    return replace(fact, opened=min(old.opened, fact.opened), is_said=old.is_said and not is_graver)


def _is_new(fact: Fact, old: Fact | None, now: datetime) -> bool:
    """Whether it says more than is known: it may come twice, and out of order; the key of news has all that it says."""
    if old is None or old.is_news:
        return old is None
    if old.is_open(now):
        return fact.seen >= old.seen and _as_known(fact, old) != old
    return fact.seen > max(old.seen, old.closed or old.seen)


def acknowledged(incident: Incident, by: Acknowledgement | None) -> Incident:
    """The incident with whoever works on it; what grew or came again since then nobody has acknowledged."""
    holds = by is not None and (incident.said_at is None or by.at >= incident.said_at)
    return replace(incident, acknowledged=f"{by.by}: {by.reason}" if by and holds else "")


def gathers(key: str) -> timedelta:
    """How long the first facts of a cause are gathered."""
    return GATHER_NEWS if key == ROLL_OUT else GATHER


def stepped(incident: Incident, now: datetime) -> Step:
    """What becomes of an incident at this time, by its facts; pure, and the same whenever it is asked again."""
    left = incident.left(now)
    match incident.state:
        case IncidentState.GATHERING:
            until = _gathers_until(incident)
            if now < until and incident.severity is not Severity.CRITICAL:
                return Step(incident, None, until)
            at_once = Transition.REPORTED if incident.reported else Transition.CLOSED
            return _said(incident, Transition.OPENED if left else at_once, now)
        case IncidentState.OVER | IncidentState.REPORTED:
            return _once_over(incident, left, now)
        case IncidentState.OPEN:
            waits = incident.came_again and now < _is_quiet_at(incident)
            if not left and not waits and not _has_critical_unsaid(incident, now):
                return _ended(incident, now)
            only_images = _only_images(left)
            is_news = only_images and not incident.only_images and not _has_critical_unsaid(incident, now)
            if is_news and _may_speak(incident, now):
                return _said(incident, Transition.STILL, now)
            return _while_open(replace(incident, only_images=only_images), left, now)


def _ended(incident: Incident, now: datetime) -> Step:
    """The end of what lasted; where nothing did, what is not said yet, or nothing."""
    if len(incident.reported) < len(incident.facts):
        return _said(incident, Transition.OVER, now)
    if incident.things > incident.said_things:
        return _said(incident, Transition.REPORTED, now)
    return Step(replace(incident, state=IncidentState.REPORTED), None, None)


def _only_images(left: Sequence[Fact]) -> bool:
    return bool(left) and all(fact.is_image for fact in left)


def _gathers_until(incident: Incident) -> datetime:
    """The end of gathering: what asks for nobody waits until no more of it comes."""
    gather = gathers(incident.key)
    if incident.severity is not Severity.INFO or incident.key == ROLL_OUT:
        return incident.begun + gather
    return min(max(incident.begun, incident.last) + gather, incident.begun + GATHER_NEWS)


def _once_over(incident: Incident, left: Sequence[Fact], now: datetime) -> Step:
    """After the end: what comes again opens the same thread, and what has been quiet has ended."""
    assert incident.said_at is not None
    if incident.things == incident.said_things and not left:
        until = incident.last + QUIET
        return Step(incident, None, until if now < until else None)
    until = incident.said_at if _is_graver(incident, now) or left else incident.said_at + GATHER
    if now < until:
        return Step(incident, None, until)
    is_silent = incident.severity is Severity.INFO or not _may_speak(incident, now)
    # What nobody hears of, or is over when they do, is counted until it is quiet.
    came_again = incident.came_again or is_silent or not left
    again = replace(incident, state=IncidentState.OPEN, came_again=came_again, only_images=_only_images(left))
    if is_silent:
        return _while_open(again, left, now)
    return _said(again, Transition.AGAIN if incident.reopened else Transition.GREW, now)


def _while_open(incident: Incident, left: Sequence[Fact], now: datetime) -> Step:
    assert incident.said_at is not None
    is_more = incident.sent == 1 and incident.things > incident.said_things
    follows = is_more and incident.last <= incident.said_at + GATHER
    dues = [_is_quiet_at(incident), *(fact.closed for fact in left if fact.closed is not None)]
    if _may_speak(incident, now) and incident.severity is not Severity.INFO and (_is_graver(incident, now) or follows):
        until = incident.said_at + (GATHER if follows else PACE)
        if now >= until:
            return _said(incident, Transition.GREW, now)
        dues.append(until)
    reminders = [at for at in _reminders(incident, now) if left and at > incident.said_at]
    if reminders and reminders[0] <= now:
        return _said(incident, Transition.STILL, now)
    dues += reminders
    return Step(incident, None, min((due for due in dues if due > now), default=now + _DAY))


def _may_speak(incident: Incident, now: datetime) -> bool:
    """Whoever makes much that is soon over hides nothing critical behind it that lasts, or that nothing repairs."""
    is_bounded = incident.sent >= MOST_IN_AN_HOUR - 1 and now < incident.begun + HOUR
    return not is_bounded or _has_critical_unsaid(incident, now)


def _has_critical_unsaid(incident: Incident, now: datetime) -> bool:
    return any(fact.is_critical and not fact.is_said and (fact.is_news or fact.is_open(now)) for fact in incident.facts)


def _is_quiet_at(incident: Incident) -> datetime:
    """When what came again is over for good; what came after the last message of the first hour waits for its end."""
    quiet = incident.last + QUIET
    return quiet if incident.sent < MOST_IN_AN_HOUR else max(quiet, incident.begun + HOUR)


def _reminders(incident: Incident, now: datetime) -> Sequence[datetime]:
    """When people are reminded, as far as the next time; what is critical each day in the end."""
    if incident.acknowledged or incident.severity is Severity.INFO:
        return ()
    days = (now - incident.begun).days + 1 if incident.severity is Severity.CRITICAL else 0
    return [incident.begun + after for after in (*STILL_AFTER, *(day * _DAY for day in range(2, days + 1)))]


def _is_graver(incident: Incident, now: datetime) -> bool:
    """Whether something is graver than what people heard of, first lets somebody in, or is critical and unsaid."""
    is_first = incident.lets_in and not incident.said_lets_in
    return (
        is_first
        or highest([incident.severity, incident.said]) is not incident.said
        or _has_critical_unsaid(incident, now)
    )


def _said(incident: Incident, transition: Transition, now: datetime) -> Step:
    """The incident after a message."""
    after = replace(
        incident,
        state=_PAST.get(transition, IncidentState.OPEN),
        sent=incident.sent + 1,
        said_at=now,
        said=incident.severity,
        said_lets_in=incident.lets_in,
        facts=tuple(replace(fact, is_said=True) for fact in incident.facts),
        said_things=incident.things,
        only_images=_only_images(incident.left(now)),
    )
    return Step(after, transition, now + QUIET if after.is_past else _while_open(after, after.left(now), now).due)


_PAST = {
    Transition.OVER: IncidentState.OVER,
    Transition.CLOSED: IncidentState.OVER,
    Transition.REPORTED: IncidentState.REPORTED,
}


ROLL_OUT = "roll-out"
"""The key of stacks that are deployed: of sixty accounts, and by as many principals."""


def joins_storm(incident: Incident, others: Collection[Incident]) -> bool:
    """Whether it has no thread of its own, because more than MOST_OPEN others are open that let nobody in."""
    own = [other for other in others if other.state is IncidentState.OPEN and not other.lets_in]
    return not incident.lets_in and incident.key != STORM and len([one for one in own if one.key != STORM]) >= MOST_OPEN


MOST_OPEN, STORM = 5, "storm"
"""Of incidents that let nobody in, how many have a thread of their own; the key of the one that the others join."""
