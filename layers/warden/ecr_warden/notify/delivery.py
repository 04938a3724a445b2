"""When an alert is sent, and who is thought to be behind it."""

import hashlib

from msgspec import Struct

from ecr_warden.core.job import Actor, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import Target
from ecr_warden.repair.alerts import RunEnded

FIRST = "first"  # begins the key of an incident whose first alert is sent by itself


class AtOnce(Struct, frozen=True):
    """As one message, now."""


class Collected(Struct, frozen=True):
    """Collected with all alerts of this key into one message."""

    key: str


class FirstAtOnce(Struct, frozen=True):
    """The first alert of this key now, the following ones collected: a burst makes two messages, the first at once."""

    key: str


class Silent(Struct, frozen=True):
    """Not at all."""


type Routing = AtOnce | Collected | FirstAtOnce | Silent


def is_follow_up(key: str) -> bool:
    """Whether the first alert of an incident was sent by itself."""
    return key.startswith(f"{FIRST}/")


def route_run(run: RunEnded) -> Routing:
    """All runs of one cause are one incident."""
    changed_nothing = run.result is Result.IN_SYNC and not run.applied and not run.intruder
    if changed_nothing or _waits_for_own_role(run) or run.of_fight:
        return Silent()
    if run.contested:
        return AtOnce()  # reconcile reports each contest once an hour
    is_critical = run.severity is Severity.CRITICAL
    if run.cause.kind is CauseKind.EVENT:
        caller = culprit(run.cause.actor, run.target)
        return FirstAtOnce(f"{FIRST}/{caller}/{'critical' if is_critical else 'other'}")
    if is_critical and not run.cause.rolls_out:
        return FirstAtOnce(f"{FIRST}/{run.cause.incident}/critical")
    return Collected(run.cause.incident)


def _waits_for_own_role(run: RunEnded) -> bool:
    """Whether the role that the target waits for is being repaired: its run wakes this target again."""
    ours = run.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    unparseable = any(one.kind is DriftKind.UNPARSEABLE for one in run.differences)
    return run.result is Result.WAITING and ours and not (unparseable or run.applied)


def culprit(actor: Actor | None, target: Target) -> str:
    """A digest of the caller, or of the target where the caller is unknown."""
    text = (actor.principal if actor is not None else "") or target.key
    return hashlib.sha256(text.encode()).hexdigest()[:24]
