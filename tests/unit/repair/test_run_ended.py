"""A run in words, as it is announced: which sentences, from whose position, and in which order."""

from copy import replace
from typing import NamedTuple

import pytest

from ecr_warden.core.address import repository_policy, role
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.plan import Held
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, RunReport
from ecr_warden.repair.alerts import OutcomeKind
from ecr_warden.repair.run_ended import run_ended, sides_of
from iam_access.delta.delta import AccessDelta, PermissionDelta
from iam_access.document.document import Effect
from tests.unit.notify.reports import (
    ATTACHED,
    HOME,
    OUTSIDER,
    REPOSITORY,
    ROLE,
    SPEC,
    UNREADABLE,
    change,
    pulls,
    push_drift,
    repository_drift,
    run_report,
    trust_drift,
    trusts,
)
from tests.unit.notify.reports import allows as allowing

EVE = f"arn:aws:iam::{OUTSIDER}:user/eve"
OPEN = repository_drift(pulls("arn:aws:iam::111111111111:user/pull-user-1", EVE))
assert OPEN.change is not None
ASSUMED = replace(OPEN, access=replace(OPEN.change, assumed=True))
DENIED = replace(UNREADABLE, explain="ecr:GetRepositoryPolicy is denied; allow it to ecr-warden-read")
LACKS_PUSH = push_drift(allowing("ecr:DescribeImages"))
COULD = f"{EVE} could pull from shop/checkout (ecr:BatchGetImage and 1 more) for 2 s"
CAN = f"{EVE} can pull from shop/checkout (ecr:BatchGetImage and 1 more), and the spec does not allow it"
LOSES = f"{EVE} will lose pull from shop/checkout (ecr:BatchGetImage and 1 more)"
LOST = f"{EVE} lost pull from shop/checkout (ecr:BatchGetImage and 1 more)"


class Row(NamedTuple):
    report: RunReport
    access: tuple[str, ...]


SAYS: dict[str, Row] = {
    "what was repaired is over": Row(run_report(OPEN), (COULD,)),
    "what is back at once is not": Row(run_report(OPEN, result=Result.STILL_DRIFTED), (CAN,)),
    "what was left is not": Row(run_report(OPEN, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE), (CAN,)),
    "a roll-out took it": Row(run_report(OPEN, cause=SPEC), (LOST,)),
    "a roll-out that waits will take it": Row(
        run_report(OPEN, cause=SPEC, result=Result.WAITING, held=HoldReason.PACED), (LOSES,)
    ),
    "what could not be read says what to do": Row(
        run_report(DENIED, result=Result.UNKNOWN, held=HoldReason.UNREADABLE), ("allow it to ecr-warden-read",)
    ),
    "what was compared in part says so": Row(
        run_report(ASSUMED), (COULD, "too complex to compare exactly: every statement that differs is listed")
    ),
    "what an identity's policy lacks another one may allow": Row(
        run_report(LACKS_PUSH, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE),
        (
            f"role/{HOME}/ecr-pusher can act on anything (ecr:DescribeImages), and the spec does not allow it",
            f"role/{HOME}/ecr-pusher cannot push to anything (ecr:PutImage) by this policy, and the spec allows it",
        ),
    ),
    "and so it was, once that is repaired": Row(
        run_report(LACKS_PUSH),
        (
            f"role/{HOME}/ecr-pusher could act on anything (ecr:DescribeImages) for 2 s",
            f"role/{HOME}/ecr-pusher could not push to anything (ecr:PutImage) by this policy for 2 s",
        ),
    ),
    "what a repository's policy lacks other accounts have not": Row(
        run_report(repository_drift(None), result=Result.REPORTED, held=HoldReason.OBSERVE_MODE),
        (
            "arn:aws:iam::111111111111:user/pull-user-1 cannot pull from shop/checkout (ecr:BatchGetImage and 1 more), "
            "and the spec allows it",
        ),
    ),
    "what a version gives and a run left is not given": Row(
        replace(
            run_report(repository_drift(None), result=Result.REPORTED, held=HoldReason.OBSERVE_MODE), of_version=True
        ),
        (
            "arn:aws:iam::111111111111:user/pull-user-1 cannot pull from shop/checkout (ecr:BatchGetImage and 1 more), "
            "and the spec allows it",
        ),
    ),
    "of what has no known access nothing is said": Row(run_report(ATTACHED), ()),
}


