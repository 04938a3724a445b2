"""Runs and reports for the contracts of the journal and of what is announced."""

from copy import replace
from datetime import UTC, datetime

from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, OpenRun, RunReport
from ecr_warden.repair.alerts import RunEnded
from ecr_warden.repair.run_ended import run_ended
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from local.testing.seed import CHECKOUT, repository_document

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = Cause(
    CauseKind.EVENT,
    "e-1",
    "ecr:SetRepositoryPolicy",
    "2026-01-01T00:00:00Z",
    actor=Actor("IAMUser", session_name="mallory"),
)


def repair(live: Document, index: int = 0) -> Change:
    """A change that takes away what a document gives beyond the desired one."""
    access = gained_and_lost(live, repository_document(), kind=DocumentKind.RESOURCE)
    target = replace(CHECKOUT, name=f"{CHECKOUT.name}{index or ''}")
    return Change(
        Operation.UPDATE, repository_policy(target), live.text, f"digest{index}", repository_document(), access, "why"
    )


def plan(*changes: Change) -> Plan:
    drifts = (Drift(change.address, DriftKind.CHANGED, "another principal", change.access) for change in changes)
    return Plan(CHECKOUT, "v1", tuple(drifts), changes)


def open_run(run_id: str = "r1") -> OpenRun:
    return OpenRun(run_id, EVENT, Mode.ENFORCE, plan(repair(repository_document("mallory"))), NOW)


def ended(run_id: str = "r1", *changes: Change) -> RunEnded:
    """As it is announced."""
    return run_ended(report(run_id, *changes))


def report(run_id: str = "r1", *changes: Change) -> RunReport:
    made = changes or (repair(repository_document("mallory")),)
    outcomes = tuple(map(Applied, made))
    return RunReport(run_id, EVENT, Mode.ENFORCE, Result.CONVERGED, plan(*made), outcomes, NOW, NOW)
