"""Which alerts go out at once, which wait for their siblings, which say nothing."""

from dataclasses import replace

import pytest
from ecr_warden.alerting.incidents import AtOnce, Gathered, Routing, Silent, route
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
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.model.outcome import Result
from ecr_warden.model.plan import HoldReason

from tests.unit.alerting.reports import DEPLOYED, EVENT, HOME, NOW, RUN, SPEC, SWEEP, report, repository_drift

DRIFT = repository_drift(None)
CALLER = Cause(CauseKind.CALLER, "c-1")

CASES: dict[str, tuple[Alert, type[Silent] | Routing]] = {
    "a repair caused by an event goes out at once": (report(DRIFT), AtOnce()),
    "a repair that somebody asked for goes out at once": (report(DRIFT, cause=CALLER), AtOnce()),
    "the repairs of a spec version are one message": (report(DRIFT, cause=SPEC), Gathered("spec/v2", 20)),
    "the spec version that caused them is in it": (SpecAccepted(EVENT, "v2", "v1", (), ()), Gathered("spec/v2", 20)),
    "the repairs of a sweep are one message": (report(DRIFT, cause=SWEEP), Gathered("sweep/s-1", 20)),
    "the repairs that a run of ours made possible are one message": (report(DRIFT, cause=RUN), Gathered("run/r-0", 20)),
    "a refused spec goes out at once": (SpecRefused(EVENT, "v3", None, ()), AtOnce()),
    "somebody's change of a role of ours goes out at once": (OwnChanged(EVENT, HOME, "role ecr-warden-read"), AtOnce()),
    "a deployment's changes of roles of ours are one message": (
        OwnChanged(DEPLOYED, HOME, "role ecr-warden-read"),
        Gathered(f"own/{HOME}"),
    ),
    "lists that could not be read go out at once": (Unlisted(SWEEP, "v2", ("a",), ("throttled",)), AtOnce()),
    "a pause goes out at once": (TargetsPaused(CALLER, ("a",), "why", NOW), AtOnce()),
    "the end of a pause goes out at once": (TargetsResumed(CALLER, ("a",)), AtOnce()),
    "an event that changed nothing says nothing": (report(result=Result.IN_SYNC), Silent),
    "a sweep that found nothing says nothing": (report(result=Result.IN_SYNC, cause=SWEEP), Silent),
    "a finished run of a dead process is told": (report(DRIFT, result=Result.IN_SYNC), AtOnce()),
    "an intruder is told even if nothing was wrong": (report(result=Result.IN_SYNC, intruder=True), AtOnce()),
    "a run that is tried again says nothing": (replace(report(DRIFT, result=Result.FAILED), final=False), Silent),
    "drift in observe mode is told": (
        report(DRIFT, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE, outcomes=()),
        AtOnce(),
    ),
    "an owner that waits for a role that is being made says nothing": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_AT_SPEC, cause=SPEC),
        Silent,
    ),
    "an owner's policy that is not understood is told though it waits": (
        report(replace(DRIFT, kind=DriftKind.UNPARSEABLE), result=Result.WAITING, cause=SPEC, outcomes=()),
        Gathered("spec/v2"),
    ),
    "an owner that somebody changed and that waits is told": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_AT_SPEC),
        AtOnce(),
    ),
    "an unreadable target is told": (
        report(DRIFT, result=Result.UNKNOWN, outcomes=(), cause=SWEEP),
        Gathered("sweep/s-1"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_route(name: str) -> None:
    alert, expected = CASES[name]
    found = route(alert)
    if isinstance(expected, type):
        assert isinstance(found, expected)
        assert found.why
    else:
        assert found == expected


def test_two_sweeps_are_two_incidents() -> None:
    other = replace(SWEEP, id="s-2")
    assert route(report(DRIFT, cause=SWEEP)) != route(report(DRIFT, cause=other))
