"""How a run ended, and how soon a person should look at it."""

from collections.abc import Collection
from enum import StrEnum


class Severity(StrEnum):
    """INFO: for the record. WARNING: look today. CRITICAL: look now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


_ORDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def highest(severities: Collection[Severity]) -> Severity:
    """The most severe; INFO of none."""
    return max(severities, key=_ORDER.index, default=Severity.INFO)


class Result(StrEnum):
    """How a run ended."""

    IN_SYNC = "in-sync"
    CONVERGED = "converged"
    NOT_YET_VISIBLE = "not-yet-visible"
    STILL_DRIFTED = "still-drifted"
    REPORTED = "reported"  # drift found and not repaired: observe mode, the stop switch, or held
    WAITING = "waiting"  # a policy may be widened later: once its role is in sync, or in the pace of a fight
    INTERRUPTED = "interrupted"  # the process died; the next run of the target reports what was written
    CONFLICT = "conflict"  # somebody else wrote in between; the next run reads the target again
    FAILED = "failed"
    UNKNOWN = "unknown"  # something could not be read

    @property
    def is_fine(self) -> bool:
        """Whether the target is as the spec says."""
        return self in (Result.IN_SYNC, Result.CONVERGED)

    @property
    def words(self) -> str:
        """The result as people read it."""
        return _RESULT_WORDS[self]


_RESULT_WORDS = {
    Result.IN_SYNC: "in sync",
    Result.CONVERGED: "repaired",
    Result.NOT_YET_VISIBLE: "written, not visible yet",
    Result.STILL_DRIFTED: "repaired, but NOT in sync: changed again at once",
    Result.REPORTED: "reported, NOT repaired",
    Result.WAITING: "waiting for its role",
    Result.INTERRUPTED: "interrupted, the next run takes over",
    Result.CONFLICT: "changed again in the meantime, the next run takes over",
    Result.FAILED: "could NOT be repaired",
    Result.UNKNOWN: "cannot be read: state unknown",
}
