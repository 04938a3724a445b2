"""What alerts leave in the history log."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Finding, FindingGroup, FindingKind
from ecr_warden.collect.alerts import LeftOver, Unlisted, WiringChanged
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.alert import Alert
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.notify.record import entries_of
from ecr_warden.repair.alerts import EndMoment, GrantsEnd, HarmfulCall, JobFailed, OwnChanged
from ecr_warden.state.history import HistoryKind
from ecr_warden.versions.alerts import SpecRefused
from local.testing.seed import CHECKOUT, HOME, NOW, PUSH_USER

MALLORY = Actor("IAMUser", arn=f"arn:aws:iam::{HOME}:user/mallory")
CALL = Cause(CauseKind.EVENT, "e1", action="iam:CreateAccessKey", actor=MALLORY)
IMAGES = Cause(CauseKind.EVENT, "e1", action="ecr:PutLifecyclePolicy", actor=MALLORY)
SWEEP = Cause(CauseKind.SWEEP, "s1")
FINDING = Finding(FindingKind.EXTRA, str(CHECKOUT), "push", "999999999999", foreign=True)
GROUP = FindingGroup(FINDING, ("push",), (str(CHECKOUT), HOME), NOW)
WIRE = Wire("rule ecr-warden-sweep", "the schedule", WireState.MISSING)

# name: the alert; the kinds, texts and targets of its entries
RECORDED: dict[str, tuple[Alert, list[tuple[HistoryKind, str, tuple[str, ...]]]]] = {
    "what an audit found and what ended": (
        AccessAudited(CALL, "v1", (GROUP,), (GROUP,)),
        [
            (HistoryKind.FINDING, "999999999999 can push", (str(CHECKOUT),)),
            (HistoryKind.FINDING_ENDED, "999999999999 can push", (str(CHECKOUT),)),
        ],
    ),
    "a wire that is off and one that is on again": (
        WiringChanged(CALL, "hub", (WIRE,), (WIRE,)),
        [(HistoryKind.WIRE_BROKEN, "the rule", ()), (HistoryKind.WIRE_RESTORED, "rule ecr-warden-sweep is", ())],
    ),
    "a changed part of ecr-warden's own": (
        OwnChanged(CALL, HOME, "role ecr-warden-read"),
        [(HistoryKind.OWN_PART, "ecr-warden's own role ecr-warden-read was changed", ())],
    ),
    "a key": (
        HarmfulCall(CALL, PUSH_USER),
        [(HistoryKind.CREDENTIAL, "access key of user/111111111111/push-user", (str(PUSH_USER),))],
    ),
    "how long images last": (
        HarmfulCall(IMAGES, CHECKOUT),
        [(HistoryKind.IMAGE_SETTING, "lifecycle policy of", (str(CHECKOUT),))],
    ),
    "a job that failed": (
        JobFailed(CALL, None, "not JSON"),
        [(HistoryKind.ANNOUNCED, "a job that cannot be read: nothing was done", ())],
    ),
    "an audit that failed": (
        AccessAudited(CALL, "v1", failure="it took too long"),
        [(HistoryKind.ANNOUNCED, "who has access could not be audited: it took too long", ())],
    ),
    "places that could not be listed": (
        Unlisted(SWEEP, "v1", ("repository/*: denied",), ("denied",)),
        [(HistoryKind.ANNOUNCED, "1 place cannot be listed", ())],
    ),
    "targets that a sweep left over": (
        LeftOver(SWEEP, "account/222222222222", 3),
        [(HistoryKind.ANNOUNCED, "3 targets that differ wait", ())],
    ),
    "a grant that ends": (
        GrantsEnd(SWEEP, EndMoment.DAY, "v1", ("a",)),
        [(HistoryKind.ANNOUNCED, "1 grant of the spec ends in a day", ())],
    ),
    "what the log has already": (SpecRefused(CALL, "v2", "v1", ("E1",)), []),
}


@pytest.mark.parametrize("name", RECORDED)
def test_an_alert_is_recorded(name: str) -> None:
    alert, expected = RECORDED[name]
    entries = [*entries_of(alert, NOW)]
    assert [(one.kind, one.targets) for one in entries] == [(kind, targets) for kind, _, targets in expected]
    assert all(one.text.startswith(text) for one, (_, text, _) in zip(entries, expected, strict=True))
    assert [one.since for one in entries] == [NOW if one.kind is HistoryKind.FINDING_ENDED else None for one in entries]
    assert len({one.id for one in entries}) == len({one.id for one in entries_of(alert, NOW)})


@pytest.mark.parametrize("alert", [HarmfulCall(CALL, PUSH_USER), OwnChanged(CALL, HOME, "role ecr-warden-read")])
def test_a_call_that_is_reported_twice_is_one_entry(alert: HarmfulCall | OwnChanged) -> None:
    dated = replace(alert, cause=replace(CALL, at=(NOW - timedelta(minutes=3)).isoformat()))
    assert [*entries_of(dated, NOW)] == [*entries_of(dated, NOW + timedelta(seconds=40))]
