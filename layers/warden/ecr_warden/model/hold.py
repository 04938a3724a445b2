"""A hold: a version of the spec that would take effect by itself and waits until a person accepts it.

Its ID is a digest of its ground, so that what is accepted is exactly what was shown: once the ground has moved, the
same version has another ID, and accepting the old one does nothing.
"""

import hashlib
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from ecr_warden.model.job import Actor, short_name
from ecr_warden.model.pause import CLOCKS
from ecr_warden.model.value import Count, Moment, Value
from ecr_warden.policy.printable import few, show_time

HOLD_LASTS = timedelta(days=7)
_ID_LENGTH = 12
type HoldId = Annotated[str, Meta(pattern=rf"\A[0-9a-f]{{{_ID_LENGTH}}}\Z")]


class OfVersion(Value, frozen=True, tag_field="kind", tag="version"):
    """The ground of a held version of the spec; `accepted`: the version that it would replace, empty for the first."""

    version: str
    accepted: str = ""

    @property
    def id(self) -> str:
        """The ID of the hold on this ground."""
        text = "\n".join(("version", self.accepted, self.version))
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


class Verdict(StrEnum):
    """What a person decides."""

    ACCEPT = "accept"
    REJECT = "reject"


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


class HoldState(StrEnum):
    """What became of a hold."""

    WAITING = "waiting"
    ACCEPTED = "accepted"  # and carried out: an acceptance serves once
    REJECTED = "rejected"
    VOID = "void"  # its ground moved
    ENDED = "ended"  # nobody decided in time


class Hold(Value, frozen=True):
    """What waits, and why; who gains and loses by it, in words, and how many of each are left out.

    `decision`: the person's, who may have decided before the hub has acted on it. `instead`: the ID of the hold that
    replaced a void one, if any.
    """

    ground: OfVersion
    what: str
    why: tuple[str, ...]
    since: Moment
    until: Moment
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
    state: HoldState = HoldState.WAITING
    instead: str = ""
    decision: Decision | None = None

    @property
    def id(self) -> str:
        """What people name it by."""
        return self.ground.id

    def is_open(self, now: datetime) -> bool:
        """Can it be decided? One that ends later than any hold can was written by a clock that has jumped."""
        return self.state is HoldState.WAITING and now < self.until <= now + HOLD_LASTS + CLOCKS

    def shortened(self, most: int) -> "Hold":
        """With at most so many of those who gain and who lose; the others are counted."""
        gains, more_gains = few(self.gains, most, self.left_out[0])
        loses, more_loses = few(self.loses, most, self.left_out[1])
        return replace(self, gains=gains, loses=loses, left_out=(more_gains, more_loses))

    @property
    def is_accepted(self) -> bool:
        """Whether a person accepted it in time and it was not carried out yet."""
        return self.state is HoldState.WAITING and self._is(Verdict.ACCEPT)

    @property
    def is_rejected(self) -> bool:
        """Whether a person rejected it, and that was not kept yet."""
        return self.state is HoldState.WAITING and self._is(Verdict.REJECT)

    def _is(self, verdict: Verdict) -> bool:
        return self.decision is not None and self.decision.verdict is verdict and self.decision.at < self.until
