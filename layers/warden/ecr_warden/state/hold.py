"""A hold: a version of the spec that does not take effect at once, but awaits a verdict or a person.

Its ID is a digest of its ground, so that what is accepted is exactly what was shown: once the ground has moved, the
same version has another ID, and accepting the old one does nothing.
"""

import hashlib
from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta

from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Actor, Cause, short_name
from ecr_warden.core.judgement import Judgement, WaitReason
from ecr_warden.core.value import Count, Moment, Value
from iam_access.text.printable import few, show_time

HOLD_LASTS = timedelta(days=7)
_ID_LENGTH = 12
type HoldId = Annotated[str, Meta(pattern=rf"\A[0-9a-f]{{{_ID_LENGTH}}}\Z")]


class OfVersion(Value, frozen=True):
    """The ground of a hold: a version of the spec against the one that it would replace.

    `accepted`: that one, empty for the first; the same version where it takes over documents that have changed since it
    was judged. `digests`: of the baseline, of the accepted and of this version, as the hub keeps their compiled forms
    (state.specs.Specs); empty for none.
    """

    version: str
    accepted: str
    digests: tuple[str, str, str]

    @property
    def id(self) -> str:
        """The ID of the hold on this ground."""
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()[:_ID_LENGTH]

    def fits(self, accepted: str, baseline: str) -> bool:
        """Whether it is still the ground, by the digests of what is accepted now and of the baseline."""
        return baseline == self.digests[0] and accepted == self.digests[2 if self.again else 1]

    @property
    def again(self) -> bool:
        """Whether the version is in force already, and only takes over what had changed when it was rolled out."""
        return self.version == self.accepted


class Verdict(StrEnum):
    """What a person decides."""

    ACCEPT = "accept"
    REJECT = "reject"
    LIFT = "lift"  # a rejection


class Decision(Value, frozen=True):
    """A person's decision. `id`: the command's; `by`: its authenticated caller."""

    id: str
    verdict: Verdict
    by: Actor
    at: Moment

    def __str__(self) -> str:
        return f"{self.verdict}ed by {short_name(self.by)} at {show_time(self.at)}"


class Publication(Value, frozen=True):
    """Somebody's word that they uploaded a version of the spec. `digest`: the SHA-256 of what they uploaded."""

    version: str
    digest: str
    id: str
    by: Actor
    at: Moment


class Rejection(Value, frozen=True):
    """That a person rejected what a version says; it lasts until a person lifts it.

    `digest`: of what it says (versions.digest). `text`: the digest under which its text is kept, because another
    ecr-warden may compile it to another form.
    """

    ground: OfVersion
    digest: str
    text: str
    decision: Decision


class VerdictRequest(Value, frozen=True):
    """What a verdict is asked for. `cause`: the upload; `parts`: what audit says has to be read first (state.sweeps).

    `at`, `times`: when it was asked for last, and how often.
    """

    cause: Cause
    at: Moment
    parts: tuple[str, ...] = ()
    times: Count = 1


class Judged(Value, frozen=True):
    """A verdict on the ground of a hold, as audit found it; None until its `unread` parts have been read."""

    ground: OfVersion
    at: Moment
    judgement: Judgement | None
    unread: tuple[str, ...] = ()

    def is_on(self, hold: "Hold") -> bool:
        """Whether it is on exactly the ground of a hold, and not of before that was opened."""
        return self.ground == hold.ground and self.at >= hold.since


class HoldState(StrEnum):
    """What became of a hold."""

    JUDGING = "judging"  # a verdict is awaited, and nobody is asked yet
    WAITING = "waiting"
    JUDGED = "judged"  # nothing in it had to wait: it took effect by itself
    ACCEPTED = "accepted"  # and carried out: an acceptance serves once
    REJECTED = "rejected"
    LIFTED = "lifted"  # its rejection was: the version is judged anew
    VOID = "void"  # its ground moved
    ENDED = "ended"  # nobody decided in time


OPEN = (HoldState.JUDGING, HoldState.WAITING)


