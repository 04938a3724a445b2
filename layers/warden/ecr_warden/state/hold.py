"""A hold: a version of the spec that does not take effect at once, but awaits a verdict or a person.

Its ID is a digest of its ground, so that what is accepted is exactly what was shown: once the ground has moved, the
same version has another ID, and accepting the old one does nothing.
"""

import hashlib
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum

from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import Actor, Cause, short_name
from ecr_warden.core.judgement import WaitReason
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden.state.hold_id import ID_LENGTH
from iam_access.text.printable import few, show_time

HOLD_LASTS = timedelta(days=7)


class OfVersion(Value, frozen=True):
    """The ground of a hold: a version of the spec against the one that it would replace."""

    version: str
    accepted: str
    """That one, empty for the first; the same version where it takes over documents that have changed since it was
    judged."""
    digests: tuple[str, str, str]
    """Of the baseline, of the accepted and of this version, as the hub keeps their compiled forms (state.specs.Specs);
    empty for none."""

    @property
    def id(self) -> str:
        """The ID of the hold on this ground."""
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()[:ID_LENGTH]

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


class Decision(Value, frozen=True):
    """A person's decision."""

    id: str
    """The command's."""
    verdict: Verdict
    by: Actor
    """Its authenticated caller."""
    at: Moment

    def __str__(self) -> str:
        return f"{self.verdict}ed by {short_name(self.by)} at {show_time(self.at)}"


class VerdictRequest(Value, frozen=True):
    """What a verdict is asked for.

    `at`, `times`: when it was asked for last, and how often.
    """

    cause: Cause
    """The upload."""
    at: Moment
    parts: tuple[str, ...] = ()
    """What audit says has to be read first (state.sweeps)."""
    times: Count = 1


class HoldState(StrEnum):
    """What became of a hold."""

    SEEN = "seen"  # and nothing is kept of it yet
    JUDGING = "judging"  # a verdict is awaited, and nobody is asked yet
    WAITING = "waiting"
    BEGUN = "begun"  # it takes effect, and is not announced yet
    JUDGED = "judged"  # nothing in it had to wait: it took effect by itself
    ACCEPTED = "accepted"  # and carried out: an acceptance serves once
    REJECTED = "rejected"
    VOID = "void"  # its ground moved
    ENDED = "ended"  # nobody decided in time


OPEN = (HoldState.JUDGING, HoldState.WAITING, HoldState.BEGUN)


class Hold(Value, frozen=True):
    """What waits, and why; who gains and loses by it, in words, and how many of each are left out."""

    ground: OfVersion
    what: str
    why: tuple[WaitReason, ...]
    since: Moment
    """When the version was seen first."""
    until: Moment
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    left_out: tuple[Count, Count] = (0, 0)
    state: HoldState = HoldState.WAITING
    instead: str = ""
    """The ID of the hold that replaced a void one, if any."""
    decision: Decision | None = None
    """The person's, who may have decided before the hub has acted on it."""
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
        """Whether a person rejected it, and that was not settled yet."""
        return self.state in OPEN and self._is(Verdict.REJECT)

    def _is(self, verdict: Verdict) -> bool:
        return self.decision is not None and self.decision.verdict is verdict and self.decision.at < self.until


# The decision on a hold that waits is a record of its own.
hold_to_json, hold_from_json = forms("hold", Hold)
decision_to_json, decision_from_json = forms("decision", Decision)
