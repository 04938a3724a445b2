"""The faults in force, and how often each was reached: one that was never reached fails its test."""

import itertools
from fnmatch import fnmatchcase

from local.aws.calls import Call
from local.aws.faults import Effect, Fault, FaultState


class _Entry:
    def __init__(self, fault_id: int, fault: Fault) -> None:
        self.fault_id, self.fault = fault_id, fault
        self.matched = self.reached = 0

    def fits(self, call: Call) -> bool:
        fault = self.fault
        pairs = (
            (call.service, fault.service),
            (call.action, fault.action),
            (call.account, fault.account),
            (call.principal, fault.principal),
        )
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)

    def felt(self) -> bool:
        """Whether the effect applies to the call that just matched."""
        self.matched += 1
        hit = self.fault.nth <= self.matched < self.fault.nth + self.fault.times
        self.reached += hit
        return hit


class FaultTable:
    """Faults by ID. Used only from the event loop, so without locks."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> int:
        """Activate a fault; returns its ID."""
        entry = _Entry(next(self._ids), fault)
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
        return [one.fault.effect for one in self._entries if one.fits(call) and one.felt()]
