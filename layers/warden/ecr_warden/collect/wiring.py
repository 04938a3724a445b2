"""How ecr-warden notices changes: its wiring, the heartbeats of the regions, and what sweeps found of both.

The *wiring* is everything that can blind or stop ecr-warden: trails, rules, the bus, the settings of the spec's bucket,
the mappings of the queues, the e-mail subscriptions, the stacks, its own roles and boundary, and the heartbeats.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from ecr_warden.collect.wire import Wire
from ecr_warden.core.value import Moment, Value

TRAIL_BUS = "ecr-warden-trail"
PASSING = "passing"
"""The mark of a wire that could not be read for a reason that may be over within a minute."""


class HubPlace(Struct, frozen=True):
    """What the hub knows of itself."""

    account: str
    region: str
    bucket: str
    """The spec's."""
    external_id: str
    stack: str
    """The ID of its stack."""
    email: str = ""
    """AlertEmail, if any."""

    @property
    def bus(self) -> str:
        """The ARN of the bus to which members forward."""
        return f"arn:aws:events:{self.region}:{self.account}:event-bus/{TRAIL_BUS}"


class SeenWire(Struct, frozen=True):
    """What was read of a wire."""

    name: str
    delivers: str
    found: Mapping[str, Any] | None = None
    """By property, None if AWS does not know it."""
    error: str = ""
    """Why it was not read."""
    code: str = ""
    """Of the error."""
    passing: bool = False
    """It may be over within a minute."""


class WatchRecord(Value, frozen=True):
    """What a sweep found of the wiring of a part: the wires that were not on, as they were reported, or say more."""

    part: str
    at: Moment
    sweep: str
    """The ID of the sweep's cause. The hub's record has the regions whose heartbeats were awaited."""
    wires: tuple[Wire, ...] = ()
    places: tuple[str, ...] = ()


class Heartbeat(Value, frozen=True):
    """The last heartbeat of a region, by the hub's clock."""

    part: str
    at: Moment
    heard: bool = True
    """False while the first one is awaited since `at`."""


class Wiring(Protocol):
    """Reads what can blind or stop ecr-warden; what cannot be read says so, and nothing is raised."""

    @property
    def place(self) -> HubPlace:
        """What the hub knows of itself."""

    def hub(self) -> Sequence[SeenWire]:
        """The hub's stack, rules, bus, bucket, mappings and e-mail subscriptions."""

    def region(self, account: str, region: str) -> Sequence[SeenWire]:
        """The trail of a region of a member, its rules, and the stack of these."""

    def account(self, account: str, entry: Mapping[str, Any] | None) -> Sequence[SeenWire]:
        """The stack of ecr-warden's roles and boundary in an account, and these.

        `entry`: what was surveyed of the account, None if nothing was.
        """


class WatchRecords(Protocol):
    """What the last sweeps found of the wiring, and the last heartbeat of each region."""

    def note(self, record: WatchRecord) -> None:
        """Store a record, replacing the part's last one."""

    def looked(self, sweep: str, parts: int) -> bool:
        """Note that one more part of a sweep was looked at; whether it was the last, whichever that is.

        `parts`: how many there are, 0 of whoever does not know.
        """

    def of(self, part: str) -> WatchRecord | None:
        """The last record of a part; None if there is none that this version can read."""

    def all(self) -> Mapping[str, WatchRecord]:
        """The last record of each part; one that this version cannot read is left out."""

    def beat(self, heartbeat: Heartbeat) -> None:
        """Store a heartbeat, unless a later one of its region is stored."""

    def beats(self) -> Mapping[str, Heartbeat]:
        """The last heartbeat of each region, by part."""
