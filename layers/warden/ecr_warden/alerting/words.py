"""Addresses, drift and outcomes in words."""

from collections.abc import Collection, Iterator
from typing import assert_never

from ecr_warden.alerting.severity import is_outside, is_power
from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.drift import EXPLICITLY_DENIED, Compared, Drift, DriftKind
from ecr_warden.model.outcome import Applied, Conflict, Failed, Outcome, Result, RunReport, Skipped
from ecr_warden.model.plan import Change, HoldReason, Operation
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.policy.access import AccessChange, Permission
from ecr_warden.policy.describe import Foremost, describe_change, describe_difference, describe_missing
from ecr_warden.policy.relation import Relation


def describe_target(target: Target) -> str:
    """`repository shop/checkout in 222222222222 eu-central-1`."""
    match target:
        case RepositoryTarget(account, region, name):
            return f"repository {name} in {account} {region}"
        case RoleTarget(account, name):
            return f"role {name} in {account}"
        case UserTarget(account, name):
            return f"user {name} in {account}"
        case _:
            assert_never(target)


def describe_address(address: Address) -> str:
    """The document or setting without its target: `inline policy ecr-warden-push`."""
    match address.kind:
        case AddressKind.REPOSITORY_POLICY:
            return "repository policy"
        case AddressKind.TRUST_POLICY:
            return "trust policy"
        case AddressKind.IDENTITY_POLICY:
            return f"inline policy {address.name}"
        case AddressKind.ATTACHED_POLICY:
            return f"attached policy {address.name}"
        case AddressKind.ROLE:
            return "role settings"
        case _:
            assert_never(address.kind)


def describe_drift(drift: Drift, *, home: Collection[str] = ()) -> Iterator[str]:
    """What differed, and a sentence for each access that the live document gave or lacked.

    First comes what makes an owner all-powerful, and whoever is of none of the accounts of `home`, if there are any.
    """
    where = describe_address(drift.address)
    match drift.kind:
        case DriftKind.MISSING if drift.address.name == DENY_OLDER_SESSIONS:
            yield f"{where}: missing: {drift.explain}"
        case DriftKind.MISSING:
            yield f"{where}: missing"
        case DriftKind.CHANGED if drift.same_access:
            yield f"{where}: written otherwise, and allows the same: {drift.explain}"
        case DriftKind.CHANGED:
            yield f"{where}: changed: {drift.explain}"
        case DriftKind.UNEXPECTED if drift.address.name in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
            yield f"{where}: {drift.explain}"
        case DriftKind.UNEXPECTED:
            yield f"{where}: not in the spec"
        case DriftKind.UNPARSEABLE:
            yield f"{where}: not understood: {drift.explain}"
        case DriftKind.UNREADABLE if drift.code == EXPLICITLY_DENIED:
            error, _, remedy = drift.explain.partition("; ")
            yield f"{where}: somebody keeps ecr-warden out, so its state is unknown: {error}"
            yield f"  {remedy}"
        case DriftKind.UNREADABLE:
            yield f"{where}: cannot be read, so its state is unknown: {drift.explain}"
        case DriftKind.OWNER_MISSING | DriftKind.PRINCIPAL_RECREATED | DriftKind.SETTLING:
            yield f"{where}: {drift.explain}"
        case _:
            assert_never(drift.kind)
    for sentence in _access(drift, home):
        yield f"  {sentence}"


def _access(drift: Drift, home: Collection[str]) -> Iterator[str]:
    """What the drift means for access."""
    subject = drift.address.target.name

    def foremost(permission: Permission) -> bool:
        return is_power(permission) or (bool(home) and is_outside(permission, home))

    if drift.same_access:
        if drift.kind is not DriftKind.CHANGED:
            yield "together the inline policies of its owner allow what they should"
    elif drift.access is not None and drift.compared is not None:
        yield from _compared(drift.access, drift.compared, subject, foremost)
    elif drift.access is not None and drift.kind is DriftKind.MISSING:
        yield from describe_missing(drift.access, subject=subject)
    elif drift.access is not None:
        yield from describe_change(drift.access, subject=subject, foremost=foremost)


