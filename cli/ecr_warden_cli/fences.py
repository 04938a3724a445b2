"""Whom the member stacks do not let ecr-warden write, and what to deploy so that they do."""

from collections.abc import Iterator, Sequence
from typing import Any

from ecr_warden.model.plan import Plan
from ecr_warden.planning.write_scope import ScopeGap, accounts_with_identities, scope_gap
from ecr_warden.ports.documents import AccountUnread
from ecr_warden.ports.errors import PortError

from ecr_warden_cli.live import Live

_TEMPLATE = "stacks/member.yaml"


def read_coverage(live: Live) -> tuple[ScopeGap | AccountUnread, ...]:
    """For each account whose users or roles the spec has written; what could not be read is told as such."""
    return tuple(_read(live, account) for account in accounts_with_identities(live.spec.compiled, live.plans))


def _read(live: Live, account: str) -> ScopeGap | AccountUnread:
    try:
        return scope_gap(live.spec.compiled, live.plans, account, live.documents.fence(account))
    except PortError as error:
        return AccountUnread(account, error)


def lines_of(found: Sequence[ScopeGap | AccountUnread], plans: Sequence[Plan]) -> Iterator[str]:
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


def json_of(found: Sequence[ScopeGap | AccountUnread]) -> list[dict[str, Any]]:
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
