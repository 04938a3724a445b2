"""What the demo found, and build/demo.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from local.demo.screen import Screen


@dataclass(frozen=True, slots=True)
class Check:
    """A claim of the demo, whether it holds, and the evidence."""

    name: str
    ok: bool
    evidence: str


@dataclass(slots=True)
class Report:
    """The findings so far. `waits`: milliseconds from event to repair; `alerts`: messages in the chat.

    `reported`: the repairs that these name or count.
    """

    screen: Screen
    tampers: int = 0
    repaired: int = 0
    false_writes: int = 0
    alerts: int = 0
    reported: int = 0
    unrepaired: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def check(self, name: str, ok: bool, evidence: str) -> bool:
        """Record a check; a failed one is shown at once."""
        self.checks.append(Check(name, ok, evidence))
        if not ok:
            self.screen.bad(f"FAILED: {name}: {evidence}")
        return ok

    @property
    def fine(self) -> bool:
        """Whether every check passed."""
        all_ok = bool(self.checks) and all(check.ok for check in self.checks)
        all_repaired = not self.unrepaired and self.repaired == self.tampers >= 12
        return all_ok and all_repaired and not self.false_writes and self.reported == self.repaired

    def write(self, path: Path) -> None:
        """Write build/demo.json, at the very end."""
        found = {
            "tampers": self.tampers,
            "repaired": self.repaired,
            "unrepaired": self.unrepaired,
            "falseWrites": self.false_writes,
            "alerts": self.alerts,
            "reported": self.reported,
            "eventToRepairedMs": _spread(self.waits),
            "checks": [{"name": check.name, "ok": check.ok, "evidence": check.evidence} for check in self.checks],
        }
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n")


def _spread(waits: Sequence[float]) -> dict[str, float | None]:
    if not waits:
        return {"median": None, "max": None}
    return {"median": round(median(waits), 1), "max": round(max(waits), 1)}
