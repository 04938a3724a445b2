"""Addresses, drift and outcomes in words."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import assert_never

from ecr_warden.alerting.layout import Entry, listing
from ecr_warden.alerting.severity import is_outside, is_power
from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.drift import EXPLICITLY_DENIED, Compared, Drift, DriftKind
from ecr_warden.model.job import CauseKind
from ecr_warden.model.outcome import Applied, Conflict, Failed, Outcome, Result, RunReport, Skipped
from ecr_warden.model.plan import Change, Held, HoldReason, Operation
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.policy.access import AccessChange, Permission
from ecr_warden.policy.describe import Foremost, describe_change, describe_difference
from ecr_warden.policy.phrases import Perspective, Telling
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


def describe_drift(drift: Drift, telling: Telling, *, home: Collection[str] = ()) -> Entry:
    """What differed, and under it a sentence for each access that the live document gave or lacked.

    First comes what makes an owner all-powerful, and whoever is of none of the accounts of `home`, if there are any.
    """
    sentences = tuple(_remedy(drift)) + tuple(_access(drift, telling, home))
    return Entry(_difference(drift), listing("difference of access", sentences, rest=drift.left_out))


def _difference(drift: Drift) -> str:
    where = describe_address(drift.address)
    match drift.kind:
        case DriftKind.MISSING if drift.address.name == DENY_OLDER_SESSIONS:
            return f"{where}: missing: {drift.explain}"
        case DriftKind.MISSING:
            return f"{where}: missing"
        case DriftKind.CHANGED if drift.same_access:
            return f"{where}: written otherwise, and allows the same: {drift.explain}"
        case DriftKind.CHANGED:
            return f"{where}: changed: {drift.explain}"
        case DriftKind.UNEXPECTED if drift.address.name in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
            return f"{where}: {drift.explain}"
        case DriftKind.UNEXPECTED:
            return f"{where}: not in the spec"
        case DriftKind.UNPARSEABLE:
            return f"{where}: not understood: {drift.explain}"
        case DriftKind.UNREADABLE if drift.code == EXPLICITLY_DENIED:
            error, _, _ = drift.explain.partition("; ")
            return f"{where}: somebody keeps ecr-warden out, so its state is unknown: {error}"
        case DriftKind.UNREADABLE:
            error, _, _ = drift.explain.partition("; ")
            return f"{where}: cannot be read, so its state is unknown: {error}"
        case DriftKind.OWNER_MISSING | DriftKind.PRINCIPAL_RECREATED | DriftKind.SETTLING:
            return f"{where}: {drift.explain}"
        case _:
            assert_never(drift.kind)


def _remedy(drift: Drift) -> Iterator[str]:
    """What helps against what cannot be read: a line of its own, for an error in front of it may be long."""
    remedy = drift.explain.partition("; ")[2]
    if drift.kind is DriftKind.UNREADABLE and remedy:
        yield remedy


def _access(drift: Drift, telling: Telling, home: Collection[str]) -> Iterator[str]:
    """What the drift means for access."""
    subject = drift.address.target.name

    def foremost(permission: Permission) -> bool:
        return is_power(permission) or (bool(home) and is_outside(permission, home))

    if drift.same_access:
        if drift.kind is not DriftKind.CHANGED:
            yield "together the inline policies of its owner allow what they should"
    elif drift.access is not None and drift.compared is not None:
        yield from _compared(drift.access, drift.compared, subject, telling, foremost)
    elif drift.access is not None:
        yield from describe_change(drift.access, subject=subject, telling=telling, foremost=foremost)
    if drift.access is not None and drift.access.assumed:
        yield "the documents are too hard to compare exactly: every statement that differs is counted"


def _compared(
    access: AccessChange, compared: Compared, subject: str, telling: Telling, foremost: Foremost
) -> Iterator[str]:
    exact = partial(describe_difference, access, subject=subject, telling=telling, foremost=foremost)
    match compared.relation:
        case Relation.EQUAL:
            yield from exact(gained=(), lost=())
            yield "compared by itself it allows the same; beside the other policies of the accounts it may not"
        case Relation.UNDECIDED:
            yield from describe_change(access, subject=subject, telling=telling, foremost=foremost)
            yield f"not decided exactly: {compared.undecided[0] if compared.undecided else 'the reason was not kept'}"
        case _:
            yield from exact(gained=compared.gained, lost=compared.lost)


def describe_outcome(outcome: Outcome) -> Entry:
    """What became of one change."""
    match outcome:
        case Applied(change):
            return Entry(_done(change))
        case Skipped(change, reason):
            return Entry(f"not done: {_intended(change)}: {reason}")
        case Conflict(change):
            return Entry(f"not done: {_intended(change)}: it had changed again in the meantime")
        case Failed(change, code, message, _, remedy):
            said = f"failed: {_intended(change)}: {code}: {message}"
            return Entry(said, listing("remedy", [f"remedy: {remedy}"] if remedy else []))
        case _:
            assert_never(outcome)


def describe_result(report: RunReport) -> str:
    """How a run ended, in a few words for a title: is it over?"""
    if report.contested:
        return "CONTESTED, NOT repaired: somebody writes it again and again"
    if report.result is Result.CONVERGED and is_roll_out(report):
        return "rolled out"
    if report.result is Result.FAILED and is_roll_out(report):
        return "could NOT be rolled out"
    if report.result is Result.REPORTED:
        return f"reported, NOT repaired: {', '.join(reasons(report)) or 'left as it is'}"
    return _RESULTS[report.result]


_RESULTS = {
    Result.IN_SYNC: "in sync",
    Result.CONVERGED: "repaired",
    Result.NOT_YET_VISIBLE: "written, not visible yet",
    Result.STILL_DRIFTED: "repaired, and NOT in sync: changed again at once",
    Result.WAITING: "waits for its role",
    Result.INTERRUPTED: "interrupted, the next run takes over",
    Result.CONFLICT: "changed again meanwhile, the next run takes over",
    Result.FAILED: "could NOT be repaired",
    Result.UNKNOWN: "cannot be read: state unknown",
}


def is_roll_out(report: RunReport) -> bool:
    """Whether the run carries out a version of the spec, by itself or after another run that does."""
    return report.cause.incident.startswith(f"{CauseKind.SPEC}/")


def telling_of(report: RunReport, drift: Drift) -> Telling:
    """From which perspective a run tells a drift."""
    ended = report.result is Result.CONVERGED or (
        report.result not in (Result.STILL_DRIFTED, Result.NOT_YET_VISIBLE)
        and any(change.address == drift.address for change in report.applied)
    )
    if is_roll_out(report):
        if ended:
            return Telling(Perspective.ROLLED_OUT)
        return Telling(Perspective.PLAN if report.result in _GOES_ON else Perspective.DRIFT)
    return Telling(Perspective.INCIDENT, lasted(report)) if ended else Telling(Perspective.DRIFT)


_GOES_ON = (Result.NOT_YET_VISIBLE, Result.WAITING, Result.INTERRUPTED)


def lasted(report: RunReport) -> str:
    """From the call until it was repaired: `for 41 s`; where no call is known, only the end is."""
    seconds = seconds_open(report)
    return "until it was repaired" if seconds is None else f"for {duration(seconds)}"


def seconds_open(report: RunReport) -> int | None:
    """From the call that an event tells of to the end of the run."""
    began = parse_time(report.cause.at) if report.cause.action and report.cause.kind is CauseKind.EVENT else None
    # The clocks of CloudTrail and of the function are not the same.
    return None if began is None else max(0, round((report.finished_at - began).total_seconds()))


def duration(seconds: int) -> str:
    """`41 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 1:
        return "less than 1 s"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])


def parse_time(text: str) -> datetime | None:
    """A time that an event or a command gave; None of what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def show_time(at: datetime) -> str:
    """The one form of times in messages: `2026-11-24T19:48:56Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reasons(report: RunReport) -> tuple[str, ...]:
    """Why drift was left as it is, each reason once."""
    held = [_hold_reason(held) for held in report.plan.held]
    skipped = [outcome.reason for outcome in report.outcomes if isinstance(outcome, Skipped)]
    return tuple(dict.fromkeys([*held, *skipped]))


