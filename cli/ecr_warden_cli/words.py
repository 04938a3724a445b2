"""Plans in the lines that people read."""

from collections.abc import Iterable, Iterator

from ecr_warden.alerting.layout import Listing, lay_out
from ecr_warden.alerting.words import describe_address, describe_drift
from ecr_warden.model.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.plan import Change, Held, HoldReason, NewRole, Operation, Plan
from ecr_warden.policy.document import Document
from ecr_warden.policy.phrases import Perspective, Telling

LINES_OF_A_DRIFT = 21
_PLAN = Telling(Perspective.PLAN)


def lines_of(plan: Plan) -> Iterator[str]:
    """What differs and who will gain or lose what, what would be written in which order, and what is held."""
    unreadable = [drift for drift in plan.drifts if drift.kind is DriftKind.UNREADABLE]
    for reason in unreadable_of(plan.drifts):
        where = [describe_address(drift.address) for drift in unreadable if drift.explain == reason]
        yield f"  state unknown, for it cannot be read ({', '.join(where)}): {reason}"
    for drift in plan.drifts:
        if drift not in unreadable:
            told = lay_out([Listing("difference", (describe_drift(drift, _PLAN),))], LINES_OF_A_DRIFT)
            yield from (f"  {line}" for line in told)
    if plan.changes:
        yield "  would write, in this order:"
        for number, change in enumerate(plan.changes, 1):
            yield f"    {number}. {describe_change_of(change)}"
    for held in held_of(plan):
        yield f"  held: {describe_address(held.drift.address)}: {held.explain}"


def held_of(plan: Plan) -> tuple[Held, ...]:
    """What is held though it could be read; the rest is told as unreadable."""
    return tuple(held for held in plan.held if held.reason is not HoldReason.UNREADABLE)


def unreadable_of(drifts: Iterable[Drift]) -> tuple[str, ...]:
    """Why something of a target could not be read, each reason once."""
    return tuple(dict.fromkeys(drift.explain for drift in drifts if drift.kind is DriftKind.UNREADABLE))


def describe_change_of(change: Change) -> str:
    """`update trust policy (takes access away)`."""
    effect = _effect(change)
    return f"{change.operation} {_what(change)}" + (f" ({effect})" if effect else "")


def _what(change: Change) -> str:
    match change:
        case Change(after=NewRole()):
            return "role, with its trust policy"
        case Change(operation=Operation.DELETE, address=Address(kind=AddressKind.ROLE)):
            return "role"
        case Change(address=Address(name=name), after=Document()) if name == DENY_OLDER_SESSIONS:
            return f"{describe_address(change.address)}: {change.why}"
        case _:
            return describe_address(change.address)


def _effect(change: Change) -> str:
    if change.access is None:
        return ""
    match bool(change.access.gained), bool(change.access.lost):
        case True, True:
            return "gives and takes access"
        case True, False:
            return "gives access"
        case False, True:
            return "takes access away"
        case _:
            return "changes no access"