@pytest.mark.parametrize("name", SAYS)
def test_a_difference_is_said_as_it_is_for_whoever_reads_it(name: str) -> None:
    [difference] = run_ended(SAYS[name].report).differences
    assert difference.access == SAYS[name].access


@pytest.mark.parametrize(("drift", "is_whole"), [(repository_drift(None), True), (OPEN, False)], ids=["gives", "takes"])
def test_what_somebody_opened_beside_what_a_version_gives_is_not_the_version_s(drift: Drift, is_whole: bool) -> None:
    assert run_ended(replace(run_report(drift), of_version=True)).of_version is is_whole


def test_what_lets_in_outsiders_comes_first_then_what_opens_the_target() -> None:
    narrowed, opened = repository_drift(None), push_drift(allowing("ecr:PutImage", "iam:PutRolePolicy"))
    outside = trust_drift(trusts(EVE))
    found = run_ended(run_report(narrowed, opened, outside)).differences
    assert [one.address for one in found] == [outside.address, opened.address, narrowed.address]


def test_of_a_document_that_was_narrowed_alone_what_it_lacks_is_not_over() -> None:
    both = repository_drift(pulls(EVE))
    held = Held(both, HoldReason.REFUSED, "AWS does not know it yet")
    report = run_report(both, result=Result.WAITING)
    ended = run_ended(replace(report, plan=replace(report.plan, held=(held,))))
    [gave, lacks] = ended.differences[0].access
    assert gave == COULD
    assert lacks.endswith(", and the spec allows it")
    assert [one.outcome for one in ended.changes] == [OutcomeKind.NARROWED]


def test_a_document_of_unknown_access_that_was_narrowed_alone_is_announced() -> None:
    unknown = Drift(repository_policy(REPOSITORY), DriftKind.UNPARSEABLE, "it is not JSON")
    held = Held(unknown, HoldReason.REFUSED, "AWS does not know it yet")
    report = run_report(unknown, result=Result.WAITING, outcomes=(Applied(change(unknown)),))
    [difference] = run_ended(replace(report, plan=replace(report.plan, held=(held,)))).differences
    assert (difference.access, difference.left_out) == ((), 0)


MISSING_ROLE = Drift(role(ROLE), DriftKind.MISSING, "it does not exist")
EFFECTS = {
    "a push role that somebody deleted let nobody push": (
        run_report(MISSING_ROLE),
        "nobody could push to shop/checkout: its role did not exist",
    ),
    "one that the spec has now created has kept nobody from it": (run_report(MISSING_ROLE, cause=SPEC), ""),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_title_says_what_nobody_could_do(name: str) -> None:
    report, effect = EFFECTS[name]
    assert run_ended(report).effect.replace(f"role/{HOME}/", "registry:role/") == effect


def test_a_fight_over_what_cannot_be_compared_has_one_side() -> None:
    assert [len(sides_of(drift, ())) for drift in (OPEN, ATTACHED)] == [2, 1]


def test_what_cannot_be_worded_is_announced_without_its_effect() -> None:
    """No text in an account may end a run between its writes and its report."""
    unheard_of = PermissionDelta(Effect.ALLOW, None, 7, "*")  # type: ignore[arg-type]
    ended = run_ended(run_report(replace(OPEN, access=AccessDelta((unheard_of,)))))
    assert (ended.effect, ended.more_effects, ended.differences[0].left_out) == ("", 0, 1)
