"""Which alerts are sent at once, collected or not at all, and what is left out of those that are too large."""

from collections.abc import Iterator
from copy import replace

import pytest

from ecr_warden.collect.alerts import Unlisted
from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Cause, CauseKind, PauseMoment
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunReport
from ecr_warden.notify.delivery import AtOnce, Collected, FirstAtOnce, Routing, Silent
from ecr_warden.notify.kinds import KINDS, route, shorter
from ecr_warden.repair.alerts import (
    EndMoment,
    FightMoment,
    FightNoticed,
    GrantsEnd,
    OwnChanged,
    PauseReached,
    RunEnded,
    TargetsPaused,
    TargetsResumed,
)
from ecr_warden.repair.run_ended import run_ended
from ecr_warden.state.fight import Fight
from ecr_warden.state.hold import Hold
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from local.testing.holds import ground, reasons
from tests.unit.notify.reports import (
    CI,
    DEPLOYED,
    EVENT,
    HOME,
    MALLORY,
    NOW,
    OUTSIDER,
    RUN,
    SPEC,
    SWEEP,
    allows,
    also,
    pulls,
    push_drift,
    report,
    repository_drift,
    run_report,
)

DRIFT = repository_drift(None)
OPENED = repository_drift(pulls("*"))
CALLER = Cause(CauseKind.CALLER, "c-1")
HOLD = Hold(ground("v2", "v1"), "version v2 of the spec", reasons("it drops an account"), NOW, NOW)
PAUSE = Cause(CauseKind.PAUSE, "command-1")
FIGHT = FightNoticed(EVENT, FightMoment.BEGAN, Fight(DRIFT.address, NOW, NOW, 3, MALLORY), run_id="r-1")

