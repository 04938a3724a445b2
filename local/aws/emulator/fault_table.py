"""The faults in force, and how often each was reached: one that was never reached fails its test."""

import itertools
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from local.aws.behaviour.switches import Rate
from local.aws.behaviour.throttling import Bucket, taken
from local.aws.calls import Call
from local.aws.faults import Effect, Fault, FaultState, Throttle


def _rate(effect: Throttle) -> Rate:
    return Rate(effect.per_second, effect.burst)


class _Entry:
    def __init__(self, fault_id: int, fault: Fault, now: float) -> None:
        self.fault_id, self.fault = fault_id, fault
        self.matched = self.reached = 0
        self.bucket = Bucket.full(_rate(fault.effect), now) if isinstance(fault.effect, Throttle) else None

    def fits(self, call: Call) -> bool:
        fault = self.fault
        pairs = (
            (call.service, fault.service),
            (call.action, fault.action),
            (call.account, fault.account),
            (call.principal, fault.principal),
        )
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)

    def felt(self, now: float) -> bool:
        """Whether the effect applies to the call that just matched."""
        self.matched += 1
        effect = self.fault.effect
        if isinstance(effect, Throttle) and self.bucket:
            self.bucket, let_through = taken(self.bucket, _rate(effect), now)
            hit = not let_through
        else:
            hit = self.fault.nth <= self.matched < self.fault.nth + self.fault.times
        self.reached += hit
        return hit


class FaultTable:
    """Faults by ID. Used only from the event loop, so without locks."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._entries: list[_Entry] = []
        self._ids = itertools.count(1)
        self._now = now

    def add(self, fault: Fault) -> int:
        """Activate a fault; returns its ID."""
        entry = _Entry(next(self._ids), fault, self._now())
        self._entries.append(entry)
        return entry.fault_id

    def clear(self) -> None:
        """Remove all faults."""
        self._entries.clear()

    def states(self) -> list[FaultState]:
        """How often each fault was matched and applied."""
        return [FaultState(one.fault_id, one.fault, one.matched, one.reached) for one in self._entries]

    def effects(self, call: Call) -> list[Effect]:
        """The effects that apply to this call, in the order in which the faults were added."""
        now = self._now()
        return [one.fault.effect for one in self._entries if one.fits(call) and one.felt(now)]
