"""Looks at a deployment: asks the hub, and looks itself at what the hub cannot see or does not say."""

import platform
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain

from ecr_warden import __version__
from ecr_warden.collect.wire import Wire
from ecr_warden.collect.wiring import HubPlace, Wiring
from ecr_warden.collect.wiring_verdicts import account_wires, hub_wires, region_wires
from ecr_warden.core.clock import Clock
from ecr_warden.hub.reply import StatusReply
from ecr_warden_cli.deployment.checkup import Checkup, Looks, diagnose, unwatched
from ecr_warden_cli.deployment.compare import Compared
from ecr_warden_cli.deployment.ports import Entered, LiveStack
from ecr_warden_cli.deployment.sessions import aliases_of
from ecr_warden_cli.deployment.stacks import external_id, hub_place
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.terminal.context import Failure

_AT_ONCE = 8
"""Accounts that are looked at side by side."""


def examine(
    deployment: Deployment | Failure,
    ask: Callable[[], StatusReply],
    entered: Entered | None,
    clock: Clock,
    compare: Callable[[Iterable[str]], Compared] | None = None,
) -> Checkup:
    """What is wrong with a deployment.

    `ask`: asks the hub; `entered`: None where nobody knows which accounts the deployment has; `compare`: compares with
    the release what is in the file's regions and in these.
    """
    version = f"ecr-warden {__version__}, Python {platform.python_version()}"
    status = _tried(ask)
    if isinstance(deployment, Failure) or entered is None:
        return diagnose(Looks(version, status, deployment))
    callers = {account: _tried(partial(entered.caller, account)) for account in aliases_of(deployment)}
    reply = status if isinstance(status, StatusReply) else None
    regions = unwatched(deployment, reply)
    hub = hub_place(deployment)
    looks = reply is None or bool(regions)
    stack = _tried(lambda: entered.stacks(hub.account, hub.region).read(hub.name)) if looks else None
    place = _hub(deployment, stack if isinstance(stack, LiveStack) else LiveStack(""))
    wiring = entered.wiring(place)
    of_account = partial(_wires_of, entered, wiring, place, regions)
    can_look = not isinstance(stack, Failure)
    own = hub_wires(wiring.hub(), place) if can_look and reply is None else ()
    found = _side_by_side(of_account, [one for one in regions if can_look and isinstance(callers[one], str)])
    secrets = {
        channel: _tried(partial(entered.holds, hub.account, hub.region, place))
        for channel, place in deployment.secrets.items()
        if isinstance(callers[hub.account], str)
    }
    seen = {part.partition("/")[2] for part in (reply.watched if reply is not None else ())} - {""}
    is_deployed = reply is not None or stack is not None
    compared = _tried(partial(compare, seen)) if compare is not None and is_deployed else None
    # Whoever may not compare may not ask for this either.
    may_ask = isinstance(callers[hub.account], str) and not isinstance(compared, Failure)
    executions = _tried(partial(entered.executions, hub.account, hub.region)) if may_ask else None
    looked = (_tried(partial(entered.skew, clock)), callers, stack, (*own, *chain(*found.values())), secrets)
    return diagnose(Looks(version, status, deployment, *looked, compared, executions))


def _wires_of(
    entered: Entered, wiring: Wiring, place: HubPlace, regions: Mapping[str, Sequence[str]], account: str
) -> tuple[Wire, ...]:
    """The wires of an account, and those of its regions."""
    of_regions = (region_wires(wiring.region(account, one), account, one, place) for one in regions[account])
    return (*account_wires(wiring.account(account, entered.surveyed(account)), account, place), *chain(*of_regions))


def _hub(deployment: Deployment, stack: LiveStack) -> HubPlace:
    """What the hub knows of itself, by its stack or, where there is none, as it would be."""
    place = hub_place(deployment)
    return HubPlace(
        place.account,
        place.region,
        stack.outputs.get("SpecBucket", f"ecr-warden-spec-{place.account}-{place.region}"),
        stack.outputs.get("ExternalId", external_id(deployment)),
        stack.id or f"arn:aws:cloudformation:{place.region}:{place.account}:stack/{place.name}/none",
        stack.parameters.get("AlertEmail", ""),
    )


def _tried[T](look: Callable[[], T]) -> T | Failure:
    try:
        return look()
    except Failure as failure:
        return failure


def _side_by_side[T](look: Callable[[str], T], accounts: Collection[str]) -> dict[str, T]:
    with ThreadPoolExecutor(_AT_ONCE, "doctor") as pool:
        return dict(zip(accounts, pool.map(look, accounts), strict=True))
