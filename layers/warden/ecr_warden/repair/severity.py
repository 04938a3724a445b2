"""How soon a person should look at a run: rated once, by the run itself, which saw every document whole."""

from collections.abc import Collection

from ecr_warden.core.address import DENY_OLDER_SESSIONS, AddressKind
from ecr_warden.core.drift import Drift
from ecr_warden.core.ecr import ADMIN, ECR
from ecr_warden.core.failures import BlockedByDeny, Crashed
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.result import Result, Severity, highest
from ecr_warden.core.run import RunReport
from ecr_warden.core.target import RepositoryTarget
from iam_access.delta.delta import AllBut, AnyOf, PermissionDelta
from iam_access.delta.service import EVERYTHING, group_of
from iam_access.document.document import Effect
from iam_access.document.pattern import patterns_meet
from iam_access.document.principal import Principal
from iam_access.who_can.ours import Ours, outsiders


def severity_of_run(report: RunReport) -> Severity:
    """CRITICAL: an outsider got in, ended sessions work again, a repair failed, or the write role was abused.

    Also CRITICAL: a version of the spec gives an outsider access, a document was opened again and again within a
    minute, ecr-warden is explicitly denied access, access was opened without any event, nobody knows what a document
    allows, or a boundary, a session limit or a repository is gone. WARNING: look today. What a version of the spec
    takes away is INFO.
    tests/cases/severity.yaml lists the cases. Principals of `report.accounts` and of the target's own account are no
    outsiders.
    """
    if report.severity is not None:
        return report.severity  # the alert may lack what makes it severe
    try:
        return highest([_of_result(report), _of_drifts(report)])
    except Exception:  # an attacker may have written what cannot be rated: the run ends, and is reported
        return Severity.CRITICAL


def _of_result(report: RunReport) -> Severity:
    return Severity.CRITICAL if report.intruder or report.contested or report.again else _BY_RESULT[report.result]


_BY_RESULT = {
    **dict.fromkeys((Result.FAILED, Result.STILL_DRIFTED), Severity.CRITICAL),
    **dict.fromkeys((Result.REPORTED, Result.UNKNOWN, Result.NOT_YET_VISIBLE, Result.WAITING), Severity.WARNING),
    **dict.fromkeys((Result.INTERRUPTED, Result.CONFLICT), Severity.WARNING),
    **dict.fromkeys((Result.IN_SYNC, Result.CONVERGED), Severity.INFO),
}


def _of_drifts(report: RunReport) -> Severity:
    if any(
        _reopens_sessions(drift) or drift.code in (BlockedByDeny.code, Crashed.code) for drift in report.plan.drifts
    ):
        return Severity.CRITICAL
    home = home_of(report)
    drifts = [drift for drift in report.plan.drifts if not drift.same_access]
    if gives_outsiders(report):
        return Severity.CRITICAL
    if report.cause.rolls_out:
        return Severity.INFO  # the spec changed, not the account: what that gives beyond it is yesterday's grant
    lets_in = any(opens(drift, home) or _names_anybody(drift, report.cause) for drift in drifts)
    if lets_in or any(_is_as_harmful(drift, report.cause) for drift in drifts):
        return Severity.CRITICAL
    # What one of our runs made possible, such as an identity's first policy, is not a loss that anybody caused.
    losses = [] if report.cause.kind is CauseKind.RUN else [drift for drift in drifts if drift.kind in _LOSSES]
    gains = any(drift.kind is DriftKind.UNEXPECTED or drift.gained for drift in drifts)
    return Severity.WARNING if losses or gains else Severity.INFO


def lets_in_outsiders(report: RunReport) -> bool:
    """Whether a document that the run found lets in outsiders, or may."""
    home = home_of(report)
    try:
        return any(lets_in(drift, home) for drift in report.plan.drifts)
    except Exception:  # an attacker may have written what cannot be rated
        return True


def may_have_let_in(report: RunReport, severity: Severity) -> bool:
    """Whether somebody got in who is not ours, by a run of this severity, unless all shows the opposite."""
    if severity is not Severity.CRITICAL:
        return False
    home = home_of(report)
    try:
        is_shown = all(_shuts_out(drift, home, report.cause) for drift in report.plan.drifts)
        return report.intruder or gives_outsiders(report) or not is_shown
    except Exception:  # an attacker may have written what cannot be rated
        return True


