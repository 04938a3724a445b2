"""What waits, and how old what is known is, by the hub's own records: measured at each sweep, whatever has changed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.core.clock import Clock
from ecr_warden.core.metrics import Values
from ecr_warden.notify.ports import CHANNELS
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.history import REMEMBERED, HistoryKind, HistoryLog
from ecr_warden.state.hold import HoldState
from ecr_warden.state.holds import Holds
from ecr_warden.state.sweeps import SweepRecords, parts_of

DELIVERED = timedelta(minutes=5)
"""Within which a channel that takes messages gets what waits for it: a digest leaves each minute."""


class Measures(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    sweep_records: SweepRecords
    holds: Holds
    log: HistoryLog
    waiting: Callable[[str], Sequence[datetime]]
    """Of each alert that waits for a channel, since when; raises PortError."""
    clock: Clock

    def take(self) -> Values:
        """What is known now; raises PortError."""
        now = self.clock.now()
        waits = (hold for hold in self.holds.waiting() if hold.state is HoldState.WAITING and hold.decision is None)
        alerts = (since for channel in CHANNELS for since in self.waiting(channel))
        return {
            "WaitsForPersonHours": max(((now - hold.since) / timedelta(hours=1) for hold in waits), default=0),
            "OldestLookSeconds": max(((now - at).total_seconds() for at in self._looks(now)), default=0),
            "NotDelivered": sum(now - since > DELIVERED for since in alerts),
        }

    def _looks(self, now: datetime) -> Sequence[datetime]:
        """When each part was swept last; one that never was counts since the version was accepted."""
        accepted = self.specs.accepted()
        parts = frozenset[str]() if accepted is None else parts_of(accepted)
        looks = {sweep.part: sweep.at for sweep in self.sweep_records.all() if sweep.part in parts}
        if looks.keys() == parts:
            return [*looks.values()]
        acceptance = next(self.log.entries(now - REMEMBERED, now, {HistoryKind.SPEC_ACCEPTED}), None)
        return [now - REMEMBERED if acceptance is None else acceptance.at, *looks.values()]
