"""How soon a person should look at what happened."""

from collections.abc import Collection
from typing import assert_never

from ecr_warden.alerting.own import is_by_deployment
from ecr_warden.arn import ACCOUNT_ID, ArnError, parse_arn
from ecr_warden.model.address import DENY_OLDER_SESSIONS, AddressKind
from ecr_warden.model.alert import (
    Alert,
    JobFailed,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.drift import CRASHED, EXPLICITLY_DENIED, Drift, DriftKind
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.model.outcome import Result, RunReport
from ecr_warden.model.severity import Severity
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.policy.access import AllBut, AnyOf, Permission
from ecr_warden.policy.action import ActionGroup, group_of
from ecr_warden.policy.document import Effect
from ecr_warden.policy.pattern import patterns_meet
from ecr_warden.policy.phrases import is_unique_id
from ecr_warden.policy.principal import Principal
from ecr_warden.policy.subsumption import Part

_ORDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def highest(severities: Collection[Severity]) -> Severity:
    """The most severe; INFO of none."""
    return max(severities, key=_ORDER.index, default=Severity.INFO)


def severity(alert: Alert, *, known_accounts: Collection[str] = ()) -> Severity:
    """CRITICAL: somebody from outside got in, ended sessions live again, a repair failed, or the write role was abused.

    So it is where somebody keeps ecr-warden out or opened something that no event told of, where nobody knows what a
    document allows, and where a boundary, a time limit or a repository is gone. WARNING: look today. The table in
    tests/cases/severity.yaml says it case by case.

    `known_accounts`: accounts of the spec; their principals are not from outside. A target's own account never is.
    """
    match alert:
        case SpecRefused() | TargetsPaused():
            return Severity.WARNING
        case Unlisted(codes=codes):
            return Severity.CRITICAL if {EXPLICITLY_DENIED, CRASHED} & {*codes} else Severity.WARNING
        case TargetsResumed():
            return Severity.INFO
        case OwnChanged():
            return Severity.INFO if is_by_deployment(alert) else Severity.CRITICAL
        case JobFailed():
            return Severity.CRITICAL
        case SpecAccepted(released=released, warnings=warnings):
            return Severity.WARNING if released or warnings else Severity.INFO
        case RunReport(severity=Severity() as rated):
            # By the run itself, which saw all; an announcement may leave out what makes it severe.
            return rated
        case RunReport():
            try:
                return highest([_of_result(alert), _of_drifts(alert, known_accounts)])
            except Exception:  # what it describes may be an attack: the run ends, and people hear of it
                return Severity.CRITICAL
        case _:
            assert_never(alert)


def _of_result(report: RunReport) -> Severity:
    if report.intruder or report.contested:
        return Severity.CRITICAL
    match report.result:
        case Result.FAILED | Result.STILL_DRIFTED:
            return Severity.CRITICAL
        case Result.REPORTED | Result.UNKNOWN | Result.NOT_YET_VISIBLE | Result.WAITING:
            return Severity.WARNING
        case Result.INTERRUPTED | Result.CONFLICT:
            return Severity.WARNING
        case Result.IN_SYNC | Result.CONVERGED:
            return Severity.INFO
        case _:
            assert_never(report.result)


def _of_drifts(report: RunReport, known_accounts: Collection[str]) -> Severity:
    if any(_reopens_sessions(drift) or drift.code in (EXPLICITLY_DENIED, CRASHED) for drift in report.plan.drifts):
        return Severity.CRITICAL
    home = {report.plan.target.account, *known_accounts}
    drifts = [drift for drift in report.plan.drifts if not drift.same_access]
    lets_in = any(opens(drift, home) or _names_anybody(drift, report.cause) for drift in drifts)
    if report.cause.kind is CauseKind.SPEC:
        # The spec changed and not the account: what the accounts give beyond it is yesterday's grant, but for what
        # no account of the spec should ever have had.
        return Severity.WARNING if lets_in else Severity.INFO
    if lets_in or any(_is_grave(drift, report.cause) for drift in drifts):
        return Severity.CRITICAL
    # What a run of ours made possible, such as the first policy of an owner, is no loss that anybody caused.
    losses = [] if report.cause.kind is CauseKind.RUN else [drift for drift in drifts if drift.kind in _LOSSES]
    return Severity.WARNING if losses or any(map(_gains, drifts)) else Severity.INFO


def _is_grave(drift: Drift, cause: Cause) -> bool:
    """Whether a drift that lets in nobody from outside may do as much harm, or hides what it does."""
    match drift.kind:
        case DriftKind.UNPARSEABLE:
            return True  # nobody knows what it allows
        case DriftKind.OWNER_MISSING:
            return isinstance(drift.address.target, RepositoryTarget)  # and its images are gone
        case _:
            # Opened while no event was to be had; the unique id of who was deleted is no opening.
            unseen = cause.kind is CauseKind.SWEEP and not all(map(_names_id, drift.gained))
            assumed = drift.access is not None and drift.access.assumed
            return bool(drift.loosens) or unseen or assumed


def _names_anybody(drift: Drift, cause: Cause) -> bool:
    """Whether the drift names somebody whom AWS shows by a unique id, in a document that may just have been written.

    Of a principal that was deleted the id gives nothing. One that was named a moment ago AWS may show the same way.
    """
    return cause.action.partition(":")[2] in _NAMES_PRINCIPALS and any(map(_names_id, drift.gained))


def _names_id(permission: Permission) -> bool:
    return isinstance(permission.principal, Principal) and is_unique_id(permission.principal.value)


_NAMES_PRINCIPALS = frozenset({"SetRepositoryPolicy", "UpdateAssumeRolePolicy", "CreateRole"})


def _reopens_sessions(drift: Drift) -> bool:
    """Whether sessions that a repair had ended live again: somebody took away what ended them."""
    taken_away = drift.kind in (DriftKind.MISSING, DriftKind.CHANGED)
    return taken_away and drift.address.name == DENY_OLDER_SESSIONS


_LOSSES = frozenset({DriftKind.MISSING, DriftKind.CHANGED, DriftKind.OWNER_MISSING, DriftKind.UNPARSEABLE})


def _gains(drift: Drift) -> bool:
    return drift.kind is DriftKind.UNEXPECTED or bool(drift.gained)


def opens(drift: Drift, home: Collection[str]) -> bool:
    """Whether the live document opens the target to the outside, or makes its owner all-powerful."""
    if drift.access is None:
        return drift.kind is DriftKind.UNEXPECTED and drift.address.kind is AddressKind.ATTACHED_POLICY
    is_trust = drift.address.kind is AddressKind.TRUST_POLICY
    return any(
        is_outside(permission, home) or is_power(permission) or (is_trust and _lets_in_service(permission))
        for permission in drift.gained
    )


def _lets_in_service(permission: Permission) -> bool:
    """Whether whoever can have a service of AWS act for them gets in; a pull by one, from a repository, is less."""
    principal = permission.principal
    return permission.effect is Effect.ALLOW and isinstance(principal, Principal) and principal.kind == "Service"


def is_outside(permission: Permission, home: Collection[str]) -> bool:
    """Whether the permission lets in somebody of no account of `home`."""
    # A Deny that went lets in whoever it kept out; whom it named says nothing of that.
    return permission.effect is Effect.ALLOW and _is_foreign(permission.principal, home)


def _is_foreign(principal: Part[Principal] | None, home: Collection[str]) -> bool:
    match principal:
        case None:
            return False
        case AllBut():
            return True
        case AnyOf(values):
            return any(_is_foreign(value, home) for value in values)
        case Principal(kind="Service"):
            return False
        case Principal(kind="Federated"):
            return True  # in whichever account it is registered, those whom it vouches for are from elsewhere
        case Principal(value=value) if is_unique_id(value):
            return False
        case _:
            return _account(principal) not in home


def _account(principal: Principal) -> str:
    """Empty for anyone and for what is no ARN."""
    if ACCOUNT_ID.fullmatch(principal.value):
        return principal.value
    try:
        return parse_arn(principal.value).account
    except ArnError:
        return ""


def is_power(permission: Permission) -> bool:
    """Everything, or the right to change policies: what an identity policy must never give."""
    if permission.principal is not None or permission.effect is not Effect.ALLOW:
        return False
    match permission.action:
        case None | AllBut():
            return True
        case AnyOf(values):
            return any(map(_changes_policies, values))
        case action:
            return _changes_policies(action)


def _changes_policies(action: str) -> bool:
    return group_of(action) in (ActionGroup.EVERYTHING, ActionGroup.ADMIN) or patterns_meet(action, "iam:*")
