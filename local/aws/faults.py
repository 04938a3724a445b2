"""The faults that a test may inject: errors, delays, throttling, and lost, repeated or late events."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fail:
    """An AWS error instead of the call, or with `after` once it has taken effect (a lost answer)."""

    code: str
    message: str = "injected by a test"
    status: int = 400
    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """A slow call."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket over all calls that the fault matches; `nth` and `times` do not count here."""

    per_second: float
    burst: int
    code: str = "ThrottlingException"
    status: int = 400


@dataclass(frozen=True, slots=True)
class EventLost:
    """CloudTrail does not report the call (aws-facts 4.1: best effort)."""


@dataclass(frozen=True, slots=True)
class EventDoubled:
    """CloudTrail reports the call twice, with one eventID."""


@dataclass(frozen=True, slots=True)
class EventLate:
    """CloudTrail reports the call late, so that events change their order."""

    milliseconds: int


type Effect = Fail | Delay | Throttle | EventLost | EventDoubled | EventLate

_EFFECTS: dict[str, type[Fail | Delay | Throttle | EventLost | EventDoubled | EventLate]] = {
    kind.__name__: kind for kind in (Fail, Delay, Throttle, EventLost, EventDoubled, EventLate)
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An effect on the `nth` matching call and the `times - 1` after it. Patterns are shell-like, `*` matches all."""

    service: str
    action: str
    effect: Effect
    account: str = "*"
    principal: str = "*"
    nth: int = 1
    times: int = 1


@dataclass(frozen=True, slots=True)
class FaultState:
    """The counters of a fault: calls that matched, and calls to which it applied."""

    fault_id: int
    fault: Fault
    matched: int
    reached: int


def fault_to_json(fault: Fault) -> dict[str, Any]:
    """The fault as plain JSON values."""
    return {**asdict(fault), "effect": {"kind": type(fault.effect).__name__, **asdict(fault.effect)}}


def fault_from_json(value: dict[str, Any]) -> Fault:
    """The fault from JSON values. Raises KeyError or TypeError for an unknown effect or field."""
    effect = dict(value["effect"])
    return Fault(**{**value, "effect": _EFFECTS[effect.pop("kind")](**effect)})
