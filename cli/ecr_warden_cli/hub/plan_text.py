"""Plans and write scopes as people read them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ecr_warden.audit.providers import ProviderGap
from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.core.drift import Drift
from ecr_warden.core.framings import PLAN
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.listing import Listing
from ecr_warden.core.plan import Change, Held, NewRole, Plan
from ecr_warden.core.remedies import DEPLOY_AND_RECONCILE
from ecr_warden.notify.layout import lay_out
from ecr_warden.notify.wording import describe_address, describe_difference
from ecr_warden.repair.run_ended import difference_of
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.repair.write_scope import ROLE_LIST, WRITES
from ecr_warden_cli.terminal.console import Console, Style
from iam_access.document.document import Document

_LINES_PER_DRIFT = 21


class Reasons:
    """Why targets could not be read, in words: each reason once, then by the target at which it was printed."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def of(self, reason: str, target: str) -> str:
        """The reason, or `for the same reason as TARGET`."""
        first = self._said.setdefault(reason, target)
        return reason if first == target else f"for the same reason as {first}"


def plan_lines(plan: Plan, reasons: Reasons) -> Iterator[str]:
    """A plan in lines: drift, who will gain or lose what, the changes in order, and what is held."""
    unreadable = [drift for drift in plan.drifts if drift.kind is DriftKind.UNREADABLE]
    for reason in unreadable_of(plan.drifts):
        where = [describe_address(drift.address) for drift in unreadable if drift.explain == reason]
        yield f"  state unknown, cannot be read ({', '.join(where)}): {reasons.of(reason, str(plan.target))}"
    for drift in plan.drifts:
        if drift not in unreadable:
            lines = lay_out(
                [Listing("difference", (describe_difference(difference_of(drift, PLAN)),))], _LINES_PER_DRIFT
            )
            yield from (f"  {line}" for line in lines)
    if plan.changes:
        yield "  would write, in this order:"
        yield from (f"    {number}. {describe_change(change)}" for number, change in enumerate(plan.changes, 1))
    yield from (f"  held: {describe_address(held.drift.address)}: {held.explain}" for held in held_of(plan))


def show_targets(console: Console, plans: Iterable[Plan], left: Mapping[str, str], *, apart: bool = False) -> None:
    """Print plans; `left`: why some are not carried out for now, by target; `apart`: with an empty line after each."""
    reasons = Reasons()
    for plan in plans:
        console.line(str(plan.target), Style.BAD if unreadable_of(plan.drifts) else Style.HEADING)
        console.lines(plan_lines(plan, reasons))
        if why := left.get(str(plan.target)):
            console.line(f"  not carried out for now: {why}", Style.ODD)
        if apart:
            console.line()


def held_of(plan: Plan) -> tuple[Held, ...]:
    """The held changes, without those held only because the document is unreadable."""
    return tuple(held for held in plan.held if held.reason is not HoldReason.UNREADABLE)


def unreadable_of(drifts: Iterable[Drift]) -> tuple[str, ...]:
    """The reasons why parts of a target could not be read, each once."""
    return tuple(dict.fromkeys(drift.explain for drift in drifts if drift.kind is DriftKind.UNREADABLE))


def describe_change(change: Change) -> str:
    """`update trust policy (takes access away)`."""
    gives = None if change.access is None else (bool(change.access.gained), bool(change.access.lost))
    return f"{change.operation} {_what(change)}" + ("" if gives is None else f" ({_EFFECTS[gives]})")


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


_EFFECTS = {
    (True, True): "gives and takes access",
    (True, False): "gives access",
    (False, True): "takes access away",
    (False, False): "changes no access",
}
"""Of a change, by whether it gives access and whether it takes some away."""


def show_gaps(console: Console, found: Iterable[ProviderGap]) -> None:
    """Print what accounts lack, or may lack, of the identity providers that push roles trust, with the commands."""
    for gap in found:
        console.line(gap.because, Style.ODD)
        for command in gap.commands:
            console.block(f"  {command}")


def gap_to_json(gap: ProviderGap) -> dict[str, Any]:
    """`{"provider", "problem", "roles", "audiences", "because", "remedy"}`."""
    return {
        "provider": gap.provider,
        "problem": gap.kind,
        "roles": list(gap.roles),
        "audiences": list(gap.audiences),
        "because": gap.because,
        "remedy": gap.remedy,
    }


def write_scope_lines(found: Sequence[ScopeGap | ScopeUnread], *, writes: bool, by: str = "") -> Iterator[str]:
    """The lines that each account lacks in ecr-warden.yaml; none without a gap, or without a stack to write by.

    An account in which all is as it should be needs its stack too: somebody may change it tomorrow. `writes`: whether
    there is something to write. `by`: the file that says so, where no account was asked.
    """
    for one in found:
        where = f"by {by}, account {one.account}" if by else f"account {one.account}"
        if isinstance(one, ScopeUnread):
            yield f"{where}: it is unknown whom its member stack covers: {one.error}"
        elif (one.uncovered or one.parameters) and (one.has_stack or writes):
            yield from _lines(one, where)


def _lines(gap: ScopeGap, where: str) -> Iterator[str]:
    stack = "its member stack does not cover" if gap.has_stack else "there is no member stack to cover"
    if gap.uncovered:
        yield f"{where}: {stack} {len(gap.uncovered)} of the users and roles in the spec:"
    else:
        yield f"{where}: its member stack does not let ecr-warden write what the spec has there:"
    yield from (f"  {arn}" for arn in gap.uncovered)
    yield from (f"  {line}" for line in scope_remedy(gap))


def scope_remedy(gap: ScopeGap) -> Iterator[str]:
    """What to add to ecr-warden.yaml, and what follows."""
    trusted = [arn for arn in gap.uncovered if arn in gap.parameters.get(ROLE_LIST, "").split(",")]
    owners = [arn for arn in gap.uncovered if arn not in trusted and arn not in gap.without_room]
    added = {
        name: [arn.split(":")[5] for arn in arns] for name, arns in (("owners", owners), ("roles", trusted)) if arns
    }
    if gap.parameters:
        yield f"add to the account in ecr-warden.yaml, then {DEPLOY_AND_RECONCILE}:"
        yield from (f"  {name}: [{', '.join(entries)}]" for name, entries in added.items())
        yield from (f"  writes: {value}" for name, value in gap.parameters.items() if name == WRITES)
    if gap.without_room:
        yield f"{len(gap.without_room)} have no room: list an IAM path such as user/ci/* instead of single names"
