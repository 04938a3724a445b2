"""The first line of `status`: what is wrong with the whole, the worst first."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.finding import (
    Certainty,
    Condition,
    ConditionStatus,
    Finding,
    FindingGroup,
    FindingKind,
    RepositoryHealth,
)
from ecr_warden.core.desired import Mode
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.hub.reply import AccessStatus, RepositoryStatus, StatusReply, Trouble
from ecr_warden.state.target_status import TargetStatus
from ecr_warden_cli.hub.headline import headline
from local.testing.seed import CHECKOUT, CI, HOME, NOW

FINE = TargetStatus(str(CHECKOUT), LastSeen(NOW, "", Result.IN_SYNC), None, None, False)
DIFFERS = replace(FINE, target=f"user/{CI}/a", trouble=True)
UNREAD = replace(FINE, target=f"user/{CI}/b", last=LastSeen(NOW, "", Result.UNKNOWN))
PENDING = replace(FINE, target=f"user/{CI}/c", last=None)
OUTSIDER = Finding(FindingKind.EXTRA, str(CHECKOUT), "push", "999999999999", ("999999999999",), foreign=True)
SHADOW = Finding(FindingKind.EXTRA, str(CHECKOUT), "push", f"arn:aws:iam::{HOME}:role/shadow")
LOCKED = Finding(FindingKind.MISSING, str(CHECKOUT), "pull", f"arn:aws:iam::{CI}:user/anna")
STOPPED, HELD = Trouble("writes-stopped", "by the switch"), Trouble("held", "version v2 waits")
TRUE = Condition(ConditionStatus.TRUE, "Audited", "", NOW - timedelta(hours=1))


def reply(*targets: TargetStatus, found: tuple[Finding, ...] = (), troubles: tuple[Trouble, ...] = ()) -> StatusReply:
    groups = tuple(FindingGroup(one, (one.access,), (one.place,), NOW) for one in found)
    return StatusReply("v1", Mode.ENFORCE, None, targets or (FINE,), (), troubles, access=AccessStatus(NOW, groups))


def unproved() -> StatusReply:
    health = RepositoryHealth(TRUE, replace(TRUE, status=ConditionStatus.UNKNOWN), TRUE)
    return replace(reply(), repositories=(RepositoryStatus(str(CHECKOUT), health),))


CASES = {
    "an outsider comes before a hub that is stopped, and that before one of ours": (
        reply(found=(SHADOW, OUTSIDER), troubles=(HELD, STOPPED)),
        "999999999999 can push shop/checkout now; nothing is repaired, for writes are stopped; "
        f"arn:aws:iam::{HOME}:role/shadow can push shop/checkout now; and 1 more thing below",
    ),
    "a push comes before a pull, and a certain finding before one under conditions": (
        reply(
            found=(
                replace(OUTSIDER, access="pull"),
                replace(OUTSIDER, certainty=Certainty.CONDITIONAL, principal="888888888888"),
                OUTSIDER,
            )
        ),
        "999999999999 can push shop/checkout now (2 more findings)",
    ),
    "what may be is not said to be now": (
        reply(found=(replace(OUTSIDER, certainty=Certainty.CONDITIONAL),)),
        "999999999999 can under conditions push shop/checkout",
    ),
    "what could not be read comes before what differs, and that before what is missing": (
        reply(FINE, DIFFERS, UNREAD, found=(LOCKED,)),
        "1 of 3 targets could not be read; 1 of 3 targets differs from the spec; "
        f"arn:aws:iam::{CI}:user/anna cannot pull shop/checkout, and the spec gives it",
    ),
    "what waits comes before what is not compared yet": (
        reply(PENDING, troubles=(HELD,)),
        "something waits for a person; 1 target was not compared yet",
    ),
    "a trouble without words of its own says its message": (
        reply(troubles=(Trouble("new-trouble", "something new is wrong"),)),
        "something new is wrong",
    ),
    "access that nobody audited is unknown": (unproved(), "it is not known who else has access"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_worst_comes_first(name: str) -> None:
    given, said = CASES[name]
    assert headline(given) == (said, False)


def test_only_if_nothing_is_wrong_all_is_well() -> None:
    fine = "is as the spec says, and nobody else has access, by the policies that could be read"
    assert headline(reply()) == (f"the target {fine}", True)
    assert headline(replace(reply(), mode=Mode.OBSERVE)) == (f"the target {fine}; the spec says mode: observe", True)
    administered = replace(reply(), access=AccessStatus(administrators={CI: ("user ann",)}))
    assert headline(administered) == (f"the target {fine.replace(' access', ' access but administrators')}", True)
