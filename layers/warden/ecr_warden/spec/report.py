"""Where validation puts what it finds, so that it can go on."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_warden.spec.problems import Code, Place, Problem, Severity, problem, quote

_HINTS = 50
_HINT_LENGTH = 64
_HINT_NAMES = 2000
_SHORTEST_BEGINNING = 3


@dataclass(slots=True)
class Report:
    """Collects problems; gives a bounded number of nearest-name hints, each of which compares with every name."""

    found: list[Problem] = field(default_factory=list)
    _hints: int = 0

    def add(self, code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> None:
        self.found.append(problem(code, place, message, remedy=remedy))

    def hint(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """` (did you mean "deployers"?)`, or nothing."""
        near = self.nearest(text, names, cutoff=cutoff)
        return f" (did you mean {quote(near)}?)" if near else ""

    def nearest(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """The name that the text is nearest to, or begins; nothing when none is near."""
        if self._hints >= _HINTS or len(text) > _HINT_LENGTH:
            return ""
        self._hints += 1
        candidates = [name for name in names if len(name) <= _HINT_LENGTH][:_HINT_NAMES]
        near = difflib.get_close_matches(text, candidates, n=1, cutoff=cutoff)
        begun = [name for name in candidates if len(text) >= _SHORTEST_BEGINNING and name.startswith(text[:-1])]
        return next(iter((*near, *(begun if len(begun) == 1 else ()))), "")

    @property
    def failed(self) -> bool:
        return any(entry.severity is Severity.ERROR for entry in self.found)

    def sorted(self) -> tuple[Problem, ...]:
        """By place, each once."""
        return tuple(sorted(set(self.found)))