def _hold_reason(held: Held) -> str:
    if held.reason is HoldReason.OWNER_MISSING:
        kind = "repository" if isinstance(held.drift.address.target, RepositoryTarget) else "user or role"
        return f"ecr-warden creates no {kind}"
    return _HOLD_REASONS[held.reason]


_HOLD_REASONS = {
    HoldReason.OBSERVE_MODE: "mode is observe",
    HoldReason.UNREADABLE: "it cannot be read",
    HoldReason.ROLE_NOT_AT_SPEC: "the role is not in sync yet",
    HoldReason.OWN_ACCESS: "ecr-warden would lock itself out",
    HoldReason.NOT_OURS: "the role is not ecr-warden's",
    HoldReason.SETTLING: "AWS does not show yet what was written",
    HoldReason.PRINCIPAL_UNKNOWN: "AWS knows a principal of the spec not (yet)",
}
_DONE = {Operation.CREATE: "created", Operation.UPDATE: "repaired", Operation.DELETE: "removed"}
_INTENDED = {Operation.CREATE: "create", Operation.UPDATE: "repair", Operation.DELETE: "remove"}


def _done(change: Change) -> str:
    if change.address.name == DENY_OLDER_SESSIONS and change.operation is not Operation.DELETE:
        return "sessions from before the repair: denied"
    if change.address.kind is AddressKind.ROLE and change.operation is not Operation.UPDATE:
        return f"role: {_DONE[change.operation]}"
    return f"{describe_address(change.address)}: {_DONE[change.operation]}"


def _intended(change: Change) -> str:
    return f"{_INTENDED[change.operation]} {describe_address(change.address)}"
