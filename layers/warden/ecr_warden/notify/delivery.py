"""When an alert is sent, and what is left out of one that does not fit into an event."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from ecr_warden.core.codec.access import some_of_each
from ecr_warden.core.drift import Drift
from ecr_warden.core.ecr import ECR
from ecr_warden.core.job import Actor, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Outcome, RunReport
from ecr_warden.core.target import Target
from ecr_warden.repair.severity import is_grave, severity_of_run
from iam_access.delta.delta import AccessDelta, PermissionDelta
from iam_access.delta.describe import describe_change
from iam_access.text.printable import cut

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


def route_run(report: RunReport) -> Routing:
    """All runs of one cause are one incident."""
    changed_nothing = report.result is Result.IN_SYNC and not report.applied and not report.intruder
    if not report.final or changed_nothing or _waits_for_own_role(report) or report.of_fight:
        return Silent()
    if report.contested:
        return AtOnce()  # reconcile reports each contest once an hour
    is_critical = severity_of_run(report) is Severity.CRITICAL
    match report.cause.kind:
        case CauseKind.EVENT:
            caller = culprit(report.cause.actor, report.plan.target)
            return FirstAtOnce(f"{FIRST}/{caller}/{'critical' if is_critical else 'other'}")
        case (
            CauseKind.SPEC | CauseKind.SWEEP | CauseKind.RUN | CauseKind.CALLER | CauseKind.PAUSE | CauseKind.HEARTBEAT
        ):
            if is_critical and not report.cause.rolls_out:
                return FirstAtOnce(f"{FIRST}/{report.cause.incident}/critical")
            return Collected(report.cause.incident)
        case _:
            assert_never(report.cause.kind)


def _waits_for_own_role(report: RunReport) -> bool:
    """Whether the role that the target waits for is being repaired: its run wakes this target again."""
    ours = report.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    unparseable = any(drift.kind is DriftKind.UNPARSEABLE for drift in report.plan.drifts)
    return report.result is Result.WAITING and ours and not (unparseable or report.applied)


def culprit(actor: Actor | None, target: Target) -> str:
    """A digest of the caller, or of the target where the caller is unknown."""
    text = (actor.principal if actor is not None else "") or target.key
    return hashlib.sha256(text.encode()).hexdigest()[:24]


TEXT = 400
"""Characters of each sentence in a shortened alert."""
_PERMISSIONS = 20


def shorter_runs(report: RunReport) -> Iterator[RunReport]:
    """Ever shorter forms: without pre-images, with some permissions, with none. The journal keeps the whole report."""
    yield _with_changes(report, lambda change: replace(change, before=None))
    yield _bare(report, _PERMISSIONS)
    yield _bare(report, 0)


def _bare(report: RunReport, most: int) -> RunReport:
    """Without pre-images, and with at most `most` permissions on each side of a drift, the severe ones first."""
    home = {report.plan.target.account, *report.accounts}
    bare = _with_changes(report, lambda change: replace(change, before=None, access=None, why=cut(change.why, TEXT)))
    drifts = tuple(bare_drift(drift, home, most) for drift in report.plan.drifts)
    held = tuple(replace(hold, drift=bare_drift(hold.drift, home, most)) for hold in report.plan.held)
    return replace(bare, plan=replace(bare.plan, drifts=drifts, held=held))


def bare_drift(whole: Drift, home: Collection[str], most: int) -> Drift:
    """With at most `most` permissions on each side, those of outsiders to `home` first."""

    def some(permissions: Iterable[PermissionDelta]) -> tuple[PermissionDelta, ...]:
        return tuple(some_of_each(sorted(permissions, key=lambda permission: not is_grave(permission, home)), most))

    if (change := whole.change) is None:
        return replace(whole, explain=cut(whole.explain, TEXT))
    access = AccessDelta(some(change.gained), some(change.lost), change.assumed, change.left_out) if most else None
    left_out = whole.left_out + max(0, _sentences(change) - _sentences(access))
    return replace(whole, left_out=left_out, access=access, explain=cut(whole.explain, TEXT))


def _sentences(access: AccessDelta | None) -> int:
    """The number of sentences for a change of access, or of its permissions if it cannot be described."""
    if access is None:
        return 0
    try:
        return len(describe_change(access, ECR, subject=""))
    except Exception:  # the run is announced all the same
        return len(access.gained) + len(access.lost)


def _with_changes(report: RunReport, shorten: Callable[[Change], Change]) -> RunReport:
    def outcome(made: Outcome) -> Outcome:
        return replace(made, change=shorten(made.change))

    changes = tuple(map(shorten, report.plan.changes))
    return replace(report, plan=replace(report.plan, changes=changes), outcomes=tuple(map(outcome, report.outcomes)))
