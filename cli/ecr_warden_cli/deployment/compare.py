"""Compares what is deployed with the release, as `deploy --plan` does, and what CloudFormation does not compare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from ecr_warden_cli.deployment.ports import StackPlace
from ecr_warden_cli.deployment.reconcile import Reconciler, Step
from ecr_warden_cli.deployment.stacks import (
    EVENTS,
    MEMBER,
    NAMES,
    ORGANIZATION,
    RESERVED,
    WantedStack,
    bus_arn,
    stacks_of,
)
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.terminal.context import Failure
from iam_access.arn import IAM_REGION

DEAD_LETTERS = ("ecr-warden-dlq", "ecr-warden-jobs-dlq", "ecr-warden-incidents-dlq")
"""The hub's queues that nothing polls: what is in them waits for a person."""

_RESERVED = "ReservedConcurrentExecutions"


class Compared(Struct, frozen=True):
    """What differs, and how far the comparison came."""

    steps: Sequence[Step] = ()
    """What `deploy` would do."""
    stacks: int = 0
    """Those that were compared."""
    functions: int = 0
    code: Sequence[str] = ()
    """What is other code than the release's."""
    stopped: tuple[str, ...] = ()
    """The functions whose concurrency somebody limits, which no template does."""
    letters: Mapping[str, int] = {}
    """The messages of each queue of dead letters."""
    unseen: Sequence[str] = ()
    """What somebody may have changed in stacks, and CloudFormation could not read."""
    left: Mapping[StackPlace, Step | None] = {}
    """The stacks that the file has no longer, in its accounts, each with what differs in it."""
    unread: tuple[Failure, ...] = ()
    """Why some stacks could not be compared."""


def compare(reconciler: Reconciler, regions: Iterable[str]) -> Compared:
    """Compare everything that these credentials may; raises Failure if that is nothing.

    A change set is made of each stack, and discarded.

    `regions`: further ones in which there may be a stack.
    """
    deployment, entered = reconciler.deployment, reconciler.entered
    wanted = [one.place for one in stacks_of(deployment, "") if one.place.account not in entered.refused]
    with reconciler.discarding():
        steps = reconciler.steps()
        if (missed := len(reconciler.unread)) == len(wanted) > 0:
            raise reconciler.unread[0]
        left = reconciler.left([*_left(deployment, wanted, regions)])
    queues = {one: entered.depth(*reconciler.at, one) for one in DEAD_LETTERS} if reconciler.is_there else {}
    # The template says a number only where the file has one.
    reserving = {
        one["FunctionName"]
        for one in reconciler.release.resources("Function")
        if _RESERVED in one and RESERVED in deployment.parameters
    }
    return Compared(
        steps,
        len(wanted) - missed,
        len(reconciler.running),
        [
            *reconciler.altered,
            *(f"in the bucket for code somebody replaced {key}" for key in reconciler.spoiled),
        ],
        tuple(name for name, one in reconciler.running.items() if one.reserved is not None and name not in reserving),
        {queue: depth for queue, depth in queues.items() if depth},
        reconciler.unseen,
        left,
        tuple(reconciler.unread),
    )


def _left(deployment: Deployment, wanted: Sequence[StackPlace], regions: Iterable[str]) -> Iterator[WantedStack]:
    """Where there may be a stack that the file has no longer."""
    for account in dict.fromkeys(place.account for place in wanted):
        ours = [(EVENTS, one) for one in sorted({*(place.region for place in wanted), *regions})]
        for template, region in (*ours, (MEMBER, IAM_REGION), (ORGANIZATION, deployment.hub_region)):
            place = StackPlace(account, region, NAMES[template])
            if place not in wanted:
                yield WantedStack(place, template, {"HubBusArn": bus_arn(deployment)})
