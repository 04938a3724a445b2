"""Which alerts go out at once, which are gathered into one message, and which say nothing."""

from dataclasses import dataclass
from typing import assert_never

from ecr_warden.alerting.own import is_by_deployment
from ecr_warden.model.alert import (
    Alert,
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

GATHER_SECONDS = 20


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Somebody did something or waits for an answer: one message of its own."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One message for all alerts with this key, at most `seconds` after the first of them."""

    key: str
    seconds: int = GATHER_SECONDS


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody is told, and why."""

    why: str


type Routing = AtOnce | Gathered | Silent


def route(alert: Alert) -> Routing:
    """How an alert reaches people: one cause with many outcomes is one incident."""
    match alert:
        case SpecRefused() | Unlisted() | TargetsPaused() | TargetsResumed():
            return AtOnce()
        case OwnChanged():
            # A deployment changes several at once.
            return Gathered(f"own/{alert.account}") if is_by_deployment(alert) else AtOnce()
        case SpecAccepted(version=version):
            # The runs of an accepted version have the version as their cause's id.
            return Gathered(f"{CauseKind.SPEC}/{version}")
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
    match report.cause.kind:
        case CauseKind.EVENT | CauseKind.CALLER:
            return AtOnce()
        case CauseKind.SPEC | CauseKind.SWEEP | CauseKind.RUN:
            return Gathered(report.cause.incident)
        case _:
            assert_never(report.cause.kind)


def _has_nothing_to_tell(report: RunReport) -> bool:
    return report.result is Result.IN_SYNC and not report.applied and not report.intruder


def _waits_for_our_own(report: RunReport) -> bool:
    ours = report.cause.kind in (CauseKind.SPEC, CauseKind.RUN)
    not_understood = any(drift.kind is DriftKind.UNPARSEABLE for drift in report.plan.drifts)
    return report.result is Result.WAITING and ours and not (not_understood or report.applied)
