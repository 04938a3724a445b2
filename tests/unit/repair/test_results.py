"""How a run ended, what of it is news, and what it owes."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta

import pytest

from ecr_warden.core.address import Address
from ecr_warden.core.desired import Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.observed import Absent, LiveValue, Observation, Observed
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Conflict, Debts, Failed, Outcome, RunReport, Skipped
from ecr_warden.core.sessions import Sessions
from ecr_warden.repair.diff import diff
from ecr_warden.repair.planner import Facts
from ecr_warden.repair.results import (
    fingerprint,
    is_news,
    is_retryable,
    planned_debts,
    remaining_debts,
    result_of,
    result_without_writes,
    times_contested,
)
from ecr_warden.state.own_runs import LONGEST_RUN
from local.testing.seed import (
    ANNA,
    CHECKOUT,
    CI,
    D1,
    D2,
    D3,
    D4,
    EVERYTHING,
    MALLORY,
    MORE_TRUST,
    NOW,
    PUSH_USER,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    desired,
    document,
    nothing,
    plan_for,
    reading,
    spec_of,
    unparseable,
    unreadable,
)

ROLE_SPEC, USER_SPEC, REPOSITORY_SPEC = spec_of(PUSHER), spec_of(PUSH_USER), spec_of(CHECKOUT)
OPEN = document(allow("ecr:*", who=MALLORY))
type Live = Mapping[Address, Observed | LiveValue]


def plan_of(
    spec: TargetSpec,
    live: Live | Observation,
    *,
    mode: Mode = Mode.ENFORCE,
    debts: Debts | None = None,
    in_sync: bool = True,
) -> Plan:
    observation = live if isinstance(live, Observation) else reading(spec, live)
    return plan_for(spec, observation, Facts(NOW, debts=debts), mode=mode, in_sync=in_sync)


def report_of(plan: Plan, result: Result, *outcomes: Outcome) -> RunReport:
    return RunReport("r1", Cause(CauseKind.SWEEP, "s"), Mode.ENFORCE, result, plan, outcomes, NOW, NOW)


def applied(plan: Plan) -> tuple[Outcome, ...]:
    return tuple(map(Applied, plan.changes))


WITHOUT_WRITES = {
    "nothing differs": (plan_of(ROLE_SPEC, {}), Result.IN_SYNC),
    "writes are stopped": (plan_of(ROLE_SPEC, {D2: MORE_TRUST}), Result.REPORTED),
    "observe mode": (plan_of(ROLE_SPEC, {D2: MORE_TRUST}, mode=Mode.OBSERVE), Result.REPORTED),
    "unreadable": (plan_of(REPOSITORY_SPEC, {D1: unreadable()}), Result.UNKNOWN),
    "partly unreadable": (plan_of(ROLE_SPEC, {D2: MORE_TRUST, D3: unreadable()}, mode=Mode.OBSERVE), Result.UNKNOWN),
    "waiting": (plan_of(USER_SPEC, {D4: Absent()}, in_sync=False), Result.WAITING),
    "a debt": (plan_of(ROLE_SPEC, {}, debts=Debts(Sessions(NOW))), Result.REPORTED),
}


@pytest.mark.parametrize(("plan", "result"), WITHOUT_WRITES.values(), ids=WITHOUT_WRITES)
def test_results_of_runs_without_writes(plan: Plan, result: Result) -> None:
    assert result_without_writes(plan) is result


def _ends(live: Live, after: Live, outcome: object = Applied, spec: TargetSpec = ROLE_SPEC, **more: object) -> Result:
    plan = plan_of(spec, live, **more)  # type: ignore[arg-type]
    seen = reading(spec, after)
    made = tuple(_outcome(outcome, change) for change in plan.changes)
    return result_of(plan, made, diff(spec, seen, now=NOW), seen)


def _outcome(kind: object, change: Change) -> Outcome:
    if kind is Skipped:
        return Skipped(change, "stopped")
    if kind is Failed:
        return Failed(change, "refused", "no", False)
    return Conflict(change) if kind is Conflict else Applied(change)


def test_the_result_of_a_run_that_wrote_follows_from_the_verifying_read() -> None:
    waits = {"in_sync": False}
    assert _ends({D3: EVERYTHING}, {}) is Result.CONVERGED
    assert _ends({D3: EVERYTHING}, {D3: EVERYTHING}) is Result.NOT_YET_VISIBLE
    assert _ends({D3: unparseable()}, {D3: unparseable()}) is Result.NOT_YET_VISIBLE
    assert _ends({D3: Absent()}, {D3: Absent()}) is Result.NOT_YET_VISIBLE
    assert _ends({D3: EVERYTHING}, {D3: document(allow("iam:*"))}) is Result.STILL_DRIFTED
    assert _ends({D3: EVERYTHING}, {D2: MORE_TRUST}) is Result.STILL_DRIFTED
    assert _ends({D3: EVERYTHING}, {D3: unreadable()}) is Result.UNKNOWN
    assert _ends({D3: EVERYTHING, D2: unreadable()}, {}) is Result.REPORTED
    assert _ends({D3: EVERYTHING}, {}, Conflict) is Result.CONFLICT
    assert _ends({D3: EVERYTHING}, {}, Failed) is Result.FAILED
    assert _ends({D3: EVERYTHING}, {}, Skipped) is Result.REPORTED
    assert _ends({D4: document(allow("iam:*"))}, {D4: Absent()}, spec=USER_SPEC, **waits) is Result.WAITING


def test_a_conflict_takes_precedence_over_a_failure() -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST, D3: EVERYTHING})
    outcomes = (Failed(plan.changes[0], "refused", "no", False), Conflict(plan.changes[1]))
    assert result_of(plan, outcomes, (), reading(ROLE_SPEC)) is Result.CONFLICT


@pytest.mark.parametrize("result", Result)
def test_only_some_results_are_retried(result: Result) -> None:
    report = report_of(plan_of(ROLE_SPEC, {}), result)
    hopeful = result in (Result.NOT_YET_VISIBLE, Result.STILL_DRIFTED, Result.CONFLICT)
    assert is_retryable(report, reading(ROLE_SPEC)) is hopeful


def test_failures_and_reads_say_whether_they_are_retryable() -> None:
    plan = plan_of(REPOSITORY_SPEC, {D1: OPEN})
    for retryable in (True, False):
        failed = report_of(plan, Result.FAILED, Failed(plan.changes[0], "c", "m", retryable))
        assert is_retryable(failed, reading(REPOSITORY_SPEC)) is retryable
        unknown = report_of(plan, Result.UNKNOWN)
        hidden = reading(REPOSITORY_SPEC, {D1: unreadable(retryable=retryable)})
        assert is_retryable(unknown, hidden) is retryable


def test_a_target_is_contested_where_repairs_are_overwritten_again_and_again() -> None:
    drifted = report_of(plan_of(ROLE_SPEC, {}), Result.STILL_DRIFTED)
    reports = drifted, replace(drifted, attempt=2), replace(drifted, result=Result.CONFLICT)
    assert [times_contested(report, observed=3) for report in reports] == [0, 2, 3]


TROUBLES: dict[str, RunReport] = {
    "open": report_of(plan_of(REPOSITORY_SPEC, {D1: OPEN}), Result.REPORTED),
    "open to another": report_of(plan_of(REPOSITORY_SPEC, {D1: document(allow("ecr:*", who="*"))}), Result.REPORTED),
    "open to one more, after the first difference": report_of(
        plan_of(REPOSITORY_SPEC, {D1: document(allow("ecr:*", who=MALLORY), allow("ecr:*", who="123456789012"))}),
        Result.REPORTED,
    ),
    "held": report_of(plan_of(REPOSITORY_SPEC, {D1: OPEN}, mode=Mode.OBSERVE), Result.REPORTED),
    "failed": report_of(
        (failing := plan_of(REPOSITORY_SPEC, {D1: OPEN})),
        Result.FAILED,
        Failed(failing.changes[0], "refused", "no", False),
    ),
    "failed with another error": report_of(
        failing, Result.FAILED, Failed(failing.changes[0], "quota-exceeded", "no", False)
    ),
    "unreadable": report_of(plan_of(REPOSITORY_SPEC, {D1: unreadable()}), Result.UNKNOWN),
    "not understood": report_of(plan_of(REPOSITORY_SPEC, {D1: unparseable()}), Result.REPORTED),
    "missing": report_of(plan_of(REPOSITORY_SPEC, {D1: Absent()}), Result.REPORTED),
}


def test_each_lasting_problem_has_its_own_fingerprint() -> None:
    assert len({fingerprint(report) for report in TROUBLES.values()} - {None}) == len(TROUBLES)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_problem_is_news_until_it_was_reported(name: str) -> None:
    report = TROUBLES[name]
    again = replace(report, run_id="r2", cause=Cause(CauseKind.EVENT, "e"), attempt=2)
    assert is_news(report, None)
    assert is_news(report, "another")
    assert not is_news(again, fingerprint(report))


def test_the_message_of_a_denied_read_is_not_news() -> None:
    first, second = (
        report_of(plan_of(REPOSITORY_SPEC, {D1: unreadable(request=request)}), Result.UNKNOWN) for request in "12"
    )
    assert first.plan.drifts != second.plan.drifts
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize("result", [Result.IN_SYNC, Result.WAITING, Result.CONVERGED])
def test_a_healthy_run_has_no_fingerprint_and_is_not_news(result: Result) -> None:
    report = report_of(plan_of(ROLE_SPEC, {}), result)
    assert fingerprint(report) is None
    assert not is_news(report, None)


def test_every_write_and_every_intruder_is_news() -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST})
    report = report_of(plan, Result.CONVERGED, *applied(plan))
    assert is_news(report, fingerprint(report))
    quiet = report_of(plan_of(ROLE_SPEC, {}), Result.IN_SYNC)
    assert is_news(replace(quiet, intruder=True), None)


# What a run leaves to do

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
CUTOFF_AT = NOW + 60 * SECOND
OWES, ENDED, CLEAR = Debts(Sessions(CUTOFF_AT)), Debts(Sessions(CUTOFF_AT), sessions_ended=True), Debts()
PUSHES = f"arn:aws:iam::{CI}:user/push-user"
RECREATED = Debts(recreated_principals=(PUSHES,))


def planned(plan: Plan, debts: Debts, now: datetime = NOW) -> Debts:
    return planned_debts(plan, Facts(now, last_look=None, debts=debts))


def owed_after(report: RunReport, debts: Debts) -> Debts:
    return remaining_debts(report, planned(report.plan, debts))


def test_only_a_write_that_may_have_succeeded_moves_the_cut_off() -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST})
    trust, cutoff = plan.changes
    late = CUTOFF_AT + HOUR
    for outcome, moved in (
        (Applied(trust), True),
        (Failed(trust, "timeout", "m", True), True),
        (Skipped(trust, "stopped"), False),
        (Conflict(trust), False),
    ):
        report = replace(report_of(plan, Result.FAILED, outcome, Skipped(cutoff, "m")), finished_at=late)
        assert owed_after(report, CLEAR) == Debts(Sessions(late if moved else CUTOFF_AT))
    other = plan_of(ROLE_SPEC, {D3: EVERYTHING})
    report = replace(report_of(other, Result.CONVERGED, *applied(other)), finished_at=late)
    assert owed_after(report, ENDED) == ENDED


def test_a_recreated_or_deleted_role_owes_nothing() -> None:
    gone = TargetSpec(PUSHER, Extent.WHOLE, {ROLE: MustNotExist()})
    recreated, deleted = plan_of(ROLE_SPEC, nothing(ROLE_SPEC)), plan_of(gone, {ROLE: SETTINGS})
    settled = plan_of(ROLE_SPEC, {ROLE: replace(SETTINGS, boundary=None)})
    for plan, owed in ((recreated, CLEAR), (deleted, CLEAR), (settled, ENDED)):
        assert owed_after(report_of(plan, Result.CONVERGED, *applied(plan)), ENDED) == owed


def test_a_run_that_died_wrote_nothing_once_its_lease_had_ended() -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST})
    report = replace(report_of(plan, Result.INTERRUPTED, *applied(plan)), finished_at=NOW + HOUR)
    assert owed_after(report, CLEAR) == Debts(Sessions(NOW + LONGEST_RUN))
    soon = replace(report, finished_at=NOW + 90 * SECOND)
    assert owed_after(soon, CLEAR) == Debts(Sessions(NOW + 90 * SECOND))


def test_a_recreated_principal_is_owed_until_the_documents_that_name_it_are_written() -> None:
    plan = plan_of(ROLE_SPEC, {D3: EVERYTHING}, debts=RECREATED)
    trust = next(change for change in plan.changes if change.address == D2)
    other = next(change for change in plan.changes if change.address == D3)
    refused = Failed(other, "refused", "no", False)
    assert remaining_debts(report_of(plan, Result.FAILED, Applied(trust), refused), RECREATED) == CLEAR
    assert remaining_debts(report_of(plan, Result.FAILED, Applied(other)), RECREATED) == RECREATED
    interrupted = report_of(plan, Result.INTERRUPTED, Applied(trust), Applied(other))
    assert remaining_debts(interrupted, RECREATED) == RECREATED


def test_a_repaired_document_names_the_recreated_principal_again() -> None:
    owed = Debts(recreated_principals=(ANNA,))
    plan = plan_of(REPOSITORY_SPEC, {D1: OPEN}, debts=owed)
    assert remaining_debts(report_of(plan, Result.CONVERGED, *applied(plan)), owed) == CLEAR
    assert desired(D1)
