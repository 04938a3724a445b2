"""Whether what a run found is over, and what it gave or took: the first line of a message on it."""

from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.lasting import duration
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify.message import MessageState
from ecr_warden.notify.wording import describe_address, name_of, written
from ecr_warden.repair.alerts import Difference, OutcomeKind, RunEnded, Unrepaired
from iam_access.text.printable import cut, first

_DOCUMENTS = 2
_DOCUMENT = 70


def state_of(run: RunEnded) -> MessageState:
    """Whether it is over."""
    match run.result:
        case Result.FAILED:
            return MessageState.FAILED
        case Result.UNKNOWN:
            return MessageState.UNKNOWN
        case Result.IN_SYNC | Result.CONVERGED if run.intruder:
            return MessageState.OPEN  # whoever is in the write role still is, whatever was repaired
        case Result.IN_SYNC:
            return MessageState.CLOSED  # what an earlier run found is over
        case Result.WAITING if run.applied and not run.intruder:
            return MessageState.CLOSED  # what it gave too much is taken away; what it lacks waits
        case Result.CONVERGED if run.goes_on:
            return MessageState.OPEN  # whoever opened a session meanwhile still has the access
        case Result.CONVERGED:
            return (
                MessageState.DONE
                if run.cause.rolls_out or run.of_version or not run.differences
                else MessageState.CLOSED
            )
        case _:
            return MessageState.OPEN


def lasted(run: RunEnded) -> str:
    """`after 4 s`; empty where nothing is closed, or nobody knows when it began."""
    seconds = run.opened.lasted(run.finished_at) if state_of(run) is MessageState.CLOSED else None
    return "" if seconds is None else f"after {duration(seconds)}"


def state_in_words(run: RunEnded) -> str:
    """`closed after 4 s`, `open, nothing: mode is observe`."""
    state = state_of(run)
    if state in (MessageState.CLOSED, MessageState.DONE):
        return f"{state} {lasted(run)}".rstrip()
    return f"{state}, {describe_result(run)}{', sessions opened meanwhile go on' if run.goes_on else ''}"


def title_of(run: RunEnded) -> str:
    """`account 999999999999 could push to shop/checkout`; where the effect is not known, that and the document."""
    intruder = f"INTRUDER in the write role, at {name_of(run.target)}" if run.intruder else ""
    more = f" ({run.more_effects} more)" if run.more_effects else ""
    goes_on = "sessions go on: " if run.goes_on else ""
    found = f"{goes_on}{_what_happened(run)}" if run.differences or not run.intruder else ""
    return "; ".join(filter(None, (intruder, f"{found}{more}", "CONTESTED" if run.contested else "")))


def _what_happened(run: RunEnded) -> str:
    if run.effect:
        return run.effect
    drifts = [drift for drift in run.differences if not drift.same_access] or [*run.differences]
    if run.result is Result.IN_SYNC and not drifts:
        return f"{name_of(run.target)} is as the spec says again"
    if not drifts:
        return f"{name_of(run.target)}: {run.changes[0].why}" if run.changes else name_of(run.target)
    if any(drift.code == BlockedByDeny.code for drift in drifts):
        return f"ecr-warden is denied access to {name_of(run.target)}"
    gravest = drifts[0]
    document = _named(run, [gravest.address])
    if is_gone(gravest):
        return f"{name_of(run.target)} {'did' if state_of(run) is MessageState.CLOSED else 'does'} not exist"
    if gravest.same_access:
        return f"no access changed: {document} rewritten"
    is_over = state_of(run) is MessageState.CLOSED
    if gravest.kind in (DriftKind.UNREADABLE, DriftKind.UNPARSEABLE):
        return f"{document} {'could not' if is_over else 'cannot'} be {_VERBS[gravest.kind]}"
    known = "" if gravest.kind is DriftKind.SETTLING else ": effect not known"
    return f"{document} {'was' if is_over else 'is'} {_DIFFERS[gravest.kind]}{known}"


_VERBS = {DriftKind.UNREADABLE: "read", DriftKind.UNPARSEABLE: "parsed"}
_DIFFERS = {
    DriftKind.MISSING: "missing",
    DriftKind.CHANGED: "changed",
    DriftKind.UNEXPECTED: "not in the spec",
    DriftKind.PRINCIPAL_RECREATED: "of a principal that was recreated",
    DriftKind.SETTLING: "not shown by AWS yet",
}


def where(run: RunEnded) -> str:
    """`trust policy of role/222222222222/ecr-pusher`; the target alone if nothing differed."""
    addresses = [drift.address for drift in run.differences]
    place = f" in {run.target.account} {run.target.region}" if isinstance(run.target, RepositoryTarget) else ""
    return (_named(run, addresses) if addresses else name_of(run.target)) + place


def _named(run: RunEnded, addresses: list[Address]) -> str:
    """`trust policy of role/222222222222/ecr-pusher`, `repository policy of shop/checkout`."""
    # An attacker may have chosen the name of a policy: leave room for the target.
    shown = [cut(_document(address), _DOCUMENT) for address in addresses]
    return f"{', '.join(first(list(dict.fromkeys(shown)), _DOCUMENTS))} of {written(run.target)}"


def _document(address: Address) -> str:
    if address.name == DENY_OLDER_SESSIONS:
        return "session cut-off"
    return "settings" if address.kind is AddressKind.ROLE else describe_address(address)


def is_gone(drift: Difference) -> bool:
    """Whether the target itself does not exist."""
    is_role = drift.address.kind is AddressKind.ROLE and drift.kind is DriftKind.MISSING
    return is_role or drift.kind is DriftKind.TARGET_MISSING


def describe_result(run: RunEnded) -> str:
    """What was done, in a few words, and why no more."""
    if run.contested:
        return "NOT repaired: another caller keeps writing it"
    if run.result is Result.WAITING and any(held.reason is HoldReason.PACED for held in run.held):
        return "what is missing is given back later"
    if run.result is Result.REPORTED:
        return f"nothing: {', '.join(reasons(run)) or 'left unchanged'}"
    return _RESULTS.get(run.result, run.result.words)


_RESULTS = {
    Result.IN_SYNC: "nothing: it is as the spec says",
    Result.NOT_YET_VISIBLE: "AWS does not show it yet",
    Result.STILL_DRIFTED: "changed again at once, NOT as the spec says",
    Result.UNKNOWN: "nothing: it cannot be read",
}


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
    HoldReason.ROLE_NOT_IN_SYNC: "the role is not as the spec says yet",
    HoldReason.OWN_ACCESS: "ecr-warden would lock itself out",
    HoldReason.NOT_OURS: "the role is not ecr-warden's",
    HoldReason.SETTLING: "AWS does not show the last write yet",
    HoldReason.MOVED: "it has changed since it was judged",
    HoldReason.PACED: "somebody keeps changing it",
    HoldReason.REFUSED: "AWS refuses what the spec says",
}