class Hold(Value, frozen=True):
    """What waits, and why; who gains and loses by it, in words, and how many of each are left out.

    `since`: when the version was seen first. `decision`: the person's, who may have decided before the hub has acted on
    it. `instead`: the ID of the hold that replaced a void one, if any.
    """

    ground: OfVersion
    what: str
    why: tuple[WaitReason, ...]
    since: Moment
    until: Moment
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
    state: HoldState = HoldState.WAITING
    instead: str = ""
    decision: Decision | None = None
    asked: VerdictRequest | None = None

    @property
    def id(self) -> str:
        """What people name it by."""
        return self.ground.id

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it waits, in words."""
        return tuple(reason.reason for reason in self.why)

    def is_open(self, now: datetime) -> bool:
        """Can it be decided? One that ends later than any hold can was written by a clock that has jumped."""
        return self.state in OPEN and now < self.until <= now + HOLD_LASTS + CLOCKS

    def shortened(self, most: int) -> "Hold":
        """With at most so many of those who gain and who lose; the others are counted."""
        gains, more_gains = few(self.gains, most, self.left_out[0])
        loses, more_loses = few(self.loses, most, self.left_out[1])
        return replace(self, gains=gains, loses=loses, left_out=(more_gains, more_loses))

    @property
    def is_accepted(self) -> bool:
        """Whether a person accepted it in time and it was not carried out yet."""
        return self.state in OPEN and self._is(Verdict.ACCEPT)

    @property
    def is_rejected(self) -> bool:
        """Whether a person rejected it, and that was not kept yet."""
        return self.state in OPEN and self._is(Verdict.REJECT)

    def _is(self, verdict: Verdict) -> bool:
        return self.decision is not None and self.decision.verdict is verdict and self.decision.at < self.until


class HoldDecided(PortError):
    """Somebody decided on this hold before."""

    code = "hold-decided"


def hold_decided(hold_id: str, decision: Decision | None) -> HoldDecided:
    """`decision`: the one that counts; None if this version cannot read it."""
    how = str(decision) if decision is not None else "decided on before"
    return HoldDecided(f"hold {hold_id} was {how}", remedy="ecr-warden held lists what waits")


class Holds(Protocol):
    """What waits for a person, and what people decided; kept as long as the journal."""

    def open(self, hold: Hold) -> None:
        """Keep a hold that waits, in place of an earlier one with its ID; that one's decision is no longer found."""
        ...

    def find(self, hold_id: str) -> Hold | None:
        """A hold with its decision; None if there is none, or this version cannot read it."""
        ...

    def waiting(self) -> Sequence[Hold]:
        """The holds that were opened and not settled, in any order, each with its decision."""
        ...

    def last_of(self, version: str) -> Hold | None:
        """The hold on a version of the spec that was opened last."""
        ...

    def decide(self, hold: Hold, decision: Decision) -> None:
        """Record the only decision on a hold; raises HoldDecided if there is one."""
        ...

    def settle(self, hold: Hold) -> bool:
        """Keep what became of a hold, by its state; False, and nothing is kept, if it waits no more as read."""
        ...

    def publish(self, publication: Publication) -> None:
        """Remember who published a version; the first who did counts."""
        ...

    def publication(self, version: str) -> Publication | None:
        """Who published a version; None if nobody did, or this version of ecr-warden cannot read it."""
        ...

    def reject(self, rejection: Rejection) -> None:
        """Keep a rejection for ever, in place of an earlier one of the same digest."""
        ...

    def rejections(self) -> Sequence[Rejection]:
        """Every rejection that was not forgotten."""
        ...

    def lift(self, rejection: Rejection, decision: Decision) -> None:
        """Record that a person lifts a rejection; the first who does counts."""
        ...

    def lifted(self, rejection: Rejection) -> Decision | None:
        """Who lifted a rejection; None if nobody did."""
        ...

    def forget(self, rejection: Rejection) -> None:
        """Forget a rejection that was lifted."""
        ...
