"""How a target stands, as the hub remembers it."""

from datetime import datetime
from enum import StrEnum

from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.core.value import Value
from ecr_warden.state.fight import Fight


class Standing(StrEnum):
    """How a target stands, in a word."""

    OK = "ok"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # it could not be read
    PENDING = "pending"  # no run has ended yet


class TargetStatus(Value, frozen=True):
    """What the hub remembers of a target."""

    target: str
    last: LastSeen | None
    """When a run or sweep last read it, with the last run and its result; None before the first."""
    pause: Pause | None
    """The current one."""
    open_run: str | None
    trouble: bool
    """A reported problem was still there then."""
    due: bool = False
    """A sweep found drift, and no run has ended since."""
    left: str = ""
    """The gravest that somebody can do or not do because its last run left it, in words."""
    fights: tuple[Fight, ...] = ()
    """Over its documents."""

    def is_left_since(self, at: datetime | None) -> bool:
        """Whether its last run left something after that time."""
        return bool(self.left) and self.last is not None and (at is None or at < self.last.at)

    @property
    def standing(self) -> Standing:
        """How the target stood when somebody looked last."""
        if self.last is not None and self.last.result is Result.UNKNOWN:
            return Standing.UNKNOWN
        if self.due:
            return Standing.DIFFERS
        if self.last is None or self.last.result is None:
            return Standing.PENDING
        return Standing.OK if self.last.result.is_fine and not self.trouble and not self.open_run else Standing.DIFFERS
