"""Which alerts are news, and which are about the same cause."""

import hashlib

from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.result import Result
from ecr_warden.repair.alerts import RunEnded


def incident_of(cause: Cause) -> str:
    """The cause that alerts have in common: whoever is behind a call, all unknown callers as one; else the cause."""
    if cause.principal or cause.incident.startswith(f"{CauseKind.EVENT}/"):
        return f"by/{hashlib.sha256(cause.principal.encode()).hexdigest()[:24]}"
    return cause.incident


def is_news_of_run(run: RunEnded) -> bool:
    """Whether a run has something to say, and nobody else says it."""
    changed_nothing = run.result is Result.IN_SYNC and not run.applied and not run.intruder
    return not (changed_nothing or _waits_for_own_role(run) or _is_shut_out(run))


def _is_shut_out(run: RunEnded) -> bool:
    """Whether a sweep asked for it, and the account cannot be entered: of that the sweep says so, once."""
    codes = {one.code for one in run.differences}
    return run.cause.kind is CauseKind.SWEEP and codes == {AccountUnreachable.code}


def _waits_for_own_role(run: RunEnded) -> bool:
    """Whether the role that the target waits for is being repaired: its run wakes this target again."""
    ours = run.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    unparseable = any(one.kind is DriftKind.UNPARSEABLE for one in run.differences)
    return run.result is Result.WAITING and ours and not (unparseable or run.applied)
