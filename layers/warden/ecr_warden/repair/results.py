"""How a run ended: its result, whether its target is contested, what is new, and what the next run still has to do.

From the plan, the outcomes of its writes, and the last reading.
"""

import hashlib
import json
from collections.abc import Sequence
from copy import replace

from ecr_warden.core.address import Address, AddressKind, trust_policy
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import PrincipalNotFound, QuotaExceeded, Refused
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.observed import Absent, Observation, Present, Unparseable, Unreadable
from ecr_warden.core.plan import Change, Held, NewRole, Plan
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Conflict, Debts, Failed, Outcome, RunReport, Skipped
from ecr_warden.core.sessions import Sessions, whole_second
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.cutoff import LastLook, denied_sessions, owed_sessions, takes_living_right
from ecr_warden.repair.ordering import loses, removing_access
from ecr_warden.repair.planner import Facts
from ecr_warden.state.own_runs import LONGEST_RUN
from iam_access.delta.delta import PermissionDelta
from iam_access.document.document import Document

_REFUSALS = frozenset({PrincipalNotFound.code, QuotaExceeded.code, Refused.code})
_RETRYABLE = frozenset({Result.NOT_YET_VISIBLE, Result.STILL_DRIFTED, Result.CONFLICT})


def result_without_writes(plan: Plan) -> Result:
    """The result of a run that wrote nothing: there is no drift, or nothing may be written."""
    if plan.is_empty:
        return Result.IN_SYNC
    if any(drift.kind is DriftKind.UNREADABLE for drift in plan.drifts):
        return Result.UNKNOWN
    return Result.REPORTED if plan.changes else _of_held(plan.held)


def _of_held(held: Sequence[Held]) -> Result:
    """The result if only held changes are left."""
    reasons = {hold.reason for hold in held}
    if reasons - {HoldReason.ROLE_NOT_IN_SYNC, HoldReason.PACED, HoldReason.SETTLING}:
        return Result.REPORTED
    return Result.NOT_YET_VISIBLE if HoldReason.SETTLING in reasons else Result.WAITING


def made_role(report: RunReport) -> bool:
    """Whether the run itself created the role, so that its unique ID is new and nobody else's."""
    return any(isinstance(change.after, NewRole) for change in report.applied)


def result_of(plan: Plan, outcomes: Sequence[Outcome], remaining: Sequence[Drift], after: Observation) -> Result:
    """The result of a run that tried its changes; `remaining` is the drift in `after`, the verifying read."""
    if any(isinstance(outcome, Conflict) for outcome in outcomes):
        return Result.CONFLICT
    if any(isinstance(outcome, Failed) for outcome in outcomes):
        return Result.FAILED
    if any(isinstance(outcome, Skipped) for outcome in outcomes):
        return Result.REPORTED
    if any(drift.kind is DriftKind.UNREADABLE for drift in remaining):
        return Result.UNKNOWN
    held = {hold.drift.address for hold in plan.held}
    left = [drift for drift in remaining if drift.address not in held]
    if left:
        old = {change.address: change.expect for change in plan.changes}
        lags = all(
            drift.kind is DriftKind.SETTLING or (drift.address in old and old[drift.address] == _digest(drift, after))
            for drift in left
        )
        return Result.NOT_YET_VISIBLE if lags else Result.STILL_DRIFTED
    return _of_held(plan.held) if plan.held else Result.CONVERGED


def _digest(drift: Drift, observation: Observation) -> str | None:
    match observation.documents.get(drift.address, Absent()):
        case Present(digest=digest) | Unparseable(digest=digest):
            return digest
        case _:
            return None


def is_retryable(report: RunReport, observation: Observation) -> bool:
    """Whether the same job may succeed within a minute."""
    return (
        report.result in _RETRYABLE
        or any(hold.reason is HoldReason.REFUSED for hold in report.plan.held)
        or any(isinstance(outcome, Failed) and outcome.retryable for outcome in report.outcomes)
        or any(isinstance(observed, Unreadable) and observed.retryable for observed in observation.documents.values())
    )


def leaves_surplus(report: RunReport) -> bool:
    """Whether access that the run meant to take away may still be there, because somebody else writes meanwhile.

    What AWS shows of a write that is not visible yet may also be what somebody has restored.
    """
    return report.result in _RETRYABLE and any(map(loses, report.plan.changes))


def refused_documents(report: RunReport) -> Sequence[Address]:
    """Addresses where AWS refused a document, and access can be removed nevertheless."""
    refused = [
        outcome.change
        for outcome in report.outcomes
        if isinstance(outcome, Failed) and outcome.code in _REFUSALS and isinstance(outcome.change.after, Document)
    ]
    return [change.address for change in refused if removing_access(change, 1) is not None]


def is_news(report: RunReport, reported: str | None) -> bool:
    """Whether to report the run: every write, every intruder, each lasting problem once, and its end."""
    if report.applied or report.intruder or (reported is not None and report.result is Result.IN_SYNC):
        return True
    # What is not visible yet was reported when it was written.
    quiet = report.result in (Result.IN_SYNC, Result.NOT_YET_VISIBLE) or _only_waits(report)
    return not quiet and fingerprint(report) != reported


def times_contested(report: RunReport, *, observed: int) -> int:
    """How often others wrote to the target while the job tried, if it gives up over that; else 0.

    `observed`: how often a run reads its target again after a conflict.
    """
    if report.result is Result.CONFLICT:
        return observed
    # Every repair was overwritten before it was verified.
    return report.attempt if report.result is Result.STILL_DRIFTED and report.attempt > 1 else 0


