"""The faults that a test may inject: errors, slow calls, and late events."""

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
class EventLate:
    """CloudTrail reports the call late, so that events change their order."""

    milliseconds: int


type Effect = Fail | Delay | EventLate

_EFFECTS: dict[str, type[Fail | Delay | EventLate]] = {kind.__name__: kind for kind in (Fail, Delay, EventLate)}


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
