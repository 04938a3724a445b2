"""Watches the watcher: each sweep looks at what can blind or stop ecr-warden, and at the heartbeats of the regions.

Nothing is repaired, for the wiring belongs to the stacks. What is wrong is announced once, again when it changes, and
when it has ended.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import partial

from msgspec import Struct

from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.collect.estate import EstateStore
from ecr_warden.collect.wire import HUB_PART, Wire, WireState
from ecr_warden.collect.wiring import PASSING, Heartbeat, WatchRecord, WatchRecords, Wiring
from ecr_warden.collect.wiring_verdicts import (
    account_wires,
    beat_wires,
    beating_places,
    folded,
    hub_wires,
    region_wires,
    shut_in,
)
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import crashed
from ecr_warden.core.job import Cause, CauseKind, NoteHeartbeat
from ecr_warden.core.metrics import Emit
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.sweeps import parts_of
from iam_access.arn import IAM_REGION


class Watch(Struct, frozen=True):
    """The use case over its ports; it reads, and writes nothing but its own records.

    Sweeps of one part never run side by side, so no lease guards what was announced. A process that dies in between
    announces twice rather than not at all.
    """

    wiring: Wiring
    estate: EstateStore
    watch_records: WatchRecords
    alerts: AlertBus
    emit: Emit
    """Counts a finished sweep, which the dead-man alarm watches."""
    clock: Clock

    def hub(self, cause: Cause, accepted: CompiledSpec | None, parts: Sequence[str]) -> None:
        """Look at the hub's own wiring and the heartbeats. `parts`: those that the sweep has just begun.

        A sweep without any, because no spec is accepted yet, has finished.
        """
        places = () if accepted is None else beating_places(parts_of(accepted))
        before = self.watch_records.of(HUB_PART)
        self._await(places, () if before is None else before.places)
        self._look(
            WatchRecord(HUB_PART, self.clock.now(), cause.id, (), places),
            before,
            cause,
            lambda: live_wires(self.wiring, places, self.watch_records.beats(), self.clock.now()),
            1 + len(parts),
        )

    def part(self, cause: Cause, accepted: CompiledSpec, part: str) -> None:
        """Look at the wiring of a part that was read: by a sweep, or because of an event beside it."""
        before = self.watch_records.of(part)
        sweep = before.sweep if before is not None and cause.kind is CauseKind.EVENT else cause.id
        is_wanted = part in parts_of(accepted)
        read = partial(self._of_part, part) if is_wanted else tuple[Wire]
        self._look(WatchRecord(part, self.clock.now(), sweep), before, cause, read)

    def _look(
        self,
        record: WatchRecord,
        before: WatchRecord | None,
        cause: Cause,
        read: Callable[[], Iterable[Wire]],
        parts: int = 0,
    ) -> None:
        """`parts`: how many the sweep has, the hub's included, which that one knows."""
        known = {} if before is None else {wire.name: wire for wire in before.wires}
        wires = {wire.name: wire for wire in _settled(_guarded(read, record.part), known)}
        kept = tuple(wire for wire in wires.values() if _is_off(wire) or wire.why or wire.writes)
        broken = tuple(wire for wire in filter(_is_off, kept) if _mark(known.get(wire.name)) != wire.mark)
        # What is not looked at any more, because the spec has changed, has not ended: nothing is said of it.
        ended = tuple(wire for name, wire in wires.items() if _mark(known.get(name)) and not _is_off(wire))
        if broken or ended:
            self.alerts.publish(WiringChanged(cause, record.part, broken, ended))
        self.watch_records.note(replace(record, wires=tuple(dated(wire, known, record.at) for wire in kept)))
        # What an event asks for is of no sweep. Who dies here leaves a sweep uncounted, not counted too early.
        is_new = cause.kind is not CauseKind.EVENT and (before is None or before.sweep != cause.id)
        if is_new and self.watch_records.looked(cause.id, parts):
            self.emit({"SweepsFinished": 1})

    def _of_part(self, part: str) -> Iterable[Wire]:
        account, _, region = part.partition("/")
        place = self.wiring.place
        if region == IAM_REGION:
            return ()  # it is looked at with the account
        if region:
            wires = region_wires(self.wiring.region(account, region), account, region, place)
            return () if shut_in(wires) else wires  # the account's own part says so
        piece = self.estate.get(account)
        of_account = self.wiring.account(account, None if piece is None else piece.entry)
        wires = (
            *account_wires(of_account, account, place),
            *region_wires(self.wiring.region(account, IAM_REGION), account, IAM_REGION, place),
        )
        return folded(account, wires)

    def _await(self, places: Iterable[str], before: Iterable[str]) -> None:
        """Await the first heartbeat of each new place; what was heard of one that had left is too old to count."""
        since = self.clock.now().replace(microsecond=0)  # an event has whole seconds: one of this second counts
        for place in {*places} - {*before}:
            self.watch_records.beat(Heartbeat(place, since, heard=False))


class NoteHeartbeats(Struct, frozen=True):
    """Keeps the last heartbeat of each region; a doubled or late one changes nothing."""

    specs: AcceptedSpecs
    watch_records: WatchRecords
    clock: Clock

    def note(self, job: NoteHeartbeat) -> str:
        """Note a heartbeat of a region of the spec; returns what was done, for the log."""
        accepted, place = self.specs.accepted(), f"{job.account}/{job.region}"
        if accepted is None or place not in beating_places(parts_of(accepted)):
            return "not in the spec"
        self.watch_records.beat(Heartbeat(place, job.cause.happened(self.clock.now())))
        return "noted"


def live_wires(
    wiring: Wiring, places: Sequence[str], beats: Mapping[str, Heartbeat], now: datetime
) -> tuple[Wire, ...]:
    """The hub's own wires as they are now, and the heartbeats of these places."""
    return (*hub_wires(wiring.hub(), wiring.place), *beat_wires(places, beats, now))


def dated(wire: Wire, known: Mapping[str, Wire], at: datetime | None) -> Wire:
    """The wire; one that is off with when a sweep first found it so, which is `at` if it is not `known` to be so."""
    before = known.get(wire.name)
    since = before.since if before is not None and before.mark == wire.mark else at
    return replace(wire, since=since) if _is_off(wire) else wire


def _guarded(read: Callable[[], Iterable[Wire]], part: str) -> tuple[Wire, ...]:
    """The wires; if judging them fails, one that says so. An attacker may have made it fail."""
    try:
        return tuple(read())
    except Exception as error:
        crash = crashed(f"looking at the wiring of {part}", error)
        return (Wire(f"wiring of {part}", "everything", WireState.UNREADABLE, why=str(crash), mark=crash.code),)


def _is_off(wire: Wire) -> bool:
    return wire.state is not WireState.ON


def _mark(known: Wire | None) -> str:
    return "" if known is None else known.mark


def _settled(wires: Iterable[Wire], known: Mapping[str, Wire]) -> Iterable[Wire]:
    """The wires; one that could not be read for a passing reason is as it was."""
    for wire in wires:
        if wire.mark != PASSING:
            yield wire
        elif wire.name in known:
            yield known[wire.name]
