"""What is judged of a version of the spec: whether it waits for a person, why, and what could not be known."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from ecr_warden.core.value import Count, Value


class WaitCode(StrEnum):
    """Why a version waits for a person (docs/adr/0024)."""

    OUTSIDE_GAINS = "outside-gains"
    REMOVES_MUCH = "removes-much"
    TAKES_OVER = "takes-over"
    STAYS_OPEN = "stays-open"
    NOT_JUDGED = "not-judged"

    @classmethod
    def _missing_(cls, value: object) -> "WaitCode | None":
        """The code for what the version before called otherwise, in holds and in the journal."""
        return _EARLIER.get(str(value))


_EARLIER = {
    "empties": WaitCode.REMOVES_MUCH,
    "ours-grows": WaitCode.OUTSIDE_GAINS,
    "limits-loosened": WaitCode.REMOVES_MUCH,
    "widens": WaitCode.OUTSIDE_GAINS,
}


class WaitReason(Value, frozen=True):
    """One reason, in words that go on from `the version waits because`."""

    code: WaitCode
    reason: str


class Judgement(Value, frozen=True):
    """What a version does against the accepted one and the live accounts; it takes effect by itself if nothing is held.

    `gains`, `loses`: who gains and who loses, in words.
    """

    held: tuple[WaitReason, ...] = ()
    unseen: tuple[str, ...] = ()
    """What could not be known, in words; where it bears on the version, it is held as well."""
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    removed: Count = 0
    """How many grants it removes."""
    taken_over: Mapping[str, str] = field(default_factory=dict)
    """The digest of each live document that it takes over, by the address as text; "" for an absent one."""
