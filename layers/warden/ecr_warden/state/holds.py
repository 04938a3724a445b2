"""The holds that were opened, what people decided on them, and what else is kept of versions of the spec."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ecr_warden.core.codec.base import forms
from ecr_warden.core.failures import PortError
from ecr_warden.core.judgement import Judgement
from ecr_warden.core.value import Moment, Value
from ecr_warden.state.hold import Decision, Hold, OfVersion


class Judged(Value, frozen=True):
    """A verdict on the ground of a hold, as audit found it; None until its `unread` parts have been read."""

    ground: OfVersion
    at: Moment
    judgement: Judgement | None
    unread: tuple[str, ...] = ()

    def is_on(self, hold: Hold) -> bool:
        """Whether it is on exactly the ground of a hold, and not of before that was opened."""
        return self.ground == hold.ground and self.at >= hold.since


_RULE = 4
"""By which versions are judged: what another one found is no verdict any more, and is asked for again."""
judged_to_json, judged_from_json = forms("verdict", Judged, schema=_RULE)


class HoldDecided(PortError, code="hold-decided"):
    """Somebody decided on this hold before."""


def hold_decided(hold_id: str, decision: Decision | None) -> HoldDecided:
    """`decision`: the one that counts; None if this version cannot read it."""
    how = str(decision) if decision is not None else "decided on before"
    return HoldDecided(f"hold {hold_id} was {how}", remedy="ecr-warden held lists what waits")


class Holds(Protocol):
    """What waits for a person, and what people decided; kept as long as the journal."""

    def open(self, hold: Hold) -> None:
        """Keep a hold that waits, in place of an earlier one with its ID; that one's decision is no longer found."""

    def find(self, hold_id: str) -> Hold | None:
        """A hold with its decision; None if there is none, or this version cannot read it."""

    def waiting(self) -> Sequence[Hold]:
        """The holds that were opened and not settled, in any order, each with its decision."""

    def last_of(self, version: str) -> Hold | None:
        """The hold on a version of the spec that was opened last."""

    def decide(self, hold: Hold, decision: Decision) -> None:
        """Record the only decision on a hold; raises HoldDecided if there is one."""

    def settle(self, hold: Hold) -> bool:
        """Keep what became of a hold, by its state; False, and nothing is kept, if it waits no more as read."""


class Verdicts(Protocol):
    """What was read for the verdict on a hold's ground, and the verdict."""

    def note(self, hold: Hold, part: str, why: str) -> None:
        """Note that a part was read since the hold was opened, or why not; `why` is empty if it was."""

    def notes(self, hold: Hold) -> Mapping[str, str]:
        """What was noted, by part."""

    def keep(self, judged: Judged) -> None:
        """Keep a verdict, in place of an earlier one."""

    def find(self, hold: Hold) -> Judged | None:
        """The verdict since the hold was opened; None if there is none, or this version cannot read it."""
