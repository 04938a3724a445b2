"""The first line of a message about a run: what happened, by whom, and whether it is over."""

from collections.abc import Sequence
from typing import assert_never

from ecr_warden.alerting.text import TITLE, clean, first
from ecr_warden.alerting.words import describe_address, describe_result, duration, is_roll_out, seconds_open
from ecr_warden.model.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.drift import EXPLICITLY_DENIED, Drift, DriftKind
from ecr_warden.model.job import Cause, CauseKind, short_name
from ecr_warden.model.outcome import Result, RunReport
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget

_DOCUMENTS = 2
_STATE = 80
_DOCUMENT = 70
# What a call can have done to which kind of address; a call that is not here, such as a tag, changed none of them.
_WRITES = {
    AddressKind.REPOSITORY_POLICY: ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
    AddressKind.TRUST_POLICY: ("UpdateAssumeRolePolicy", "CreateRole"),
    AddressKind.IDENTITY_POLICY: ("PutRolePolicy", "PutUserPolicy", "DeleteRolePolicy", "DeleteUserPolicy"),
    AddressKind.ATTACHED_POLICY: ("AttachRolePolicy", "AttachUserPolicy", "DetachRolePolicy", "DetachUserPolicy"),
    AddressKind.ROLE: ("UpdateRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "CreateRole"),
}
_DELETES = ("DeleteRepository", "DeleteRole", "DeleteUser")


def title_of(report: RunReport, drifts: Sequence[Drift]) -> str:
    """`trust policy of role ecr-pusher was changed by mallory; repaired after 4 s`; `drifts`: the worst first."""
    intruder = "INTRUDER in the write role: " if report.intruder else ""
    state = clean(state_of(report, was_gone=any(map(_is_gone, drifts))), _STATE)
    # Whether it is over is never what is cut.
    return f"{clean(intruder + _what_happened(report, drifts), TITLE - len(state) - 2)}; {state}"


def state_of(report: RunReport, *, was_gone: bool = False) -> str:
    """Whether it is over; `was_gone`: the run found no such role."""
    if report.result is not Result.CONVERGED or is_roll_out(report):
        return describe_result(report)
    seconds = seconds_open(report)
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return ("recreated" if was_gone else describe_result(report)) + after


def name_of(target: Target) -> str:
    """`role ecr-pusher`."""
    match target:
        case RepositoryTarget():
            return f"repository {target.name}"
        case RoleTarget():
            return f"role {target.name}"
        case UserTarget():
            return f"user {target.name}"
        case _:
            assert_never(target)


def _what_happened(report: RunReport, drifts: Sequence[Drift]) -> str:
    target, cause = report.plan.target, report.cause
    if not drifts:
        return f"{name_of(target)}{_after(cause)}" if report.intruder else name_of(target)
    if any(drift.code == EXPLICITLY_DENIED for drift in drifts):
        return f"ecr-warden is kept out of {name_of(target)}{_after(cause)}"
    gone = any(_is_gone(drift) for drift in drifts)
    if gone and _call(cause) in _DELETES:
        return f"{name_of(target)} was deleted by {short_name(cause.actor)}"
    if gone:
        return f"{name_of(target)} does not exist{_after(cause)}"
    documents = list(dict.fromkeys(_document(drift.address) for drift in drifts))
    owner = target.name if isinstance(target, RepositoryTarget) else name_of(target)
    # Somebody chose the name of a policy: it leaves room for whose it is and who did it.
    shown = [clean(document, _DOCUMENT) for document in documents]
    named = f"{', '.join(first(shown, _DOCUMENTS))} of {owner}"
    if is_roll_out(report):
        return f"{named}: version {report.plan.spec_version} of the spec"
    if all(drift.kind is DriftKind.UNREADABLE for drift in drifts):
        return f"{named}{_after(cause)}"
    told_by_event = cause.kind is CauseKind.EVENT and cause.actor is not None
    if told_by_event and any(_call(cause) in _WRITES[drift.address.kind] for drift in drifts):
        return f"{named} {_was(drifts, _call(cause))} by {short_name(cause.actor)}"
    verb = "differs" if len(documents) == 1 and documents != ["settings"] else "differ"
    return f"{named} {verb} from the spec{_after(cause)}"


def _document(address: Address) -> str:
    if address.name == DENY_OLDER_SESSIONS:
        return "denial of older sessions"
    if address.kind is AddressKind.ROLE:
        return "settings"
    return describe_address(address)


def _is_gone(drift: Drift) -> bool:
    is_role = drift.address.kind is AddressKind.ROLE and drift.kind is DriftKind.MISSING
    return is_role or drift.kind is DriftKind.OWNER_MISSING


def _was(drifts: Sequence[Drift], call: str) -> str:
    mine = {drift.kind for drift in drifts if call in _WRITES[drift.address.kind]}
    takes_away = call.startswith(("Delete", "Detach"))
    verb = "changed"
    if takes_away and mine == {DriftKind.MISSING}:
        verb = "deleted"
    elif not takes_away and mine == {DriftKind.UNEXPECTED}:
        verb = "added"
    several = len({drift.address for drift in drifts}) > 1 or drifts[0].address.kind is AddressKind.ROLE
    return f"{'were' if several else 'was'} {verb}"


def _call(cause: Cause) -> str:
    return cause.action.partition(":")[2] if cause.kind is CauseKind.EVENT else ""


def _after(cause: Cause) -> str:
    match cause.kind:
        case CauseKind.EVENT if cause.action:
            return f", after {cause.action} by {short_name(cause.actor)}"
        case CauseKind.SWEEP:
            return ", found by the sweep"
        case _:
            return ""