def fingerprint(report: RunReport) -> str | None:
    """Identifies a lasting problem, so that it is reported once; None if there is none."""
    if report.result.is_fine or _only_waits(report):
        return None
    if report.contested:
        # A contested document differs each time. The contest lasts until people end it: report it every hour.
        documents = sorted(str(o.change.address) for o in report.outcomes if isinstance(o, Conflict | Applied))
        text = json.dumps([report.result, documents, report.finished_at.strftime("%Y-%m-%dT%H")])
        return hashlib.sha256(text.encode()).hexdigest()[:32]
    drifts = [_drift_mark(drift) for drift in report.plan.drifts]
    held = [[str(hold.drift.address), hold.reason] for hold in report.plan.held]
    failures = [[str(o.change.address), o.code] for o in report.outcomes if isinstance(o, Failed)]
    text = json.dumps([report.result, drifts, held, failures])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _only_waits(report: RunReport) -> bool:
    """Whether the run only waits to add access. An unparseable document may give any access, so it is a problem."""
    not_understood = any(drift.kind is DriftKind.UNPARSEABLE for drift in report.plan.drifts)
    return report.result is Result.WAITING and not not_understood


def _drift_mark(drift: Drift) -> list[object]:
    # The message of a denied read names a request and a session, so it never repeats.
    explain = drift.code if drift.kind is DriftKind.UNREADABLE else drift.explain
    # The explanation names the first difference only; another change behind it is news too.
    sides = (drift.change.gained, drift.change.lost) if drift.change else ()
    return [str(drift.address), drift.kind, explain, *map(_access_mark, sides)]


def _access_mark(permissions: Sequence[PermissionDelta]) -> str:
    # One by one: written out together, the permissions of a hostile document would fill the memory.
    mark = hashlib.sha256()
    for permission in permissions:
        mark.update(repr(permission.order).encode())
    return mark.hexdigest()


def planned_debts(plan: Plan, facts: Facts) -> Debts:
    """What a target owes as soon as the first change of a plan made from these facts is written.

    The sessions that a narrowed trust policy ends are owed even if the plan cannot deny them, because their own policy
    could not be read.
    """
    debts = facts.debts or Debts()
    ended = next(filter(None, map(denied_sessions, plan.changes)), None) or facts.ended_by(plan.changes)
    assert not isinstance(ended, LastLook), "the plan needed to know it"
    if ended is None:
        return debts
    sessions = ended.joined(owed_sessions(debts, facts.now))
    return replace(debts, sessions=sessions, sessions_ended=debts.sessions_ended and sessions == debts.sessions)


def debts_to_verify(plan: Plan, debts: Debts) -> Debts:
    """The debts to verify after the plan was applied: that older sessions are denied, if any are left.

    Whether the plan named recreated principals again cannot be seen.
    """
    if any(map(_ends_sessions, plan.changes)):
        return Debts()
    return replace(debts, sessions_ended=True, recreated_principals=())


def remaining_debts(report: RunReport, debts: Debts) -> Debts:
    """What a target owes after the run; `debts`: what it owed when the run was journalled."""
    # After an interrupted run, the documents do not show whether the same text was written again.
    regranted = report.result is not Result.INTERRUPTED and _has_written_all_that_name(report)
    recreated = () if regranted else debts.recreated_principals
    owed = _sessions_owed(report, debts)
    if owed is None or any(map(_ends_sessions, report.applied)):
        return replace(debts, sessions=None, sessions_ended=False, recreated_principals=recreated)
    denied = filter(None, map(denied_sessions, report.applied))
    is_ended = (debts.sessions_ended and owed == debts.sessions) or any(sessions.covers(owed) for sessions in denied)
    return replace(debts, sessions=owed, sessions_ended=is_ended, recreated_principals=recreated)


def _sessions_owed(report: RunReport, debts: Debts) -> Sessions | None:
    """The sessions that have to end: more could be issued until the trust policy was narrowed."""
    owed = owed_sessions(debts, report.finished_at)
    narrowed_by = report.finished_at
    if report.result is Result.INTERRUPTED:
        narrowed_by = min(narrowed_by, report.started_at + LONGEST_RUN)
    # A failed write may have succeeded: its response can get lost.
    written = [outcome.change for outcome in report.outcomes if isinstance(outcome, Applied | Failed)]
    if owed is None or narrowed_by <= owed.before:
        return owed
    if not any(takes_living_right(change, debts, report.started_at) for change in written):
        return owed
    return replace(owed, before=whole_second(narrowed_by))


def _ends_sessions(change: Change) -> bool:
    """Whether the role was created or deleted, so that no older sessions exist."""
    return change.address.kind is AddressKind.ROLE and change.operation is not Operation.UPDATE


def _has_written_all_that_name(report: RunReport) -> bool:
    """Whether every drifted document that names principals was written; the others name no recreated one."""
    kinds = (AddressKind.REPOSITORY_POLICY, AddressKind.TRUST_POLICY)
    due = {drift.address for drift in report.plan.drifts if drift.address.kind in kinds}
    written = {change.address for change in report.applied}
    created = {
        trust_policy(change.address.target)
        for change in report.applied
        if isinstance(change.after, NewRole) and isinstance(change.address.target, RoleTarget)
    }
    return due <= written | created
