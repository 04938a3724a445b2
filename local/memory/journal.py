"""The journal and the calls in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ecr_warden.model.codec.entries import entry_of
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.request import Answer, Call
from ecr_warden.model.run import OpenRun, RunEntry
from ecr_warden.model.target import Target
from ecr_warden.ports.calls import CallRepeated

from local.memory.state import MemoryState


@dataclass(frozen=True, slots=True)
class MemoryJournal:
    """What the memory of a hub holds of runs."""

    state: MemoryState

    def of_target(self, target: Target, *, limit: int) -> Sequence[RunEntry]:
        return _newest(run for (key, _), run in self._runs() if key == target.key)[:limit]

    def latest(self, *, days: int, limit: int) -> Sequence[RunEntry]:
        first = self.state.clock.now().date() - timedelta(days=days)
        return _newest(run for _, run in self._runs() if run.started_at.date() >= first)[:limit]

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        return next((run for (_, known), run in self._runs() if known == run_id), None)

    def _runs(self) -> Iterable[tuple[tuple[str, str], OpenRun | RunReport]]:
        runs: dict[tuple[str, str], OpenRun | RunReport] = {**self.state.opened}
        runs.update(self.state.closed)
        return runs.items()


def _newest(runs: Iterable[OpenRun | RunReport]) -> list[RunEntry]:
    return sorted(map(entry_of, runs), key=lambda entry: (entry.started_at, entry.run_id), reverse=True)


@dataclass(slots=True)
class MemoryCalls:
    """Calls that are only remembered."""

    taken: dict[str, Call] = field(default_factory=dict)
    given: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def take(self, call: Call) -> None:
        if call.id in self.taken:
            raise CallRepeated(f"command {call.id} was taken before", remedy="give the command again")
        self.taken[call.id] = call

    def answer(self, call_id: str, answer: Answer) -> None:
        self.given[call_id, answer.target] = answer

    def answers(self, call_id: str) -> Sequence[Answer]:
        return [answer for (known, _), answer in self.given.items() if known == call_id]