def _shuts_out(drift: Drift, home: Collection[str], cause: Cause) -> bool:
    """Whether a drift is shown to let in no outsider."""
    if drift.access is None:
        is_gone = drift.kind is DriftKind.MISSING and drift.address.kind is AddressKind.ROLE
        return is_gone or drift.kind in (DriftKind.TARGET_MISSING, DriftKind.SETTLING)
    is_known = drift.change is None or not drift.change.assumed
    is_as_narrow = not (drift.loosens or _reopens_sessions(drift) or _names_anybody(drift, cause))
    return is_known and is_as_narrow and not opens(drift, home)


def gives_outsiders(report: RunReport) -> bool:
    """Whether a run that a version or a person asked for wrote what gives outsiders access, or an identity power."""
    if not (report.cause.is_asked or report.of_version):
        return False
    home, whole = home_of(report), {change.address for change in report.applied} - report.narrowed_only
    given = (
        one for drift in report.plan.drifts if drift.address in whole and drift.change for one in drift.change.lost
    )
    return any(is_outside(permission, home) or is_power(permission) for permission in given)


def home_of(report: RunReport) -> Collection[str]:
    """The accounts whose principals are no outsiders to the target of a run."""
    return {report.plan.target.account, *report.accounts}


def _is_as_harmful(drift: Drift, cause: Cause) -> bool:
    """Whether a drift that lets in no outsider may do as much harm, or hides what it does."""
    match drift.kind:
        case DriftKind.UNPARSEABLE:
            return True  # nobody knows what it allows
        case DriftKind.TARGET_MISSING:
            return isinstance(drift.address.target, RepositoryTarget)  # its images are gone too
        case _:
            # Opened without an event; a deleted principal's unique ID opens nothing.
            unseen = cause.kind is CauseKind.SWEEP and not all(permission.is_of_deleted for permission in drift.gained)
            return bool(drift.loosens) or unseen or (drift.change is not None and drift.change.assumed)


def _names_anybody(drift: Drift, cause: Cause) -> bool:
    """Whether a document that may just have been written names a principal that AWS shows by its unique ID.

    A deleted principal's ID gives nothing, but AWS may also show a principal that was named a moment ago this way.
    """
    return cause.call in _NAMES_PRINCIPALS and any(permission.is_of_deleted for permission in drift.gained)


_NAMES_PRINCIPALS = frozenset({"SetRepositoryPolicy", "UpdateAssumeRolePolicy", "CreateRole", "AcquireRole"})


def _reopens_sessions(drift: Drift) -> bool:
    """Whether the cut-off of an earlier repair was removed or changed, so that the sessions it ended work again."""
    return drift.kind in (DriftKind.MISSING, DriftKind.CHANGED) and drift.address.name == DENY_OLDER_SESSIONS


_LOSSES = frozenset({DriftKind.MISSING, DriftKind.CHANGED, DriftKind.TARGET_MISSING, DriftKind.UNPARSEABLE})


def lets_in(drift: Drift, home: Collection[str]) -> bool:
    """Whether the live document lets in outsiders, or may."""
    return drift.kind is DriftKind.UNPARSEABLE or opens(drift, home)


def opens(drift: Drift, home: Collection[str]) -> bool:
    """Whether the live document opens the target to outsiders, or gives its identity power over policies."""
    if drift.access is None:
        return drift.kind is DriftKind.UNEXPECTED and drift.address.kind is AddressKind.ATTACHED_POLICY
    is_trust = drift.address.kind is AddressKind.TRUST_POLICY
    return any(
        is_outside(permission, home) or is_power(permission) or (is_trust and _lets_in_service(permission))
        for permission in drift.gained
    )


def _lets_in_service(permission: PermissionDelta) -> bool:
    """Whether an AWS service gets in, and with it anybody for whom it acts; its pull from a repository is less."""
    principal = permission.principal
    return permission.effect is Effect.ALLOW and isinstance(principal, Principal) and principal.kind == "Service"


def is_outside(permission: PermissionDelta, home: Collection[str]) -> bool:
    """Whether the permission lets in somebody who is not shown to be of an account of `home`."""
    # A Deny that was removed lets in everybody whom it kept out, not only the principal that it names.
    if permission.effect is Effect.DENY or permission.principal is None or permission.is_of_deleted:
        return False
    return bool(outsiders(permission, Ours(frozenset(home)), home=next(iter(home), "")))


def is_power(permission: PermissionDelta) -> bool:
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
    return group_of(action, ECR) in (EVERYTHING, ADMIN) or patterns_meet(action, "iam:*")
