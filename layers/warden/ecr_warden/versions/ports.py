"""Where verdicts are kept."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ecr_warden.state.hold import Hold
    from ecr_warden.state.holds import Judged


class Verdicts(Protocol):
    """What was read for the verdict on a hold's ground, and the verdict."""

    def note(self, hold: "Hold", part: str, why: str) -> None:
        """Note that a part was read since the hold was opened, or why not; `why` is empty if it was."""

    def notes(self, hold: "Hold") -> Mapping[str, str]:
        """What was noted, by part."""

    def keep(self, judged: "Judged") -> None:
        """Keep a verdict, in place of an earlier one."""

    def find(self, hold: "Hold") -> "Judged | None":
        """The verdict since the hold was opened; None if there is none, or this version cannot read it."""
