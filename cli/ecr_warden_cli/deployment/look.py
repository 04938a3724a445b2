"""Looks at a deployment: asks the hub, and looks itself at what the hub cannot see or does not say."""

import platform
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from typing import Any, Protocol

from ecr_warden import __version__
from ecr_warden.collect.wire import Wire
from ecr_warden.collect.wires import Wiring
from ecr_warden.collect.wiring import HubPlace, account_wires, hub_wires, region_wires
from ecr_warden.hub.reply import StatusReply
from ecr_warden_cli.context import Failure
from ecr_warden_cli.deployment.checkup import Checkup, Looks, diagnose, unwatched
from ecr_warden_cli.deployment.ports import LiveStack
from ecr_warden_cli.deployment.sessions import aliases_of
from ecr_warden_cli.deployment.stacks import external_id, hub_place
from ecr_warden_cli.deployment.wanted import Deployment

_AT_ONCE = 8
"""Accounts that are looked at side by side."""


class Sight(Protocol):
    """What a person's own credentials show; each method raises Failure."""

    def skew(self) -> timedelta:
        """By how much AWS's clock is ahead of this one; without credentials, which a wrong clock makes worthless."""

    def caller(self, account: str) -> str:
        """The ARN by which an account was entered."""

    def stack(self) -> LiveStack | None:
        """The hub's."""

    def wiring(self, place: HubPlace) -> Wiring:
        """The wiring of the hub and of the accounts that were entered."""

    def surveyed(self, account: str) -> Mapping[str, Any]:
        """The entry of an account in the estate, with its roles and policies."""

    def holds(self, reference: str) -> bool:
        """Whether there is such a parameter, or secret, in the hub's account; its value is not read."""


def examine(deployment: Deployment | Failure, ask: Callable[[], StatusReply], sight: Sight | None) -> Checkup:
    """What is wrong with a deployment; `ask`: asks the hub; `sight`: None where nobody knows which accounts it has."""
    version = f"ecr-warden {__version__}, Python {platform.python_version()}"
    status = _tried(ask)
    if isinstance(deployment, Failure) or sight is None:
        return diagnose(Looks(version, status, deployment))
    entered = _side_by_side(lambda account: _tried(lambda: sight.caller(account)), aliases_of(deployment))
    answers = isinstance(status, StatusReply)
    regions = unwatched(deployment, status if isinstance(status, StatusReply) else None)
    stack = None if answers and not regions else _tried(sight.stack)
    place = _hub(deployment, stack if isinstance(stack, LiveStack) else LiveStack(""))
    wiring = sight.wiring(place)

    def of_account(account: str) -> tuple[Wire, ...]:
        of_regions = (region_wires(wiring.region(account, one), account, one, place) for one in regions[account])
        return (*account_wires(wiring.account(account, sight.surveyed(account)), account, place), *chain(*of_regions))

    can_look = not isinstance(stack, Failure)
    own = hub_wires(wiring.hub(), place) if can_look and not answers else ()
    found = _side_by_side(of_account, [one for one in regions if can_look and isinstance(entered[one], str)])
    knows_secrets = deployment.webhook and isinstance(entered[place.account], str)
    webhook = _tried(lambda: sight.holds(deployment.webhook)) if knows_secrets else None
    wires = (*own, *chain(*found.values()))
    return diagnose(Looks(version, status, deployment, _tried(sight.skew), entered, stack, wires, webhook))


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
