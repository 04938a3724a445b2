"""Which alerts are news, and which have one cause; and what is left out of those that are too large."""

from collections.abc import Iterator
from copy import replace

import pytest

from ecr_warden.collect.alerts import Unlisted
from ecr_warden.core.alert import Alert
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunReport
from ecr_warden.notify.kinds import KINDS, changes_of, incident
from ecr_warden.notify.shorter import shorter
from ecr_warden.repair.alerts import (
    ChannelsTested,
    EndMoment,
    FightMoment,
    FightNoticed,
    GrantsEnd,
    HarmfulCall,
    JobFailed,
    OwnChanged,
    PauseEnded,
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
SHUT = replace(DRIFT, kind=DriftKind.UNREADABLE, code=AccountUnreachable.code)
OPENED = repository_drift(pulls("*"))
CALLER = Cause(CauseKind.CALLER, "c-1")
HOLD = Hold(ground("v2", "v1"), "version v2 of the spec", reasons("it drops an account"), NOW, NOW)
PAUSE = Cause(CauseKind.PAUSE, "command-1")
FIGHT = FightNoticed(EVENT, FightMoment.BEGAN, Fight(DRIFT.address, NOW, NOW, 3, MALLORY), run_id="r-1")

CASES: dict[str, tuple[Alert, bool]] = {
    "the repair after a call": (report(DRIFT), True),
    "the repairs of a command are one message": (report(DRIFT, cause=CALLER), True),
    "a critical finding of a command": (report(OPENED, cause=CALLER), True),
    "a critical finding of a sweep": (report(OPENED, cause=SWEEP), True),
    "a critical finding of a roll-out is in the message of its version": (
        report(OPENED, cause=SPEC, result=Result.FAILED),
        True,
    ),
    "a contest": (replace(report(DRIFT, result=Result.CONFLICT), contested=3), True),
    "a repair of a fight is counted in its messages": (replace(report(DRIFT), of_fight=True), True),
    "the beginning of a fight": (FIGHT, True),
    "the repairs of a spec version are one message": (report(DRIFT, cause=SPEC), True),
    "the spec version that caused them is in it": (SpecAccepted(EVENT, "v2", "v1", (), ()), True),
    "the repairs of a sweep are one message": (report(DRIFT, cause=SWEEP), True),
    "the repairs that a run of ours made possible are one message": (report(DRIFT, cause=RUN), True),
    "a refused spec": (SpecRefused(EVENT, "v3", None, ()), True),
    "a change of ecr-warden's own role": (OwnChanged(EVENT, HOME, "role ecr-warden-read"), True),
    "a deployment's changes of ecr-warden's own roles are one message": (
        OwnChanged(DEPLOYED, HOME, "role ecr-warden-read"),
        True,
    ),
    "lists that could not be read are one message, whichever parts of a sweep met them": (
        Unlisted(SWEEP, "v2", ("a",), ("throttled",)),
        True,
    ),
    "a pause": (TargetsPaused(CALLER, ("a",), "why", NOW), True),
    "a resumption": (TargetsResumed(CALLER, ("a",)), True),
    "a test of the channels": (ChannelsTested(CALLER), True),
    "the end of a pause": (PauseEnded(PAUSE, ("a",), "why", NOW), True),
    "the ends of grants": (GrantsEnd(SWEEP, EndMoment.DAY, "v2", ("a",)), True),
    "what waits": (HoldOpened(CALLER, HOLD), True),
    "what became of it": (HoldSettled(CALLER, HOLD), True),
    "what a pause left is one message": (report(DRIFT, cause=PAUSE), True),
    "an event that changed nothing": (report(result=Result.IN_SYNC), False),
    "a sweep that found nothing": (report(result=Result.IN_SYNC, cause=SWEEP), False),
    "the finished run of a killed process": (report(DRIFT, result=Result.IN_SYNC), True),
    "an intruder even if nothing differed": (report(result=Result.IN_SYNC, intruder=True), True),
    "drift in observe mode": (
        report(DRIFT, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE, outcomes=()),
        True,
    ),
    "an identity that waits for its role to be created": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_IN_SYNC, cause=SPEC),
        False,
    ),
    "an identity's unparseable policy though it waits": (
        report(replace(DRIFT, kind=DriftKind.UNPARSEABLE), result=Result.WAITING, cause=SPEC, outcomes=()),
        True,
    ),
    "an identity that was changed and waits": (
        report(DRIFT, result=Result.WAITING, held=HoldReason.ROLE_NOT_IN_SYNC),
        True,
    ),
    "a target in an account that a sweep could not enter, which says so itself": (
        report(SHUT, result=Result.UNKNOWN, outcomes=(), cause=SWEEP),
        False,
    ),
    "a target in an account that an event's run could not enter": (
        report(SHUT, result=Result.UNKNOWN, outcomes=()),
        True,
    ),
    "an unreadable target": (report(DRIFT, result=Result.UNKNOWN, outcomes=(), cause=SWEEP), True),
}


