"""How ecr-warden notices changes: its wiring, the last sweep of each part, and the heartbeats of the regions.

The *wiring* is everything that can blind or stop ecr-warden: trails, rules, the bus, the settings of the spec's bucket,
the mappings of the queues, the stacks, its own roles and boundary, and the heartbeats.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.job import Queue
from ecr_warden.model.sessions import TrustLook
from ecr_warden.model.target import RepositoryTarget, Target
from ecr_warden.model.value import Moment, Value

GRANT_ENDS = "grant-ends"
"""The part that stands for what has come due: the record of it says when the clock was last followed."""
HUB_PART = "hub"
"""The part of the wiring that is the hub's own; the others are named as parts of a sweep."""
PASSING = "passing"
"""The mark of a wire that could not be read for a reason that may be over within a minute."""


class WireState(StrEnum):
    """The state of a wire, as judged from what was read of it."""

    ON = "on"
    MISSING = "missing"
    DISABLED = "disabled"
    TARGETLESS = "targetless"  # a rule is there and no longer leads to its function
    CHANGED = "changed"  # it is not as the stack deploys it
    OUTDATED = "outdated"  # a stack of another version
    SILENT = "silent"  # no heartbeat for too long
    UNREADABLE = "unreadable"


class Wire(Value, frozen=True, omit_defaults=True):
    """A part of the wiring. `name`: AWS's name with its kind and place; `delivers`: what would be missing without it.

    `why`: what differs, or the error if it is unreadable; of one that is on, the organization's trail of which only the
    management account knows what it selects. `mark`: the same while the reason is. `schedule`: of a scheduled rule.
    """

    name: str
    delivers: str
    state: WireState
    schedule: str = ""
    why: str = ""
    mark: str = ""


class SeenWire(Struct, frozen=True):
    """What was read of a wire. `found`: by property, None if AWS does not know it; `error`: why it was not read.

    `code`: of the error; `passing`: it may be over within a minute.
    """

    name: str
    delivers: str
    found: Mapping[str, Any] | None = None
    error: str = ""
    code: str = ""
    passing: bool = False


class QueueState(Struct, frozen=True):
    """How many jobs of a queue wait and are in flight, by AWS's approximation, and when its function last did one."""

    queue: Queue
    waiting: int
    in_flight: int
    finished: datetime | None


class WatchRecord(Value, frozen=True):
    """What a sweep found of the wiring of a part: the wires that were not on, as they were reported, or have a why.

    `sweep`: the ID of the sweep's cause. The hub's record has all parts of that sweep, and the regions whose heartbeats
    were awaited.
    """

    part: str
    at: Moment
    sweep: str
    wires: tuple[Wire, ...] = ()
    parts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


class Heartbeat(Value, frozen=True):
    """The last heartbeat of a region, by the hub's clock; `heard`: False while the first one is awaited since `at`."""

    part: str
    at: Moment
    heard: bool = True


class Awaited(Value, frozen=True):
    """Drift that a sweep found and that an event has to report.

    `since`: when its target was seen in sync last; `calls`: names of those that can have changed it.
    """

    found: Moment
    since: Moment
    calls: tuple[str, ...]


class SweepRecord(Struct, frozen=True):
    """The record of a sweep that has read all of a part.

    `part`: as part_of names it; `at`: when the sweep began to read; `version`: of the spec that it compared with.
    `fine`, `due`: keys of the targets that were in sync, and of those that have to be reconciled. Both are empty if
    there were too many to store; then the record says nothing about single targets. `trusts`: by a role's key, the last
    look of any sweep that read its trust policy in sync. `awaited`: by a target's key, drift that an event
    has to report.

    Of what the spec no longer names: `left`: by the repository's name, the version that left its policy as it is;
    `cleared`: keys of the removed patterns and released documents of which nothing is left. `over`: how many of what is
    due were left to the next sweep.
    """

    part: str
    at: datetime
    version: str
    fine: frozenset[str] = frozenset()
    due: frozenset[str] = frozenset()
    trusts: Mapping[str, TrustLook] = field(default_factory=dict)
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()
    over: int = 0


def part_of(target: Target) -> str:
    """`ACCOUNT/REGION` of a repository, `ACCOUNT` of a user or role."""
    return f"{target.account}/{target.region}" if isinstance(target, RepositoryTarget) else target.account


def parts_of(spec: CompiledSpec, leaving: Iterable[Target] = ()) -> frozenset[str]:
    """Every part that a sweep has to read; `leaving`: removed targets that have not lost their access yet."""
    targets = (
        *(target.target for target in spec.targets.values()),
        *(pattern.target for pattern in spec.patterns),
        *leaving,
    )
    return frozenset((*spec.accounts, *map(part_of, targets)))
