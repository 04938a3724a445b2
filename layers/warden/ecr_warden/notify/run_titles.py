"""What happened to a target, by whom, and how the run ended: the title of a message on it."""

from collections.abc import Sequence

from ecr_warden.core.address import DENY_OLDER_SESSIONS, WRITES, Address, AddressKind
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.framings import DRIFT, PLAN, ROLLED_OUT, incident
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.plan import Held
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunEntry, RunReport, Skipped
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify.layout import TITLE
from ecr_warden.notify.wording import describe_address, name_of
from iam_access.delta.phrases import Framing
from iam_access.text.printable import cut, first

DONE = "done"
"""How a run ended that did what had become due, which is no repair."""

_DOCUMENTS = 2
_STATE = 80
_DOCUMENT = 70
_DELETES = ("DeleteRepository", "DeleteRole", "DeleteUser")


def title_of(report: RunReport, drifts: Sequence[Drift]) -> str:
    """`trust policy of role ecr-pusher was changed by mallory; repaired after 4 s`; `drifts`: the worst first."""
    intruder = "INTRUDER in the write role: " if report.intruder else ""
    state = cut(state_of(report, was_gone=any(map(_is_gone, drifts))), _STATE)
    # How it ended is never cut.
    return f"{cut(intruder + _what_happened(report, drifts), TITLE - len(state) - 2)}; {state}"


def state_of(report: RunReport, *, was_gone: bool = False) -> str:
    """How the run ended, and what it left; `was_gone`: the target did not exist."""
    return _how(report, was_gone=was_gone) + ("; sessions opened since go on" if report.goes_on else "")


def _how(report: RunReport, *, was_gone: bool) -> str:
    if report.result is not Result.CONVERGED or report.cause.rolls_out:
        return describe_result(report)
    if not report.plan.drifts:
        return describe_result(report)
    seconds = seconds_open(report)
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return ("recreated" if was_gone else describe_result(report)) + after


def _what_happened(report: RunReport, drifts: Sequence[Drift]) -> str:
    target, cause = report.plan.target, report.cause
    if not drifts:
        if report.intruder or not report.plan.changes:
            return f"{name_of(target)}{_after(cause) if report.intruder else ''}"
        return f"{name_of(target)}: {report.plan.changes[0].why}"
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
    if report.cause.rolls_out:
        return f"{named}: version {report.plan.spec_version} of the spec"
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


def _is_gone(drift: Drift) -> bool:
    is_role = drift.address.kind is AddressKind.ROLE and drift.kind is DriftKind.MISSING
    return is_role or drift.kind is DriftKind.TARGET_MISSING


def _was(drifts: Sequence[Drift], call: str) -> str:
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


def describe_result(report: RunReport) -> str:
    """How a run ended, in a few words."""
    if report.contested:
        return "CONTESTED, NOT repaired: another caller keeps writing it"
    if report.result is Result.WAITING and any(held.reason is HoldReason.PACED for held in report.plan.held):
        return (
            "narrowed, what is missing is given back later" if report.applied else "what is missing is given back later"
        )
    if report.result is Result.CONVERGED and report.cause.rolls_out:
        return "rolled out"
    if report.result is Result.CONVERGED and not report.plan.drifts:
        return DONE
    if report.result is Result.FAILED and report.cause.rolls_out:
        return "could NOT be rolled out"
    if report.result is Result.REPORTED:
        return f"{report.result.words}: {', '.join(reasons(report)) or 'left unchanged'}"
    return report.result.words


def framing_of(report: RunReport, drift: Drift) -> Framing:
    """The perspective from which a run's drift is described."""
    ended = report.result is Result.CONVERGED or (
        report.result not in (Result.STILL_DRIFTED, Result.NOT_YET_VISIBLE)
        and any(change.address == drift.address for change in report.applied)
    )
    if report.cause.rolls_out:
        if ended:
            return ROLLED_OUT
        return PLAN if report.result in _GOES_ON else DRIFT
    return incident(lasted(report)) if ended else DRIFT


_GOES_ON = (Result.NOT_YET_VISIBLE, Result.WAITING, Result.INTERRUPTED)


def narrowed_only(report: RunReport) -> frozenset[Address]:
    """The documents of which a run wrote the part that takes access away, and held the rest."""
    return frozenset(hold.drift.address for hold in report.plan.held) & {change.address for change in report.applied}


def lasted(report: RunReport) -> str:
    """From the call to the repair: `for 41 s`; without a known call, only its end."""
    seconds = seconds_open(report)
    return "until it was repaired" if seconds is None else f"for {duration(seconds)}"


def seconds_open(report: RunReport | RunEntry) -> int | None:
    """From the call that an event reports to the end of the run."""
    began = report.cause.time if report.cause.action and report.cause.kind is CauseKind.EVENT else None
    # CloudTrail and the function have different clocks.
    ended = report.finished_at
    return None if began is None or ended is None else max(0, round((ended - began).total_seconds()))


def duration(seconds: int) -> str:
    """`41 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 1:
        return "less than 1 s"
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2])


def reasons(report: RunReport) -> tuple[str, ...]:
    """Why drift was left unchanged, each reason once."""
    held = [_hold_reason(held) for held in report.plan.held]
    skipped = [outcome.reason for outcome in report.outcomes if isinstance(outcome, Skipped)]
    return tuple(dict.fromkeys([*held, *skipped]))


def _hold_reason(held: Held) -> str:
    if held.reason is HoldReason.TARGET_MISSING:
        kind = "repositories" if isinstance(held.drift.address.target, RepositoryTarget) else "users or roles"
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
    HoldReason.PRINCIPAL_UNKNOWN: "AWS does not know a principal of the spec (yet)",
}