CASES: dict[str, tuple[Alert, type[FirstAtOnce] | Routing]] = {
    "the first repair after a call is sent at once": (report(DRIFT), FirstAtOnce),
    "the repairs of a command are one message": (report(DRIFT, cause=CALLER), Collected("caller/c-1")),
    "a critical finding of a command is sent at once": (
        report(OPENED, cause=CALLER),
        FirstAtOnce("first/caller/c-1/critical"),
    ),
    "a critical finding of a sweep is sent at once": (
        report(OPENED, cause=SWEEP),
        FirstAtOnce("first/sweep/s-1/critical"),
    ),
    "a critical finding of a roll-out is in the message of its version": (
        report(OPENED, cause=SPEC, result=Result.FAILED),
        Collected("spec/v2"),
    ),
    "a contest is sent at once": (replace(report(DRIFT, result=Result.CONFLICT), contested=3), AtOnce()),
    "a repair of a fight is counted in its messages": (replace(report(DRIFT), of_fight=True), Silent()),
    "the beginning of a fight is sent at once": (FIGHT, FirstAtOnce),
    "the repairs of a spec version are one message": (report(DRIFT, cause=SPEC), Collected("spec/v2")),
    "the spec version that caused them is in it": (SpecAccepted(EVENT, "v2", "v1", (), ()), Collected("spec/v2")),
    "the repairs of a sweep are one message": (report(DRIFT, cause=SWEEP), Collected("sweep/s-1")),
    "the repairs that a run of ours made possible are one message": (report(DRIFT, cause=RUN), Collected("run/r-0")),
    "a refused spec is sent at once": (SpecRefused(EVENT, "v3", None, ()), AtOnce()),
    "a change of ecr-warden's own role is sent at once": (OwnChanged(EVENT, HOME, "role ecr-warden-read"), AtOnce()),
    "a deployment's changes of ecr-warden's own roles are one message": (
        OwnChanged(DEPLOYED, HOME, "role ecr-warden-read"),
        Collected(f"own/{HOME}"),
    ),
    "lists that could not be read are one message, whichever parts of a sweep met them": (
        Unlisted(SWEEP, "v2", ("a",), ("throttled",)),
        Collected(SWEEP.incident),
    ),
    "a pause is sent at once": (TargetsPaused(CALLER, ("a",), "why", NOW), AtOnce()),
    "the end of a pause is sent at once": (TargetsResumed(CALLER, ("a",)), AtOnce()),
    "the ends of grants are announced at once": (GrantsEnd(SWEEP, EndMoment.DAY, "v2", ("a",)), AtOnce()),
    "what waits is announced at once": (HoldOpened(CALLER, HOLD), AtOnce()),
    "what became of it is announced at once": (HoldSettled(CALLER, HOLD), AtOnce()),
    "the time of a pause is announced at once": (PauseReached(PAUSE, PauseMoment.DAY, ("a",), "why", NOW), AtOnce()),
    "what a pause left is one message": (report(DRIFT, cause=PAUSE), Collected("pause/command-1")),
    "an event that changed nothing is silent": (report(result=Result.IN_SYNC), Silent()),
    "a sweep that found nothing is silent": (report(result=Result.IN_SYNC, cause=SWEEP), Silent()),
    "the finished run of a killed process is sent": (report(DRIFT, result=Result.IN_SYNC), FirstAtOnce),
    "an intruder is reported even if nothing differed": (report(result=Result.IN_SYNC, intruder=True), FirstAtOnce),
    "drift in observe mode is sent": (
        report(DRIFT, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE, outcomes=()),
        FirstAtOnce,
    ),
    "an identity that waits for its role to be created is silent": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_IN_SYNC, cause=SPEC),
        Silent(),
    ),
    "an identity's unparseable policy is sent though it waits": (
        report(replace(DRIFT, kind=DriftKind.UNPARSEABLE), result=Result.WAITING, cause=SPEC, outcomes=()),
        Collected("spec/v2"),
    ),
    "an identity that was changed and waits is sent": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_IN_SYNC),
        FirstAtOnce,
    ),
    "an unreadable target is sent": (
        report(DRIFT, result=Result.UNKNOWN, outcomes=(), cause=SWEEP),
        Collected("sweep/s-1"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_route(name: str) -> None:
    alert, expected = CASES[name]
    found = route(alert)
    assert isinstance(found, FirstAtOnce) if expected is FirstAtOnce else found == expected


def test_two_sweeps_are_two_incidents() -> None:
    other = replace(SWEEP, id="s-2")
    assert route(report(DRIFT, cause=SWEEP)) != route(report(DRIFT, cause=other))


OTHER_SESSION = replace(MALLORY, arn=f"{MALLORY.arn}-2", session_name="mallory-2")
OTHER_ROLE = replace(MALLORY, issuer=f"{MALLORY.issuer}-2")
TOGETHER: dict[str, tuple[Alert, Alert, bool]] = {
    "fights of one writer over two documents": (
        FIGHT,
        replace(FIGHT, fight=replace(FIGHT.fight, address=push_drift(allows("ecr:ListImages")).address)),
        True,
    ),
    "the beginning and the end of a fight": (FIGHT, replace(FIGHT, moment=FightMoment.ENDED), False),
    "fights of two writers": (
        FIGHT,
        replace(FIGHT, fight=replace(FIGHT.fight, writer=replace(MALLORY, issuer="another"))),
        False,
    ),
    "two calls of one user": (report(DRIFT), report(DRIFT, cause=replace(EVENT, id="e-2")), True),
    "two sessions of one role, for their names are free": (
        report(DRIFT),
        report(DRIFT, cause=replace(EVENT, actor=OTHER_SESSION)),
        True,
    ),
    "two roles": (report(DRIFT), report(DRIFT, cause=replace(EVENT, actor=OTHER_ROLE)), False),
    "what is critical and what is not": (report(DRIFT), report(OPENED), False),
    "two calls of unknown callers on one target": (
        report(DRIFT, cause=replace(EVENT, actor=None)),
        report(DRIFT, cause=replace(EVENT, id="e-2", actor=None)),
        True,
    ),
    "two calls of unknown callers on two targets": (
        report(DRIFT, cause=replace(EVENT, actor=None)),
        report(push_drift(allows("ecr:PutImage", "ecr:ListImages")), cause=replace(EVENT, actor=None)),
        False,
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_are_collected_together_or_apart(name: str) -> None:
    one, other, together = TOGETHER[name]
    assert (route(one) == route(other)) is together


EVE = f"arn:aws:iam::{OUTSIDER}:user/eve"
CROWD = [f"arn:aws:iam::{CI}:user/u{number:02}" for number in range(40)]
OTHERS = [allows(f"ecr:Action{number:02}") for number in range(40)]


def _said(made: RunReport) -> str:
    """The one sentence of its only difference in the shortest form."""
    *_, shortest = shorter(run_ended(made))
    assert isinstance(shortest, RunEnded)
    [difference] = shortest.differences
    [sentence] = difference.access
    assert difference.left_out
    return sentence


def test_an_outsider_is_not_left_out_for_many_other_principals() -> None:
    assert EVE in _said(replace(run_report(repository_drift(pulls(*CROWD, EVE))), accounts=(CI, HOME)))


def test_a_power_over_policies_is_not_left_out_for_many_other_permissions() -> None:
    assert "iam:PutRolePolicy" in _said(run_report(push_drift(also(*OTHERS, allows("iam:PutRolePolicy")))))


def _descendants(kind: type[Alert]) -> Iterator[type[Alert]]:
    for each in kind.__subclasses__():
        yield from (each, *_descendants(each))


def test_every_kind_of_alert_has_its_class() -> None:
    assert set(KINDS) == {*_descendants(Alert)}
