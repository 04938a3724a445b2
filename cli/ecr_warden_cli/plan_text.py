"""Plans and write scopes as people read them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ecr_warden.alerting.layout import Listing, lay_out
from ecr_warden.alerting.wording import describe_address, describe_drift
from ecr_warden.model.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.plan import Change, Held, HoldReason, NewRole, Operation, Plan
from ecr_warden.planning.write_scope import ScopeGap, accounts_with_identities, scope_gap
from ecr_warden.policy.document import Document
from ecr_warden.policy.phrases import Perspective, Telling
from ecr_warden.ports.documents import AccountUnread
from ecr_warden.ports.errors import PortError

from ecr_warden_cli.live import Live

LINES_OF_A_DRIFT = 21
_PLAN = Telling(Perspective.PLAN)


def plan_lines(plan: Plan) -> Iterator[str]:
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


_TEMPLATE = "stacks/member.yaml"


def read_coverage(live: Live) -> tuple[ScopeGap | AccountUnread, ...]:
    """For each account whose users or roles the spec has written; what could not be read is told as such."""
    return tuple(_read(live, account) for account in accounts_with_identities(live.spec.compiled, live.plans))


def _read(live: Live, account: str) -> ScopeGap | AccountUnread:
    try:
        return scope_gap(live.spec.compiled, live.plans, account, live.documents.fence(account))
    except PortError as error:
        return AccountUnread(account, error)


def write_scope_lines(found: Sequence[ScopeGap | AccountUnread], plans: Sequence[Plan]) -> Iterator[str]:
    """What is to do in each account; nothing where all are covered, or where nobody deployed and nothing differs."""
    writing = {change.address.target.account for plan in plans for change in plan.changes}
    for one in found:
        where = f"account {one.account}"
        match one:
            case AccountUnread():
                yield f"{where}: whom its member stack covers is not known, for it cannot be read"
            case ScopeGap(uncovered=()):
                continue
            case ScopeGap() if one.has_stack or one.account in writing:
                yield from _lines(one, where)


def _lines(one: ScopeGap, where: str) -> Iterator[str]:
    stack = "its member stack does not cover" if one.has_stack else "no member stack stands there to cover"
    yield f"{where}: {stack} {len(one.uncovered)} of the spec's users and roles:"
    yield from (f"  {arn}" for arn in one.uncovered)
    if one.parameters:
        yield f"  deploy {_TEMPLATE} there with"
        yield from (f"  {name}={value}" for name, value in one.parameters.items())
    if one.without_room:
        count = len(one.without_room)
        yield f"  {count} fit into no parameter: cover an IAM path such as user/ci/* instead of single ones"


def write_scopes_to_json(found: Sequence[ScopeGap | AccountUnread]) -> list[dict[str, Any]]:
    """`memberStack`: null where it could not be read, with the reason under `error`."""
    return [_json(one) for one in found]


def _json(one: ScopeGap | AccountUnread) -> dict[str, Any]:
    match one:
        case AccountUnread():
            return {"account": one.account, "memberStack": None, "error": str(one.error)}
        case ScopeGap():
            return {
                "account": one.account,
                "memberStack": one.has_stack,
                "uncovered": list(one.uncovered),
                "parameters": dict(one.parameters),
                "withoutRoom": list(one.without_room),
            }
