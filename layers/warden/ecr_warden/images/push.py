"""Who pushed images, and what became of those that nobody had a right to push: values alone."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import Actor
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.core.value import Count, Moment, Value

COMPLETE = timedelta(minutes=15)
"""After this CloudTrail has reported a call."""
KEPT = timedelta(days=90)
"""How long, as CloudTrail's own list of events."""
FIRST = "2"
"""Before every day."""
MOST = 200
"""Of the pushes of a day with a right, and of those without, that are kept."""


type Act = Literal["pushed", "deleted", "archived", "restored"]
"""What happened to an image."""


class Right(StrEnum):
    """With which right somebody pushed, the gravest last."""

    YES = "yes"
    UNKNOWN = "unknown"  # no record says who it was
    NO = "no"  # ours, and the accepted spec gives no push
    DOOR = "door"  # through a session of a role that was opened while others could open one
    OUTSIDE = "outside"  # not shown to be ours


class ImageEvent(Value, frozen=True):
    """What an event says of one image."""

    act: Act
    at: Moment
    id: str
    """Of the call: both accounts of a call across accounts report it under one."""
    digest: str
    """"" where CloudTrail left it out."""
    tag: str = ""
    """Of a deletion: of this tag alone; "" for the whole image."""
    by: Actor | None = None
    """None of an event of ECR itself, which names nobody."""
    issued: Moment | None = None
    """When the session was opened that made the call."""
    right: Right = Right.YES
    """Of a push."""
    last: "ImageEvent | None" = None
    """What was done with it after a push without a right."""

    @property
    def is_left(self) -> bool:
        """Whether it was pushed without a right, and not deleted since."""
        return self.right is not Right.YES and (self.last is None or self.last.act != "deleted")

    def is_same(self, other: "ImageEvent") -> bool:
        """Whether both report the same push; of ECR's own event, any push of the image at its time is that."""
        return (self.digest, self.tag) == (other.digest, other.tag) and (
            self.id == other.id or (None in (self.by, other.by) and abs(self.at - other.at) <= CLOCKS)
        )

    def followed_by(self, event: "ImageEvent") -> "ImageEvent":
        """This push, after something was done with images."""
        is_meant = event.digest == self.digest and event.tag in ("", self.tag) and self.right is not Right.YES
        return replace(self, last=event) if is_meant and (self.last or self).at <= event.at else self


class Day(Value, frozen=True):
    """What is kept of the pushes of a day."""

    pushes: tuple[ImageEvent, ...] = ()
    left_out: Count = 0
    """Pushes for which there was no room."""
    revision: Count = 0

    def pushed(self, event: ImageEvent, *, is_first: bool) -> "Day":
        """With a push, as far as there is room; `is_first`: it was not looked at before."""
        before = next(filter(event.is_same, self.pushes), None)
        if before is not None:
            # Who names the caller, then what is graver.
            better = max(before, event, key=lambda one: (bool(one.by and one.by.arn), [*Right].index(one.right)))
            return replace(
                self, pushes=tuple(replace(better, last=one.last) if one is before else one for one in self.pushes)
            )
        if sum((one.right is Right.YES) is (event.right is Right.YES) for one in self.pushes) >= MOST:
            return replace(self, left_out=self.left_out + is_first)
        return replace(self, pushes=(*self.pushes, event))


def noted(days: Mapping[str, Day], events: Iterable[ImageEvent], *, is_first: bool) -> Mapping[str, Day]:
    """The days by name with what events say, however often and in whichever order they come."""
    after = dict(days)
    for event in sorted(events, key=lambda one: one.at):
        if event.act == "pushed":
            # Around midnight two records of a push may be of different days.
            near = (f"{event.at + by:%Y-%m-%d}" for by in (timedelta(), CLOCKS, -CLOCKS))
            known = (name for name in near if any(map(event.is_same, after.get(name, Day()).pushes)))
            name = next(known, f"{event.at:%Y-%m-%d}")
            after[name] = after.get(name, Day()).pushed(event, is_first=is_first)
        else:
            after = {
                name: replace(day, pushes=tuple(one.followed_by(event) for one in day.pushes))
                for name, day in after.items()
            }
    return after


class ImageRecords(Protocol):
    """What is kept of the pushes to a repository, by day: `2026-12-03`."""

    def days(self, repository: RepositoryTarget, since: str) -> Mapping[str, Day]:
        """The days since one of which something is kept; FIRST: all."""

    def keep(self, repository: RepositoryTarget, day: str, pushes: Day) -> bool:
        """Keep a day; False if its last revision is not the one before."""


day_to_json, day_from_json = forms("pushes of a day", Day)