@pytest.mark.parametrize("name", CASES)
def test_which_alerts_are_news(name: str) -> None:
    alert, expected = CASES[name]
    changes = changes_of(alert, NOW)
    assert bool(changes.facts or changes.news) is expected


OTHER_SESSION = replace(MALLORY, arn=f"{MALLORY.arn}-2", session_name="mallory-2")
OTHER_ROLE = replace(MALLORY, issuer=f"{MALLORY.issuer}-2")
UNKNOWN = replace(EVENT, actor=None)
OWN = OwnChanged(EVENT, HOME, "role ecr-warden-read")
TOGETHER: dict[str, tuple[Alert, Alert, bool]] = {
    "two calls of one user": (report(DRIFT), report(DRIFT, cause=replace(EVENT, id="e-2")), True),
    "two sessions of one role, for their names are free": (
        report(DRIFT),
        report(DRIFT, cause=replace(EVENT, actor=OTHER_SESSION)),
        True,
    ),
    "two roles": (report(DRIFT), report(DRIFT, cause=replace(EVENT, actor=OTHER_ROLE)), False),
    "what is critical and what is not": (report(DRIFT), report(OPENED), True),
    "a repair, a fight and a change of ecr-warden's own by one user": (report(DRIFT), FIGHT, True),
    "calls of two kinds by one user": (OWN, HarmfulCall(replace(EVENT, id="e-2"), None), True),
    "what one user did and what a run of ours followed it up with": (
        report(DRIFT),
        report(DRIFT, cause=EVENT.followed_by("r-1", NOW)),
        True,
    ),
    "what runs followed up of two users": (
        report(DRIFT, cause=EVENT.followed_by("r-1", NOW)),
        report(DRIFT, cause=replace(EVENT, actor=OTHER_ROLE).followed_by("r-2", NOW)),
        False,
    ),
    "a follow-up of a follow-up": (
        report(DRIFT),
        report(DRIFT, cause=EVENT.followed_by("r-1", NOW).followed_by("r-2", NOW)),
        True,
    ),
    "two uploads of one account": (
        SpecRefused(EVENT, "v3", None, ()),
        SpecRefused(replace(EVENT, id="e-2"), "v4", None, ()),
        True,
    ),
    "calls of unknown callers, on whatever targets": (
        report(DRIFT, cause=UNKNOWN),
        report(push_drift(allows("ecr:PutImage", "ecr:ListImages")), cause=replace(UNKNOWN, id="e-2")),
        True,
    ),
    "a version and the runs that roll it out": (
        SpecAccepted(EVENT, SPEC.id, "v1", (), ()),
        report(DRIFT, cause=replace(SPEC, actor=EVENT.actor)),
        True,
    ),
    "two sweeps": (report(DRIFT, cause=SWEEP), report(DRIFT, cause=replace(SWEEP, id="s-2")), False),
    "the parts of one sweep": (Unlisted(SWEEP, "v2", ("a",), ()), report(DRIFT, cause=SWEEP), True),
    "two jobs that failed, whatever caused them": (
        JobFailed(SWEEP, None),
        JobFailed(EVENT, None),
        True,
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_are_collected_together_or_apart(name: str) -> None:
    one, other, together = TOGETHER[name]
    assert (incident(one) == incident(other)) is together


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
