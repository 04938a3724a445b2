"""When an alert is sent, and with which others: nobody's actions decide how many messages leave."""

import hashlib
from enum import StrEnum

from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.result import Result, Severity
from ecr_warden.repair.alerts import RunEnded


class Sending(StrEnum):
    """When an alert is sent."""

    AT_ONCE = "at-once"  # now if it is the first of its incident, else with those that follow
    COLLECTED = "collected"  # with all alerts of its incident
    NEVER = "never"


ROLL_OUT = "roll-out"
"""The incident of stacks that are deployed: of sixty accounts, and by as many principals."""


def incident_of(cause: Cause) -> str:
    """What joins alerts in one message: whoever is behind a call, all unknown callers as one; else the cause."""
    if cause.principal or cause.incident.startswith(f"{CauseKind.EVENT}/"):
        return f"by/{hashlib.sha256(cause.principal.encode()).hexdigest()[:24]}"
    return cause.incident


def sending_of_run(run: RunEnded) -> Sending:
    """What follows somebody's call is sent at once, and so is what is critical unless a new version brings it."""
    changed_nothing = run.result is Result.IN_SYNC and not run.applied and not run.intruder
    if changed_nothing or _waits_for_own_role(run) or run.of_fight or _is_shut_out(run):
        return Sending.NEVER
    is_urgent = run.severity is Severity.CRITICAL and not run.cause.rolls_out
    is_at_once = is_urgent or run.contested or run.cause.kind is CauseKind.EVENT
    return Sending.AT_ONCE if is_at_once else Sending.COLLECTED


def _is_shut_out(run: RunEnded) -> bool:
    """Whether a sweep asked for it, and the account cannot be entered: of that the sweep says so, once."""
    codes = {one.code for one in run.differences}
    return run.cause.kind is CauseKind.SWEEP and codes == {AccountUnreachable.code}


def _waits_for_own_role(run: RunEnded) -> bool:
    """Whether the role that the target waits for is being repaired: its run wakes this target again."""
    ours = run.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    unparseable = any(one.kind is DriftKind.UNPARSEABLE for one in run.differences)
    return run.result is Result.WAITING and ours and not (unparseable or run.applied)
