"""A run that has been journalled, and what runs of a target leave to the next."""

from datetime import datetime

from msgspec import Struct

from ecr_warden.model.desired import Mode
from ecr_warden.model.job import Cause
from ecr_warden.model.outcome import Result
from ecr_warden.model.plan import Plan


class OpenRun(Struct, frozen=True):
    """What is known before the first write: enough to finish and report the run if its process dies."""

    run_id: str
    cause: Cause
    mode: Mode
    plan: Plan
    started_at: datetime


class Debts(Struct, frozen=True):
    """What earlier runs of a target still owe.

    `sessions_before`: a trust policy was narrowed, and sessions of the role from before that moment have to be denied
    until the last of them has expired. `sessions_ended`: a policy that denies them has been written, so where none
    stands somebody took it away. `recreated_principals`: ARNs of users or roles that were deleted and made again since
    the target's documents were last written.
    """

    sessions_before: datetime | None = None
    sessions_ended: bool = False
    recreated_principals: tuple[str, ...] = ()


class LastLook(Struct, frozen=True):
    """When a run last looked at a target, and how that run ended; `result` is None of one that did not end."""

    at: datetime
    run_id: str = ""
    result: Result | None = None


class RunEntry(Struct, frozen=True):
    """A line of the journal. `result`: None while the run is open; `written`: how many writes AWS took."""

    run_id: str
    target: str
    cause: Cause
    started_at: datetime
    result: Result | None = None
    written: int = 0
