"""What happened to a target, by whom, and how the run ended: the title of a message on it."""

from collections.abc import Sequence

from ecr_warden.core.address import DENY_OLDER_SESSIONS, WRITES, Address, AddressKind
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.lasting import duration, seconds_open
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify.layout import TITLE
from ecr_warden.notify.wording import describe_address, name_of
from ecr_warden.repair.alerts import Difference, OutcomeKind, RunEnded, Unrepaired
from iam_access.text.printable import cut, first

DONE = "done"
"""How a run ended that did what had become due, which is no repair."""

_DOCUMENTS = 2
_STATE = 80
_DOCUMENT = 70
_DELETES = ("DeleteRepository", "DeleteRole", "DeleteUser")


def title_of(run: RunEnded) -> str:
    """`trust policy of role ecr-pusher was changed by mallory; repaired after 4 s`."""
    intruder = "INTRUDER in the write role: " if run.intruder else ""
    state = cut(state_of(run, was_gone=any(map(_is_gone, run.differences))), _STATE)
    # How it ended is never cut.
    return f"{cut(intruder + _what_happened(run), TITLE - len(state) - 2)}; {state}"


def state_of(run: RunEnded, *, was_gone: bool = False) -> str:
    """How the run ended, and what it left; `was_gone`: the target did not exist."""
    return _how(run, was_gone=was_gone) + ("; sessions opened since go on" if run.goes_on else "")


def _how(run: RunEnded, *, was_gone: bool) -> str:
    if run.result is not Result.CONVERGED or run.cause.rolls_out:
        return describe_result(run)
    if not run.differences:
        return describe_result(run)
    seconds = seconds_open(run.cause, run.finished_at)
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return ("recreated" if was_gone else describe_result(run)) + after


def _what_happened(run: RunEnded) -> str:
    target, cause, drifts = run.target, run.cause, run.differences
    if not drifts:
        if run.intruder or not run.changes:
            return f"{name_of(target)}{_after(cause) if run.intruder else ''}"
        return f"{name_of(target)}: {run.changes[0].why}"
    if any(drift.code == BlockedByDeny.code for drift in drifts):
        return f"ecr-warden is denied access to {name_of(target)}{_after(cause)}"
    gone = any(_is_gone(drift) for drift in drifts)
    if gone and _call(cause) in _DELETES:
        return f"{name_of(target)} was deleted by {short_name(cause.actor)}"
    if gone:
        return f"{name_of(target)} does not exist{_after(cause)}"
    documents = list(dict.fromkeys(_document(drift.address) for drift in drifts))
    whose = target.name if isinstance(target, RepositoryTarget) else name_of(target)
    # An attacker may have chosen the name of a policy: leave room for the target and the caller.
    shown = [cut(document, _DOCUMENT) for document in documents]
    named = f"{', '.join(first(shown, _DOCUMENTS))} of {whose}"
    if run.cause.rolls_out:
        return f"{named}: version {run.spec_version} of the spec"
    if all(drift.kind is DriftKind.UNREADABLE for drift in drifts):
        return f"{named}{_after(cause)}"
    is_from_event = cause.kind is CauseKind.EVENT and cause.actor is not None
    if is_from_event and any(_call(cause) in WRITES[drift.address.kind] for drift in drifts):
        return f"{named} {_was(drifts, _call(cause))} by {short_name(cause.actor)}"
    verb = "differs" if len(documents) == 1 and documents != ["settings"] else "differ"
    return f"{named} {verb} from the spec{_after(cause)}"


def _document(address: Address) -> str:
    if address.name == DENY_OLDER_SESSIONS:
        return "session cut-off"
    if address.kind is AddressKind.ROLE:
        return "settings"
    return describe_address(address)


def _is_gone(drift: Difference) -> bool:
    is_role = drift.address.kind is AddressKind.ROLE and drift.kind is DriftKind.MISSING
    return is_role or drift.kind is DriftKind.TARGET_MISSING


def _was(drifts: Sequence[Difference], call: str) -> str:
    mine = {drift.kind for drift in drifts if call in WRITES[drift.address.kind]}
    takes_away = call.startswith(("Delete", "Detach"))
    verb = "changed"
    if takes_away and mine == {DriftKind.MISSING}:
        verb = "deleted"
    elif not takes_away and mine == {DriftKind.UNEXPECTED}:
        verb = "added"
    several = len({drift.address for drift in drifts}) > 1 or drifts[0].address.kind is AddressKind.ROLE
    return f"{'were' if several else 'was'} {verb}"


def _call(cause: Cause) -> str:
    return cause.call if cause.kind is CauseKind.EVENT else ""


def _after(cause: Cause) -> str:
    match cause.kind:
        case CauseKind.EVENT if cause.action:
            return f", after {cause.action} by {short_name(cause.actor)}"
        case CauseKind.SWEEP:
            return ", found by the sweep"
        case _:
            return ""


def describe_result(run: RunEnded) -> str:
    """How a run ended, in a few words."""
    if run.contested:
        return "CONTESTED, NOT repaired: another caller keeps writing it"
    if run.result is Result.WAITING and any(held.reason is HoldReason.PACED for held in run.held):
        return "narrowed, what is missing is given back later" if run.applied else "what is missing is given back later"
    if run.result is Result.CONVERGED and run.cause.rolls_out:
        return "rolled out"
    if run.result is Result.CONVERGED and not run.differences:
        return DONE
    if run.result is Result.FAILED and run.cause.rolls_out:
        return "could NOT be rolled out"
    if run.result is Result.REPORTED:
        return f"{run.result.words}: {', '.join(reasons(run)) or 'left unchanged'}"
    return run.result.words


def reasons(run: RunEnded) -> tuple[str, ...]:
    """Why drift was left unchanged, each reason once."""
    held = [_hold_reason(held) for held in run.held]
    skipped = [change.explain for change in run.changes if change.outcome is OutcomeKind.SKIPPED]
    return tuple(dict.fromkeys([*held, *skipped]))


def _hold_reason(held: Unrepaired) -> str:
    if held.reason is HoldReason.TARGET_MISSING:
        kind = "repositories" if isinstance(held.address.target, RepositoryTarget) else "users or roles"
        return f"ecr-warden does not create {kind}"
    return _HOLD_REASONS[held.reason]


_HOLD_REASONS = {
    HoldReason.OBSERVE_MODE: "mode is observe",
    HoldReason.UNREADABLE: "it cannot be read",
    HoldReason.ROLE_NOT_IN_SYNC: "the role is not in sync yet",
    HoldReason.OWN_ACCESS: "ecr-warden would lock itself out",
    HoldReason.NOT_OURS: "the role is not ecr-warden's",
    HoldReason.SETTLING: "AWS does not show the last write yet",
    HoldReason.MOVED: "it has changed since it was judged",
    HoldReason.PACED: "somebody keeps changing it",
    HoldReason.REFUSED: "AWS refuses what the spec says",
}
