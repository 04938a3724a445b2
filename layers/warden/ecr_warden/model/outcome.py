"""What became of a plan: past tense, one outcome a change, one report a run."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.desired import Mode
from ecr_warden.model.job import Cause
from ecr_warden.model.plan import Change, Plan
from ecr_warden.model.severity import Severity


class Applied(Struct, frozen=True):
    """AWS took the write."""

    change: Change


class Skipped(Struct, frozen=True):
    """Not tried: the stop switch, a pause, a lost lease, or an earlier change of the plan that failed."""

    change: Change
    reason: str


class Conflict(Struct, frozen=True):
    """Another document than the one planned from stood there: nothing was written."""

    change: Change


class Failed(Struct, frozen=True):
    """AWS refused. `retryable`: the same write may succeed in a minute; `remedy`: what a person can do."""

    change: Change
    code: str
    message: str
    retryable: bool
    remedy: str = ""


type Outcome = Applied | Skipped | Conflict | Failed


class Result(StrEnum):
    """How a run ended."""

    IN_SYNC = "in-sync"
    CONVERGED = "converged"
    NOT_YET_VISIBLE = "not-yet-visible"
    STILL_DRIFTED = "still-drifted"
    REPORTED = "reported"  # drift seen and left alone: observe mode, the stop switch, or held
    WAITING = "waiting"  # a policy may be widened only once the role that it leads to is at spec
    INTERRUPTED = "interrupted"  # the process died; the next run of the target tells what was written
    CONFLICT = "conflict"  # somebody else wrote in between; observed afresh by the next run
    FAILED = "failed"
    UNKNOWN = "unknown"  # something could not be read


class RunReport(Struct, frozen=True):
    """One run of one target, from first reading to verification; what the outcomes bus carries.

    `accounts`: those that the spec names; any other is foreign. `final`: False when the same job will be tried again
    and nothing was written. `intruder`: the event came from a session of the write role that no run of ours opened.
    `contested`: how often in a row somebody else wrote between reading and writing, where the job gave up over it.
    `severity`: of the whole report. An announcement may have to leave out what makes it severe, for what stands in an
    account may be made to exceed any limit.
    """

    run_id: str
    cause: Cause
    mode: Mode
    result: Result
    plan: Plan
    outcomes: tuple[Outcome, ...]
    started_at: datetime
    finished_at: datetime
    accounts: tuple[str, ...] = ()
    attempt: int = 1
    final: bool = True
    intruder: bool = False
    contested: int = 0
    severity: Severity | None = None

    @property
    def applied(self) -> tuple[Change, ...]:
        """The changes that AWS took."""
        return tuple(outcome.change for outcome in self.outcomes if isinstance(outcome, Applied))
