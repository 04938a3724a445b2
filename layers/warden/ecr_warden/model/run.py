"""A run that has been journalled and not yet closed."""

from dataclasses import dataclass
from datetime import datetime

from ecr_warden.model.desired import Mode
from ecr_warden.model.job import Cause
from ecr_warden.model.plan import Plan


@dataclass(frozen=True, slots=True)
class OpenRun:
    """What is known before the first write: enough to finish and report the run if its process dies."""

    run_id: str
    cause: Cause
    mode: Mode
    plan: Plan
    started_at: datetime
