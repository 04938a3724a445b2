"""Which alerts go out at once, which are gathered into one message, and which say nothing."""

import hashlib
from dataclasses import dataclass
from typing import assert_never

from ecr_warden.alerting.own import is_by_deployment
from ecr_warden.alerting.severity import severity
from ecr_warden.model.alert import (
    Alert,
    JobFailed,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.drift import DriftKind
from ecr_warden.model.job import CauseKind
from ecr_warden.model.outcome import Result, RunReport
from ecr_warden.model.severity import Severity

GATHER_SECONDS = 20
FIRST = "first"
"""What the key of an incident begins with whose first alert has a message of its own."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Somebody did something or waits for an answer: one message of its own."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One message for all alerts with this key, at most `seconds` after the first of them."""

    key: str
    seconds: int = GATHER_SECONDS


@dataclass(frozen=True, slots=True)
class FirstAtOnce:
    """The first with this key has a message of its own at once; what follows it is gathered into one, and so on.

    Somebody who opens thirty repositories in three seconds makes two messages, and the first is not late.
    """

    key: str
    seconds: int = GATHER_SECONDS


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody is told, and why."""

    why: str


type Routing = AtOnce | Gathered | FirstAtOnce | Silent


def route(alert: Alert) -> Routing:
    """How an alert reaches people: one cause with many outcomes is one incident."""
    match alert:
        case SpecRefused() | TargetsPaused() | TargetsResumed():
            return AtOnce()
        case OwnChanged():
            # A deployment changes several at once.
            return Gathered(f"own/{alert.account}") if is_by_deployment(alert) else AtOnce()
        case Unlisted(cause=cause):
            # Each account and region of a sweep has a job of its own.
            return Gathered(cause.incident)
        case SpecAccepted(version=version):
            # The runs of an accepted version have the version as their cause's id.
            return Gathered(f"{CauseKind.SPEC}/{version}")
        case JobFailed():
            # What ends one job most often ends others: a broken deployment, an account that answers nothing.
            return Gathered("failed-jobs")
        case RunReport():
            return _route_run(alert)
        case _:
            assert_never(alert)


def _route_run(report: RunReport) -> Routing:
    if not report.final:
        return Silent("the same job is tried again")
    if _has_nothing_to_tell(report):
        return Silent("it was as the spec says and nothing was written")
    if _waits_for_our_own(report):
        return Silent("the role that it waits for is being put right, and its run wakes this target again")
    if report.contested:
        return AtOnce()  # reconcile tells of each contest once an hour
    is_critical = severity(report, known_accounts=report.accounts) is Severity.CRITICAL
    match report.cause.kind:
        case CauseKind.EVENT:
            return FirstAtOnce(f"{FIRST}/{_culprit(report)}/{'critical' if is_critical else 'other'}")
        case CauseKind.SPEC | CauseKind.SWEEP | CauseKind.RUN | CauseKind.CALLER:
            rolls_out = report.cause.incident.startswith(f"{CauseKind.SPEC}/")
            if is_critical and not rolls_out:
                return FirstAtOnce(f"{FIRST}/{report.cause.incident}/critical")
            return Gathered(report.cause.incident)
        case _:
            assert_never(report.cause.kind)


def is_follow_up(key: str) -> bool:
    """Whether people were told of the first alert of an incident by itself."""
    return key.startswith(f"{FIRST}/")


def _culprit(report: RunReport) -> str:
    """Who made the call, or which target they fight for where that is not known.

    The name of a session does not count: whoever opens one chooses it, and can choose another for each call.
    """
    actor = report.cause.actor
    identity = (actor.issuer or actor.arn or actor.account) if actor is not None else ""
    text = f"{actor.type} {identity}" if actor is not None and identity else report.plan.target.key
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _has_nothing_to_tell(report: RunReport) -> bool:
    return report.result is Result.IN_SYNC and not report.applied and not report.intruder


def _waits_for_our_own(report: RunReport) -> bool:
    ours = report.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    not_understood = any(drift.kind is DriftKind.UNPARSEABLE for drift in report.plan.drifts)
    return report.result is Result.WAITING and ours and not (not_understood or report.applied)
