"""What becomes of a version of the spec that is not in force: one pure function over its state and the facts.

docs/adr/0024-what-waits.md has the table. Each transition is kept in one row, the hold.
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from ecr_warden.core.job import Cause
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.state.hold import HOLD_LASTS, OPEN, Hold, HoldState, OfVersion, VerdictRequest
from ecr_warden.state.holds import Judged
from iam_access.text.printable import listed

ASKED_AGAIN, MOST_ASKED = timedelta(minutes=10), 12
"""How long after a verdict was asked for it is asked for again, and how often at most."""
LINES_KEPT = 100
_NAMED = 3


class VersionPlace(StrEnum):
    """Where a version stands."""

    CANDIDATE = "candidate"  # the bucket's current one, or one that takes over what has changed
    IN_FORCE = "in-force"
    SUPERSEDED = "superseded"  # neither: what it was about has changed


class VersionEffect(StrEnum):
    """What a transition has to do; the first two before it is kept, so that nothing is silent, the others after it."""

    ANNOUNCE = "announce"  # that the version is in force
    TELL = "tell"  # that it waits, or what became of it
    ASK = "ask"  # for a verdict, or for what has to be read before one
    TAKE_EFFECT = "take-effect"


class VersionFacts(Struct, frozen=True):
    """What is known of a version at one moment.

    `judged`, `notes`: the verdict, and what was read for it, by part. `patience`: how long after it was seen first a
    version without verdict waits for a person.
    """

    now: datetime
    place: VersionPlace
    instead: str = ""
    """The ID of the hold on the bucket's current version, for one that is superseded."""
    by: Cause | None = None
    """The upload, or what else has it looked at."""
    is_free: bool = False
    """Whether it enforces nothing and names nobody who may have access anyway: such a version needs no verdict."""
    unknown: tuple[WaitReason, ...] = ()
    """Why it cannot be judged, or not as it should be."""
    can_be_judged: bool = True
    judged: Judged | None = None
    notes: Mapping[str, str] = {}
    patience: timedelta = timedelta(0)


type Step = tuple[Hold, tuple[VersionEffect, ...]]
"""The next state of a version, and what has to be done."""


def seen_first(ground: OfVersion, what: str, by: Cause | None, now: datetime) -> Hold:
    """A version that nothing is kept of yet; `what` it is, for people."""
    request = None if by is None else VerdictRequest(by, now)
    return Hold(ground, what, (), now, now + HOLD_LASTS, state=HoldState.SEEN, asked=request)


def next_version(hold: Hold, facts: VersionFacts) -> Step:
    """The next state of a version, and what has to be done.

    What a person decided in time counts for as long as its ground does; what nobody decided ends after its time.
    """
    if facts.place is VersionPlace.IN_FORCE:
        return _in_force(hold) if hold.state in OPEN else (hold, ())
    if hold.state is HoldState.BEGUN:  # the process died before the version took effect
        hold = replace(hold, state=HoldState.WAITING if hold.why else HoldState.JUDGING)
    if hold.state in _ANEW and facts.place is VersionPlace.CANDIDATE:
        hold = seen_first(hold.ground, hold.what, facts.by, facts.now)
    is_decided = hold.is_accepted or hold.is_rejected
    if hold.state in OPEN and not is_decided and not hold.is_open(facts.now):
        return _settled(hold, HoldState.ENDED)
    if hold.is_rejected:
        return _settled(hold, HoldState.REJECTED)
    if facts.place is VersionPlace.SUPERSEDED and hold.state in OPEN:
        return _settled(hold, HoldState.VOID, facts.instead)
    if facts.place is VersionPlace.SUPERSEDED or hold.state not in (HoldState.SEEN, *OPEN):
        return hold, ()
    if hold.is_accepted or (facts.is_free and facts.can_be_judged):
        return _begins(hold)
    if not facts.can_be_judged:
        return _waits(hold, facts.unknown)
    if hold.state is HoldState.SEEN:
        return replace(hold, state=HoldState.JUDGING), (VersionEffect.ASK,)
    return _by_verdict(hold, facts)


_ANEW = (HoldState.JUDGED, HoldState.ACCEPTED, HoldState.VOID)
"""What became of a version once says nothing of it when it is uploaded again: it is judged anew."""


def _by_verdict(hold: Hold, facts: VersionFacts) -> Step:
    judged, asked = facts.judged, hold.asked
    if judged is None or judged.judgement is None:
        parts = () if judged is None else judged.unread
        if asked is not None and not {*parts} <= {*asked.parts}:
            return replace(hold, asked=replace(asked, parts=parts, at=facts.now)), (VersionEffect.ASK,)
        hold, again = _asked_again(hold, facts.now)
        if hold.state is HoldState.WAITING or facts.now - hold.since < facts.patience:
            return hold, again
        return _waits(hold, (_not_judged(hold, facts),), again)
    held, again = judged.judgement.held, ()
    if not held:
        return _begins(hold)
    if any(reason.code is WaitCode.NOT_JUDGED for reason in held):
        hold, again = _asked_again(hold, facts.now)
    found = replace(hold, gains=judged.judgement.gains, loses=judged.judgement.loses, left_out=(0, 0))
    return _waits(found, (*held, *facts.unknown), again)


def _asked_again(hold: Hold, now: datetime) -> Step:
    """Ask once more after a while: a request may be lost, and what could not be read may be readable by then."""
    asked = hold.asked
    if asked is None or asked.times >= MOST_ASKED or now - asked.at < ASKED_AGAIN:
        return hold, ()
    return replace(hold, asked=replace(asked, at=now, times=asked.times + 1)), (VersionEffect.ASK,)


def _not_judged(hold: Hold, facts: VersionFacts) -> WaitReason:
    unread = sorted({*(hold.asked.parts if hold.asked is not None else ())} - {*facts.notes})
    text = f"it was not judged within {facts.patience.total_seconds() / 60:.0f} minutes"
    return WaitReason(WaitCode.NOT_JUDGED, f"{text}; not read yet: {listed(unread, _NAMED)}" if unread else text)


def _waits(hold: Hold, why: tuple[WaitReason, ...], also: tuple[VersionEffect, ...] = ()) -> Step:
    """It waits for a person, who hears of it once for the same reasons."""
    if hold.state is HoldState.WAITING and hold.why == why:
        return hold, also
    return replace(hold, state=HoldState.WAITING, why=why).shortened(LINES_KEPT), (VersionEffect.TELL, *also)


def _begins(hold: Hold) -> Step:
    return replace(hold, state=HoldState.BEGUN), (VersionEffect.TAKE_EFFECT,)


def _in_force(hold: Hold) -> Step:
    hold, effects = _settled(hold, HoldState.ACCEPTED if hold.is_accepted else HoldState.JUDGED)
    return hold, (VersionEffect.ANNOUNCE, *effects)


def _settled(hold: Hold, state: HoldState, instead: str = "") -> Step:
    """It is over. What people heard of, and nobody decided, is announced."""
    is_announced = bool(hold.why) and state in WHY_SETTLED
    return replace(hold, state=state, instead=instead), (VersionEffect.TELL,) if is_announced else ()


WHY_SETTLED = {
    HoldState.ENDED: "nobody decided in time",
    HoldState.VOID: "what it was about has changed",
    HoldState.JUDGED: "a verdict has come, and nothing in it has to wait",
}
