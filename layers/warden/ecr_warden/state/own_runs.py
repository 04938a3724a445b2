"""Which run of ours made a call: what CloudTrail shows is a claim, and the journal the proof."""

from datetime import datetime, timedelta

from ecr_warden.core.job import Cause
from ecr_warden.core.own_sessions import run_id_of
from ecr_warden.core.run import OpenRun
from ecr_warden.core.target import Target
from ecr_warden.state.state import State

# No run writes longer after its start: its lease and its function have ended.
LONGEST_RUN = timedelta(seconds=150)
# CloudTrail's clock differs from the function's, and has full seconds only.
_CLOCKS_APART = timedelta(seconds=60)


def own_run(state: State, target: Target, cause: Cause) -> OpenRun | None:
    """The run of ours that made the call of an event on a target; None if nobody's of ours is known to have.

    CloudTrail shows the IDs of runs to everybody, so one vouches only for calls made while that run could write.
    """
    claimed = None if cause.actor is None else run_id_of(cause.actor, account=target.account)
    opened = None if claimed is None else state.load_run(target, claimed)
    return opened if opened is not None and _may_be_of(opened, cause.time) else None


def _may_be_of(run: OpenRun, called: datetime | None) -> bool:
    """Whether a call made at that time may be one of the run's; yes if the time is unknown."""
    latest = run.started_at + LONGEST_RUN + _CLOCKS_APART
    return called is None or run.started_at - _CLOCKS_APART <= called <= latest
