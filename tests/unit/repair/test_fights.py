"""What histories of repairs of a document mean: narrowed again, a fight, giving back in pace."""

import json
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ecr_warden.core.address import Address, identity_policy
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.desired import Mode, TargetSpec
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.observed import Absent, LiveValue, Observed
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, RunReport
from ecr_warden.repair.fights import is_narrowed_again, is_of_fights, is_quiet, news, paced, recent, remembered
from ecr_warden.repair.planner import Facts
from ecr_warden.state.fight import Fight, Repairs, fights, repairs_to_json
from iam_access.document.document import Document
from local.testing.seed import (
    ANNA,
    CI,
    CUTOFF,
    D1,
    D2,
    D3,
    EVERYTHING,
    MORE_TRUST,
    NOW,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    desired,
    document,
    plan_for,
    reading,
    spec_of,
    unparseable,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TERRAFORM = Actor("AssumedRole", issuer=f"arn:aws:iam::{CI}:role/ci", session_name="ci", user_agent="APN/1.0 HashiCorp")
MORE = document(*json.loads(desired(D1).text)["Statement"], allow("ecr:ListImages", who=ANNA))
PULUMI = replace(TERRAFORM, issuer=f"arn:aws:iam::{CI}:role/pulumi", user_agent="pulumi")
MALLORY = Actor("IAMUser", arn=f"arn:aws:iam::{CI}:user/mallory")
OTHER = document(allow("ecr:DescribeImages", who=ANNA))
LESS = document(allow("ecr:BatchGetImage", who=ANNA))
LONG = replace(SETTINGS, max_session_duration=7200)
EXTRA = identity_policy(PUSHER, "ecr-warden-x")

type Live = Mapping[Address, Observed | LiveValue]


def ran(
    at: timedelta,
    live: Live,
    *,
    actor: Actor | None = TERRAFORM,
    action: str = "ecr:SetRepositoryPolicy",
    kind: CauseKind = CauseKind.EVENT,
    result: Result = Result.CONVERGED,
    called: timedelta | None = None,
    known: Sequence[Repairs] = (),
) -> RunReport:
    """A run that found `live` and wrote all that it planned."""
    target = next(iter(live)).target
    spec: TargetSpec = spec_of(target)
    time = (NOW + (at if called is None else called)).isoformat()
    cause = Cause(kind, f"c{at}", action, time, actor=actor if kind is CauseKind.EVENT else None)
    plan = plan_for(spec, reading(spec, live), Facts(NOW + at, paced=paced(known, cause, NOW + at)))
    outcomes = tuple(map(Applied, plan.changes))
    return RunReport(f"r{at.total_seconds():.0f}", cause, Mode.ENFORCE, result, plan, outcomes, NOW + at, NOW + at)


def history(*reports: RunReport) -> tuple[Repairs, ...]:
    known: tuple[Repairs, ...] = ()
    for report in reports:
        known = recent(remembered(known, report), (), report.finished_at)
    return known


def opened(*seconds: float, live: Document = MORE, **more: object) -> list[RunReport]:
    return [ran(timedelta(seconds=second), {D1: live}, **more) for second in seconds]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Case:
    """Runs, and what is known after the last of them: narrowed again, and the number of repairs in each fight."""

    runs: Sequence[RunReport]
    again: bool
    fights: tuple[int, ...] = ()
    writers: tuple[Actor | None, ...] = field(default=(TERRAFORM,))


CASES = {
    "once": Case(opened(0), False),
    "twice within a minute": Case(opened(0, 5), False),
    "the third within a minute": Case(opened(0, 5, 59), True, (3,)),
    "the third 61 s after the first": Case(opened(0, 5, 61), False, (3,)),
    "61 s apart each": Case(opened(0, 61, 122), False, (3,)),
    "the third and the fourth": Case(opened(0, 5, 10, 15), True, (4,)),
    "different versions": Case(
        [*opened(0), *opened(5, live=OTHER), *opened(10, live=document(allow("ecr:*", who=ANNA)))],
        True,
    ),
    "two versions in turn are two fights": Case(
        [run for second in (0, 10, 20) for run in (*opened(second), *opened(second + 5, live=OTHER))],
        True,
        (3, 3),
        (TERRAFORM, TERRAFORM),
    ),
    "two documents": Case(
        [ran(SECOND * n, {(D2, D3, EXTRA)[n]: (MORE_TRUST, EVERYTHING, EVERYTHING)[n]}) for n in range(3)], False
    ),
    "two documents in one run each": Case(
        [ran(SECOND * n, {D3: EVERYTHING, EXTRA: EVERYTHING}, action="iam:PutRolePolicy") for n in range(3)],
        True,
        (3, 3),
        (TERRAFORM, TERRAFORM),
    ),
    "three times, 29 min 59 s apart": Case(opened(0, 1799, 3598), False, (3,)),
    "three times, once 30 min apart": Case(opened(0, 900, 2700), False),
    "three times within a minute by three writers": Case(
        [run for second, who in ((0, TERRAFORM), (1, MALLORY), (2, PULUMI)) for run in opened(second, actor=who)], True
    ),
    "three times by one of two writers": Case(
        [run for second, who in enumerate([TERRAFORM, MALLORY] * 2 + [TERRAFORM]) for run in opened(second, actor=who)],
        True,
        (3,),
    ),
    "each time in another session": Case(
        [run for n in range(3) for run in opened(n, actor=replace(TERRAFORM, session_name=f"ci-{n}"))],
        True,
        (3,),
        (replace(TERRAFORM, session_name="ci-2"),),
    ),
    "access removed twice, then opened": Case([*opened(0, 5, live=LESS), *opened(10)], False),
    "access removed three times": Case(opened(0, 5, 10, live=LESS), False, (3,)),
    "a document deleted three times": Case(
        [ran(SECOND * n, {D1: Absent()}, action="ecr:DeleteRepositoryPolicy") for n in range(3)], False, (3,)
    ),
    "a policy added three times": Case(
        [ran(SECOND * n, {EXTRA: EVERYTHING}, action="iam:PutRolePolicy") for n in range(3)], True, (3,)
    ),
    "another document after a policy that was added three times": Case(
        [ran(SECOND * n, {EXTRA if n < 3 else D3: EVERYTHING}, action="iam:PutRolePolicy") for n in range(4)],
        False,
        (3,),
    ),
    "one that cannot be parsed": Case([ran(SECOND * n, {D1: unparseable()}) for n in range(3)], True, (3,)),
    "settings of a role": Case(
        [
            ran(SECOND * n, {ROLE: replace(SETTINGS, max_session_duration=7200)}, action="iam:UpdateRole")
            for n in range(3)
        ],
        True,
        (3,),
    ),
    "found by sweeps: the writer is unknown": Case(
        [ran(MINUTE * n, {D1: MORE}, kind=CauseKind.SWEEP) for n in (0, 14, 29)], False, (3,), (None,)
    ),
    "a sweep after two events: the writer is known": Case(
        [*opened(0, 60), ran(MINUTE * 14, {D1: MORE}, kind=CauseKind.SWEEP)], False, (3,)
    ),
    "an event of a call that wrote nothing of it names nobody": Case(
        [ran(SECOND * n, {D1: MORE}, action="ecr:PutImageTagMutability") for n in range(3)], True, (3,), (None,)
    ),
    "new versions of the spec": Case(
        [replace(run, cause=Cause(CauseKind.SPEC, "v2")) for run in opened(0, 5, 10)], False
    ),
    "follow-ups of a new version of the spec": Case(
        [replace(run, cause=Cause(CauseKind.RUN, "r0", root="spec/v2")) for run in opened(0, 5, 10)], False
    ),
    "a clock that jumped back by an hour": Case(opened(3600, 3605, 10), False),
    "a clock that jumped back by 2 s": Case(opened(10, 8, 9), True, (3,)),
    "AWS still shows what was replaced": Case(
        [*opened(0, 5, 10, 15, 20, result=Result.NOT_YET_VISIBLE, called=-5 * SECOND)], False
    ),
    "restored so soon that no repair was ever seen": Case(opened(0, 5, 10, result=Result.NOT_YET_VISIBLE), True, (3,)),
    "nothing written": Case([replace(run, outcomes=()) for run in opened(0, 5, 10)], False),
}


@pytest.mark.parametrize("case", CASES.values(), ids=[*CASES])
def test_history(case: Case) -> None:
    known = history(*case.runs)
    assert is_narrowed_again(known, case.runs[-1]) is case.again
    found = fights(known)
    assert tuple(sorted(fight.repairs for fight in found)) == case.fights
    assert tuple(fight.writer for fight in found) == case.writers[: len(case.fights)]


def test_a_cut_off_is_no_repair_of_its_own() -> None:
    known = history(*(ran(SECOND * n, {D2: MORE_TRUST}, action="iam:UpdateAssumeRolePolicy") for n in range(3)))
    assert [one.address for one in known] == [D2]
    assert CUTOFF not in {one.address for one in known}


def test_a_fight_is_news_when_it_begins_and_when_it_ends() -> None:
    known: tuple[Repairs, ...] = ()
    began: list[tuple[int, int]] = []
    for minute in range(0, 200, 5):
        after = remembered(known, ran(MINUTE * minute, {D1: MORE}))
        found = news(known, after)
        began += [(minute, fight.repairs) for fight in found.began]
        assert not found.ended
        known = after
    assert began == [(10, 3)]
    last = NOW + MINUTE * 195
    assert not is_quiet(known, last + MINUTE * 30 - SECOND)
    assert recent(known, (), last + MINUTE * 30 - SECOND) == known
    assert is_quiet(known, last + MINUTE * 30)
    assert recent(known, {D1}, last + MINUTE * 30) == known, "what nobody repairs is not over"
    assert recent(known, (), last + MINUTE * 30) == ()
    [ended] = news(known, ()).ended
    assert ended.repairs == 40


def test_a_version_that_comes_back_after_the_end_begins_anew() -> None:
    known = history(*opened(0, 5, 10))
    ended = remembered(known, ran(MINUTE * 31, {D1: MORE}))
    assert len(news(known, ended).ended) == 1
    assert fights(ended) == ()


def test_only_repairs_of_the_version_that_is_restored_are_of_the_fight() -> None:
    known = history(*opened(0, 5, 10))
    for live, expected in (
        ({D1: MORE}, True),
        ({D1: OTHER}, False),
        ({D1: LESS}, False),
        ({D1: unparseable()}, False),
    ):
        report = ran(SECOND * 20, live)
        assert is_of_fights(known, remembered(known, report), report) is expected
    both = history(*(ran(SECOND * n, {EXTRA: EVERYTHING}) for n in range(3)))
    report = ran(SECOND * 20, {EXTRA: EVERYTHING, D3: EVERYTHING})
    assert not is_of_fights(both, remembered(both, report), report), "another document was repaired too"


def test_in_a_fight_access_is_given_back_ever_later_and_taken_away_each_time() -> None:
    known = history(*opened(0, 5, 10, live=OTHER))
    held = ran(SECOND * 20, {D1: OTHER}, known=known)
    assert [hold.reason for hold in held.plan.held] == [HoldReason.PACED]
    assert [change.access.gained for change in held.plan.changes if change.access] == [()]
    missing = ran(SECOND * 30, {D1: Absent()}, known=remembered(known, held))
    assert (len(missing.plan.held), missing.plan.changes) == (1, ())
    late = ran(SECOND * 70, {D1: OTHER}, known=known)
    assert (late.plan.held, len(late.plan.changes)) == ((), 1)


@pytest.mark.parametrize(("repairs", "minutes"), [(3, 1), (4, 2), (11, 9), (12, 10), (13, 10), (2000, 10)])
def test_the_wait_grows_with_the_repairs_of_the_fight_up_to_ten_minutes(repairs: int, minutes: int) -> None:
    known = history(*opened(0, 5, 10, live=OTHER))
    known = tuple(
        replace(one, versions=tuple(replace(version, repairs=repairs) for version in one.versions)) for one in known
    )
    end = SECOND * 10 + MINUTE * minutes
    assert [len(ran(at, {D1: OTHER}, known=known).plan.held) for at in (end - SECOND, end)] == [1, 0]


FOUND: dict[str, tuple[Document | Absent, Actor | None, bool]] = {
    "the version again": (OTHER, TERRAFORM, True),
    "the version again, by a call that no event names": (OTHER, None, True),
    "the version again, in another session": (OTHER, replace(TERRAFORM, session_name="x"), True),
    "what a run left of it": (Absent(), TERRAFORM, True),
    "what a run left of it, shown by the event of that run": (Absent(), None, True),
    "the version, by another writer": (OTHER, MALLORY, False),
    "what a run left of it, by another writer": (Absent(), MALLORY, False),
    "another version": (LESS, TERRAFORM, False),
    "another version by another writer": (LESS, MALLORY, False),
    "another version by nobody known": (LESS, None, False),
}


@pytest.mark.parametrize("name", FOUND)
def test_giving_back_waits_only_after_the_same_version_of_the_same_writer(name: str) -> None:
    live, actor, waits = FOUND[name]
    known = history(*opened(0, 5, 10, live=OTHER))
    known = remembered(known, ran(SECOND * 20, {D1: OTHER}, known=known))
    assert [one.left for one in known] == [""], "both versions have nothing in common"
    report = ran(SECOND * 30, {D1: live}, actor=actor, known=known)
    assert bool(report.plan.held) is waits
    assert is_of_fights(known, remembered(known, report), report) is (waits and live == OTHER)


@pytest.mark.parametrize("live", [MORE, unparseable()], ids=["what is only too much", "what nobody understands"])
def test_what_may_be_too_much_is_never_held(live: Observed | LiveValue) -> None:
    known = history(*(ran(SECOND * n, {D1: live}) for n in range(3)))
    report = ran(SECOND * 20, {D1: live}, known=replaced_given_back(known))
    assert (report.plan.held, len(report.plan.changes)) == ((), 1)


def replaced_given_back(known: Sequence[Repairs]) -> tuple[Repairs, ...]:
    """As if access had been given back just now."""
    return tuple(replace(one, given_back_at=NOW + SECOND * 19) for one in known)


@pytest.mark.parametrize(
    ("cause", "waits"),
    [
        (Cause(CauseKind.CALLER, "c"), False),
        (Cause(CauseKind.RUN, "r", root="caller/c"), False),
        (Cause(CauseKind.SPEC, "v2"), False),
        (Cause(CauseKind.PAUSE, "p"), False),
        (Cause(CauseKind.RUN, "r", root="event/e"), True),
        (Cause(CauseKind.EVENT, "e"), True),
        (Cause(CauseKind.SWEEP, "s"), False),
        (Cause(CauseKind.RUN, "r", root="sweep/s"), False),
    ],
    ids=lambda one: one.incident if isinstance(one, Cause) else "waits" if one else "at once",
)
def test_only_what_an_event_brings_waits(cause: Cause, waits: bool) -> None:
    known = history(*opened(0, 5, 10, live=OTHER))
    assert bool(paced(known, cause, NOW + SECOND * 11)) is waits


def test_without_a_fight_nothing_is_paced() -> None:
    assert ran(SECOND * 6, {D1: LESS}, known=history(*opened(0, 5, live=LESS))).plan.held == ()


def test_a_sibling_document_is_given_back_at_once() -> None:
    known = history(*(ran(SECOND * n, {D3: document(allow("ecr:GetImage"))}) for n in range(3)))
    report = ran(
        SECOND * 20, {D3: document(allow("ecr:GetImage")), D2: document(allow("sts:TagSession", who=ANNA))}, known=known
    )
    assert [hold.drift.address for hold in report.plan.held] == [D3]
    assert any(change.address == D2 and change.after == desired(D2) for change in report.plan.changes)


def test_giving_back_the_rest_is_of_the_fight_and_no_version_of_others() -> None:
    known = history(*opened(0, 5, 10, live=OTHER))
    known = remembered(known, ran(SECOND * 20, {D1: OTHER}, known=known))
    [left] = [one.left for one in known]
    assert left == "", "both versions have nothing in common"
    rest = ran(MINUTE * 11, {D1: Absent()}, kind=CauseKind.SWEEP, known=known)
    after = remembered(known, rest)
    assert is_of_fights(known, after, rest)
    assert [fight.repairs for fight in fights(after)] == [4]


def test_a_fight_says_who_and_since_when() -> None:
    assert fights(history(*opened(0, 5, 10, live=OTHER))) == (Fight(D1, NOW, NOW + SECOND * 10, 3, TERRAFORM),)
    assert fights(history(*opened(0, 5))) == ()


def test_what_is_remembered_stays_small_and_fights_stay_in_it() -> None:
    """Whoever writes many documents and many versions must not have a fight forgotten."""
    long = Actor("AssumedRole", *["x" * 512] * 8)
    known = history(*(ran(SECOND * n, {EXTRA: EVERYTHING}, action="iam:PutRolePolicy") for n in range(3)))
    for number in range(40):
        names = [identity_policy(PUSHER, f"ecr-warden-{number}-{other}") for other in range(3)]
        versions = {name: document(allow(f"ecr:Act{number}")) for name in (*names, EXTRA)}
        known = remembered(known, ran(SECOND * (10 + number), versions, actor=long, action="iam:PutRolePolicy"))
    assert len(known) <= 8
    assert all(len(one.versions) <= 3 and len(one.narrowed) <= 3 for one in known)
    assert [one.address for one in known if one.is_fought_over] == [EXTRA]
    assert len(dumps(repairs_to_json(known))) < 120_000


def test_what_is_long_ago_is_forgotten() -> None:
    known = history(*opened(0), ran(MINUTE * 31, {D2: MORE_TRUST}))
    assert [one.address for one in known] == [D2]
