"""Where validation puts what it finds, so that it can go on."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_warden.spec.problems import Code, Place, Problem, Severity, problem, quote

_HINTS = 50
_HINT_LENGTH = 64
_HINT_NAMES = 2000


@dataclass(slots=True)
class Report:
    """Collects problems; gives a bounded number of nearest-name hints, each of which compares with every name."""

    found: list[Problem] = field(default_factory=list)
    _hints: int = 0

    def add(self, code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> None:
        self.found.append(problem(code, place, message, remedy=remedy))

    def hint(self, text: str, names: Iterable[str]) -> str:
        """` (did you mean "deployers"?)`, or nothing."""
        if self._hints >= _HINTS or len(text) > _HINT_LENGTH:
            return ""
        self._hints += 1
        candidates = [name for name in names if len(name) <= _HINT_LENGTH][:_HINT_NAMES]
        near = difflib.get_close_matches(text, candidates, n=1, cutoff=0.6)
        return f" (did you mean {quote(near[0])}?)" if near else ""

    @property
    def failed(self) -> bool:
        return any(entry.severity is Severity.ERROR for entry in self.found)

    def sorted(self) -> tuple[Problem, ...]:
        """By place, each once."""
        return tuple(sorted(set(self.found)))
