"""The journal and the calls in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ecr_warden.model.codec.entries import entry_of
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.request import Answer, Call
from ecr_warden.model.run import OpenRun
from ecr_warden.model.target import Target
from ecr_warden.ports.calls import CallRepeated
from ecr_warden.ports.journal import Page

from local.memory.state import MemoryState


@dataclass(frozen=True, slots=True)
class MemoryJournal:
    """What the memory of a hub holds of runs."""

    state: MemoryState

    def of_target(self, target: Target, since: datetime, until: datetime, *, limit: int) -> Page:
        return _page((run for (key, _), run in self._runs() if key == target.key), since, until, limit)

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        return _page((run for _, run in self._runs()), since, until, limit)

    def find(self, run_id: str) -> OpenRun | RunReport | None:
        return next((run for (_, known), run in self._runs() if known == run_id), None)

    def _runs(self) -> Iterable[tuple[tuple[str, str], OpenRun | RunReport]]:
        runs: dict[tuple[str, str], OpenRun | RunReport] = {**self.state.opened}
        runs.update(self.state.closed)
        return runs.items()


def _page(runs: Iterable[OpenRun | RunReport], since: datetime, until: datetime, limit: int) -> Page:
    if since > until:
        raise ValueError("DynamoDB refuses a range that ends before it begins")
    first, last = since.replace(microsecond=0), until.replace(microsecond=0)
    within = [entry_of(run) for run in runs if first <= run.started_at.replace(microsecond=0) <= last]
    newest = sorted(within, key=lambda entry: (entry.started_at, entry.run_id), reverse=True)
    return Page(newest[:limit], len(newest[limit:]))


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
