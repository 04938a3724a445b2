"""How a run ended, from its plan, what became of its changes, and what was read afterwards. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from ecr_warden.model.address import DENY_OLDER_SESSIONS, AddressKind, trust_policy
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Absent, Observation, Present, Unparseable, Unreadable
from ecr_warden.model.outcome import Applied, Conflict, Failed, Outcome, Result, RunReport, Skipped
from ecr_warden.model.plan import Change, HoldReason, NewRole, Operation, Plan
from ecr_warden.model.run import Debts
from ecr_warden.model.target import RoleTarget
from ecr_warden.planning.ordering import narrows_trust

_RETRYABLE = frozenset({Result.NOT_YET_VISIBLE, Result.STILL_DRIFTED, Result.CONFLICT})


def result_without_writes(plan: Plan) -> Result:
    """The result of a run that wrote nothing, because nothing differs or nothing may be written."""
    if plan.is_empty:
        return Result.IN_SYNC
    if any(drift.kind is DriftKind.UNREADABLE for drift in plan.drifts):
        return Result.UNKNOWN
    if plan.changes or any(held.reason is not HoldReason.ROLE_NOT_AT_SPEC for held in plan.held):
        return Result.REPORTED
    return Result.WAITING


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
        lags = all(drift.address in old and old[drift.address] == _digest(drift, after) for drift in left)
        return Result.NOT_YET_VISIBLE if lags else Result.STILL_DRIFTED
    if not plan.held:
        return Result.CONVERGED
    waits = all(hold.reason is HoldReason.ROLE_NOT_AT_SPEC for hold in plan.held)
    return Result.WAITING if waits else Result.REPORTED


def _digest(drift: Drift, observation: Observation) -> str | None:
    match observation.documents.get(drift.address, Absent()):
        case Present(digest=digest) | Unparseable(digest=digest):
            return digest
        case _:
            return None


def is_retryable(report: RunReport, observation: Observation) -> bool:
    """Whether the same job may end better within a minute."""
    return (
        report.result in _RETRYABLE
        or any(isinstance(outcome, Failed) and outcome.retryable for outcome in report.outcomes)
        or any(isinstance(observed, Unreadable) and observed.retryable for observed in observation.documents.values())
    )


def has_written(report: RunReport) -> bool:
    """Whether AWS took any write of the run."""
    return any(isinstance(outcome, Applied) for outcome in report.outcomes)


def is_news(report: RunReport, reported: str | None) -> bool:
    """Whether people have to be told: every write, every intruder, and each standing trouble once."""
    if has_written(report) or report.intruder:
        return True
    return report.result not in (Result.IN_SYNC, Result.WAITING) and fingerprint(report) != reported


def fingerprint(report: RunReport) -> str | None:
    """What a standing trouble is recognised by; None when there is none."""
    if report.result in (Result.IN_SYNC, Result.WAITING, Result.CONVERGED):
        return None
    drifts = [_drift_mark(drift) for drift in report.plan.drifts]
    held = [[str(hold.drift.address), hold.reason] for hold in report.plan.held]
    failures = [[str(o.change.address), o.code] for o in report.outcomes if isinstance(o, Failed)]
    text = json.dumps([report.result, drifts, held, failures])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _drift_mark(drift: Drift) -> list[object]:
    # What AWS says when it denies a reading names a request and a session: never the same twice.
    explain = "" if drift.kind is DriftKind.UNREADABLE else drift.explain
    # The explanation names the first difference only; a second tamper behind it is news too.
    sides = (drift.access.gained, drift.access.lost) if drift.access else ()
    access = [[permission.order for permission in side] for side in sides]
    return [str(drift.address), drift.kind, explain, access]


def planned_debts(plan: Plan, debts: Debts) -> Debts:
    """What a target owes from the moment the plan's first write is made."""
    owes = debts.owes_session_cutoff or any(narrows_trust(change) for change in plan.changes)
    return replace(debts, owes_session_cutoff=owes)


def remaining_debts(report: RunReport, debts: Debts) -> Debts:
    """What a target still owes after the run."""
    applied = [outcome.change for outcome in report.outcomes if isinstance(outcome, Applied)]
    owes = planned_debts(report.plan, debts).owes_session_cutoff and not any(map(_ends_sessions, applied))
    # Of an interrupted run the documents do not tell whether an equal text was written again.
    regranted = report.result is not Result.INTERRUPTED and _has_written_all_that_name(report.plan, applied)
    return Debts(owes, () if regranted else debts.recreated_principals)


def _ends_sessions(change: Change) -> bool:
    """Older sessions are denied, or the role that they belong to was made anew or is gone."""
    if change.address.kind is AddressKind.ROLE:
        return change.operation is not Operation.UPDATE
    return change.address.name == DENY_OLDER_SESSIONS and change.after is not None


def _has_written_all_that_name(plan: Plan, applied: Sequence[Change]) -> bool:
    """Whether every document that names principals and has drifted was written; the others name none of those owed."""
    kinds = (AddressKind.REPOSITORY_POLICY, AddressKind.TRUST_POLICY)
    due = {drift.address for drift in plan.drifts if drift.address.kind in kinds}
    written = {change.address for change in applied}
    made = {
        trust_policy(change.address.target)
        for change in applied
        if isinstance(change.after, NewRole) and isinstance(change.address.target, RoleTarget)
    }
    return due <= written | made