def _compared(access: AccessChange, compared: Compared, subject: str, foremost: Foremost) -> Iterator[str]:
    match compared.relation:
        case Relation.EQUAL:
            yield from describe_difference(access, gained=(), lost=(), subject=subject, foremost=foremost)
            yield "compared by itself it allows the same; beside the other policies of the accounts it may not"
        case Relation.UNDECIDED:
            yield from describe_change(access, subject=subject, foremost=foremost)
            yield f"not decided exactly: {compared.undecided[0] if compared.undecided else 'the reason was not kept'}"
        case _:
            gained, lost = compared.gained, compared.lost
            yield from describe_difference(access, gained=gained, lost=lost, subject=subject, foremost=foremost)


def describe_outcome(outcome: Outcome) -> str:
    """What became of one change."""
    match outcome:
        case Applied(change):
            return _done(change)
        case Skipped(change, reason):
            return f"not done: {_intended(change)}: {reason}"
        case Conflict(change):
            return f"not done: {_intended(change)}: it had changed again in the meantime"
        case Failed(change, code, message):
            return f"failed: {_intended(change)}: {code}: {message}"
        case _:
            assert_never(outcome)


def describe_result(report: RunReport) -> str:
    """How a run ended, in a few words for a title."""
    match report.result:
        case Result.IN_SYNC:
            return "as the spec says"
        case Result.CONVERGED:
            return "put right"
        case Result.NOT_YET_VISIBLE:
            return "written, not visible yet"
        case Result.STILL_DRIFTED:
            return "written, and again not as the spec says"
        case Result.REPORTED:
            return f"NOT put right: {', '.join(reasons(report)) or 'left as it is'}"
        case Result.WAITING:
            return "waits for its role"
        case Result.INTERRUPTED:
            return "interrupted, the next run takes over"
        case Result.CONFLICT if report.contested:
            return "CONTESTED, NOT put right: somebody writes it again and again"
        case Result.CONFLICT:
            return "changed again meanwhile, the next run takes over"
        case Result.FAILED:
            return "could NOT be put right"
        case Result.UNKNOWN:
            return "cannot be read: state unknown"
        case _:
            assert_never(report.result)


def reasons(report: RunReport) -> tuple[str, ...]:
    """Why drift was left as it is, each reason once."""
    held = [_HOLD_REASONS[held.reason] for held in report.plan.held]
    skipped = [outcome.reason for outcome in report.outcomes if isinstance(outcome, Skipped)]
    return tuple(dict.fromkeys([*held, *skipped]))


_HOLD_REASONS = {
    HoldReason.OBSERVE_MODE: "mode is observe",
    HoldReason.OWNER_MISSING: "its owner does not exist",
    HoldReason.UNREADABLE: "it cannot be read",
    HoldReason.ROLE_NOT_AT_SPEC: "the role is not right yet",
    HoldReason.OWN_ACCESS: "ecr-warden would lock itself out",
    HoldReason.NOT_OURS: "the role is not ecr-warden's",
    HoldReason.SETTLING: "AWS does not show yet what was written",
}
_DONE = {Operation.CREATE: "made", Operation.UPDATE: "written back", Operation.DELETE: "removed"}
_INTENDED = {Operation.CREATE: "make", Operation.UPDATE: "write back", Operation.DELETE: "remove"}


def _done(change: Change) -> str:
    if change.address.name == DENY_OLDER_SESSIONS and change.operation is not Operation.DELETE:
        return "sessions from before the repair: denied"
    if change.address.kind is AddressKind.ROLE and change.operation is not Operation.UPDATE:
        return f"role: {_DONE[change.operation]}"
    return f"{describe_address(change.address)}: {_DONE[change.operation]}"


def _intended(change: Change) -> str:
    return f"{_INTENDED[change.operation]} {describe_address(change.address)}"
