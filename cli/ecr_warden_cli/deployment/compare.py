"""Compares what is deployed with the release, as `deploy --plan` does, and what CloudFormation does not compare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from msgspec import Struct

from ecr_warden_cli.deployment.ports import Entered, StackPlace
from ecr_warden_cli.deployment.reconcile import Reconciler, Step
from ecr_warden_cli.deployment.stacks import EVENTS, NAMES, RESERVED, stacks_of
from ecr_warden_cli.terminal.context import Failure

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
    altered: Mapping[str, str] = {}
    """The functions that run other code than the release's, by name, and of what."""
    spoiled: Sequence[str] = ()
    """The files of code in the bucket that somebody replaced."""
    stopped: tuple[str, ...] = ()
    """The functions whose concurrency somebody limits, which no template does."""
    letters: Mapping[str, int] = {}
    """The messages of each queue of dead letters."""
    unseen: Sequence[str] = ()
    """What somebody may have changed in stacks, and CloudFormation could not read."""
    left: tuple[StackPlace, ...] = ()
    """Stacks of events in regions that the file has no longer."""
    unread: tuple[Failure, ...] = ()
    """Why some stacks could not be compared."""


def compare(reconciler: Reconciler, regions: Iterable[str]) -> Compared:
    """Compare everything that these credentials may; raises Failure if that is nothing.

    A change set is made of each stack, and discarded.

    `regions`: further ones in which there may be a stack.
    """
    with reconciler.discarding():
        steps = reconciler.steps()
    deployment, entered = reconciler.deployment, reconciler.entered
    account, region = deployment.hub_account, deployment.hub_region
    wanted = [one.place for one in stacks_of(deployment, "") if one.place.account not in entered.refused]
    if len(reconciler.unread) == len(wanted) > 0:
        raise reconciler.unread[0]
    is_there = not reconciler.is_new and account not in entered.refused
    queues = {queue: entered.depth(account, region, queue) for queue in DEAD_LETTERS} if is_there else {}
    # The template says a number only where the file has one.
    reserving = {
        one["FunctionName"]
        for one in reconciler.release.resources("Function")
        if _RESERVED in one and RESERVED in deployment.parameters
    }
    return Compared(
        steps,
        len(wanted) - len(reconciler.unread),
        len(reconciler.running),
        reconciler.altered,
        reconciler.spoiled,
        tuple(name for name, one in reconciler.running.items() if one.reserved is not None and name not in reserving),
        {queue: depth for queue, depth in queues.items() if depth},
        reconciler.unseen,
        tuple(_left(entered, wanted, regions)),
        tuple(reconciler.unread),
    )


def _left(entered: Entered, wanted: Sequence[StackPlace], regions: Iterable[str]) -> Iterator[StackPlace]:
    accounts, everywhere = (
        dict.fromkeys(place.account for place in wanted),
        {*(place.region for place in wanted), *regions},
    )
    places = (StackPlace(*where, NAMES[EVENTS]) for where in product(accounts, sorted(everywhere)))
    for place in places:
        if place not in wanted and entered.stacks(place.account, place.region).read(place.name) is not None:
            yield place
