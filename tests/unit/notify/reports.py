"""Reports as reconcile makes them, for the tests of messages."""

import json
from copy import replace
from datetime import UTC, datetime
from typing import Any

from ecr_warden.core.address import Address, attached_policy, identity_policy, repository_policy, trust_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.lasting import Opened
from ecr_warden.core.plan import Change, Held, Plan
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Outcome, RunReport
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.repair.alerts import RunEnded
from ecr_warden.repair.diff import document_drift
from ecr_warden.repair.run_ended import run_ended
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind

HOME, CI, OUTSIDER = "222222222222", "111111111111", "999999999999"
REPOSITORY = RepositoryTarget(HOME, "eu-central-1", "shop/checkout")
ROLE = RoleTarget(HOME, "ecr-pusher")
USER = UserTarget(CI, "push-user")
NOW = datetime(2026, 11, 24, 10, 15, 32, tzinfo=UTC)
MALLORY = Actor(
    "AssumedRole",
    arn=f"arn:aws:sts::{HOME}:assumed-role/Administrator/mallory",
    account=HOME,
    issuer=f"arn:aws:iam::{HOME}:role/Administrator",
    session_name="mallory",
    source_ip="198.51.100.7",
)
EVENT = Cause(CauseKind.EVENT, "e-1", "ecr:SetRepositoryPolicy", "2026-11-24T10:15:30Z", actor=MALLORY)
DEPLOYED = replace(EVENT, actor=replace(MALLORY, invoked_by="cloudformation.amazonaws.com"))
SPEC = Cause(CauseKind.SPEC, "v2")
SWEEP = Cause(CauseKind.SWEEP, "s-1")
RUN = Cause(CauseKind.RUN, "r-0")

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def pulls(*principals: str, actions: tuple[str, ...] = PULL, **more: object) -> Document:
    """A repository policy that lets the principals pull."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": list(actions), **more}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def trusts(principal: str) -> Document:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def allows(*actions: str, **more: object) -> Document:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return parse_document(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def also(*documents: Document) -> Document:
    """One document with the statements of all."""
    statements = [statement for document in documents for statement in json.loads(document.text)["Statement"]]
    return parse_document({"Version": "2012-10-17", "Statement": statements})


SPEC_PULLS = pulls(f"arn:aws:iam::{CI}:user/pull-user-1")
SPEC_TRUST = trusts(f"arn:aws:iam::{CI}:user/push-user")
SPEC_PUSH = allows("ecr:PutImage")


def drift_of(address: Address, desired: Document, live: Document, reason: str) -> Drift:
    """The drift between two documents as planning sees it."""
    found = document_drift(address, desired, live)
    assert found is not None
    return replace(found, explain=reason)


def repository_drift(live: Document | None, desired: Document = SPEC_PULLS) -> Drift:
    address = repository_policy(REPOSITORY)
    if live is not None:
        return drift_of(address, desired, live, "a principal more")
    access = gained_and_lost(desired, None, kind=DocumentKind.RESOURCE)
    return Drift(address, DriftKind.MISSING, "it is not there", access)


def trust_drift(live: Document) -> Drift:
    return drift_of(trust_policy(ROLE), SPEC_TRUST, live, "another principal")


def push_drift(live: Document) -> Drift:
    return drift_of(identity_policy(ROLE, "ecr-warden-push"), SPEC_PUSH, live, "other actions")


def unexpected_drift(live: Document) -> Drift:
    access = gained_and_lost(None, live, kind=DocumentKind.IDENTITY)
    return Drift(identity_policy(USER, "ecr-warden-x"), DriftKind.UNEXPECTED, "not in the spec", access)


ATTACHED = Drift(
    attached_policy(ROLE, "arn:aws:iam::aws:policy/AdministratorAccess"), DriftKind.UNEXPECTED, "not in the spec"
)
_REOPENED = "sessions issued before 2026-11-24T10:00:00Z were ended and work again"
_CUTOFF = identity_policy(ROLE, "ecr-warden-deny-older-sessions")
REOPENED = Drift(_CUTOFF, DriftKind.MISSING, _REOPENED)
REOPENED_BY_A_CHANGE = Drift(_CUTOFF, DriftKind.CHANGED, _REOPENED)
LOCKED_OUT = Drift(_CUTOFF, DriftKind.UNEXPECTED, "it denies all access until 2036-01-01T00:00:00Z")
SETTLING = Drift(repository_policy(REPOSITORY), DriftKind.SETTLING, "just written: AWS still shows unique ids")
UNREADABLE = Drift(repository_policy(REPOSITORY), DriftKind.UNREADABLE, "ecr:GetRepositoryPolicy is denied")


def change(drift: Drift, operation: Operation = Operation.UPDATE) -> Change:
    return Change(operation, drift.address, "{}", "d", None)


def report(*drifts: Drift, **how: Any) -> RunEnded:
    """As `run_report`, as it is announced."""
    return run_ended(run_report(*drifts, **how))


def run_report(
    *drifts: Drift,
    result: Result = Result.CONVERGED,
    cause: Cause = EVENT,
    outcomes: tuple[Outcome, ...] | None = None,
    held: HoldReason | None = None,
    run_id: str = "r-1",
    intruder: bool = False,
) -> RunReport:
    """A run that ended as `result` says, each drift repaired unless `held` or other outcomes are given."""
    target = drifts[0].address.target if drifts else REPOSITORY
    holds = tuple(Held(drift, held, f"left because {held}") for drift in drifts) if held else ()
    changes = () if held else tuple(map(change, drifts))
    plan = Plan(target, "v2", drifts, changes, holds)
    applied: tuple[Outcome, ...] = tuple(map(Applied, changes)) if outcomes is None else outcomes
    done = RunReport(run_id, cause, Mode.ENFORCE, result, plan, applied, NOW, NOW, accounts=(CI, HOME))
    if cause.kind is CauseKind.EVENT and cause.action:
        done = replace(done, opened=Opened(cause, cause.time))
    return replace(done, intruder=intruder, uses={ROLE.name: "push to shop/checkout"})
