"""The hub's rules and notification."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ecr_warden.model.wire import Wire, WireState

SWEEP = Wire("rule ecr-warden-sweep", "the schedule of the sweeps", WireState.ON, schedule="rate(15 minutes)")


@dataclass(slots=True)
class MemoryWiring:
    """All are on, but for those that are told otherwise."""

    known: list[Wire] = field(
        default_factory=lambda: [
            Wire("rule ecr-warden-trail", "what CloudTrail reports of the members", WireState.ON),
            Wire("rule ecr-warden-spec", "new versions of the spec", WireState.ON),
            SWEEP,
            Wire("rule ecr-warden-outcomes", "what people are to be told", WireState.ON),
            Wire("notification of s3://spec to EventBridge", "new versions of the spec", WireState.ON),
        ]
    )

    def wires(self) -> Sequence[Wire]:
        return [*self.known]

    def cut(self, name: str, state: WireState = WireState.MISSING) -> None:
        """Somebody takes one away."""
        self.known = [replace(wire, state=state) if name in wire.name else wire for wire in self.known]
