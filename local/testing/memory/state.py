"""The hub's store in memory: state, journal, commands, sweeps, history log."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecr_warden.audit.finding import AuditRecord
from ecr_warden.collect.wiring import Heartbeat, WatchRecord
from ecr_warden.core.failures import CommandRepeated, LeaseHeld
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.run import Debts, LastSeen, OpenRun, RunEntry, RunReport
from ecr_warden.core.target import Target, parse_target
from ecr_warden.state.commands import Call, CommandResult
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.hold import OPEN, Decision, Hold
from ecr_warden.state.holds import Judged, hold_decided
from ecr_warden.state.journal import MOST_ALIKE, Page
from ecr_warden.state.state import LEFT_OPEN, Due, Learned, Lease, TargetRecord
from ecr_warden.state.sweeps import SweepRecord
from ecr_warden.state.switch import SwitchSeen
from local.testing.memory.hub import ManualClock


@dataclass(slots=True)
class MemoryState:
    """Leases, target records and runs."""

    clock: ManualClock
    lease_for: timedelta = timedelta(seconds=150)
    remembered: dict[str, TargetRecord] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    opened: dict[tuple[str, str], OpenRun] = field(default_factory=dict)
    closed: dict[tuple[str, str], RunReport] = field(default_factory=dict)
    patterns: dict[str, PatternPause] = field(default_factory=dict)
    waiting: set[tuple[datetime, str, str]] = field(default_factory=set)

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        held = self.leases.get(target.key)
        if held and self.clock.now() < held.expires_at:
            raise LeaseHeld(f"another run works on {target}", retryable=True)
        token = self.tokens.get(target.key, 0) + 1
        record = self.remembered.get(target.key, TargetRecord())
        expires_at = self.clock.now() + self.lease_for
        lease = Lease(target, run_id, token, expires_at, record.debts.recreated_principals)
        self.tokens[target.key], self.leases[target.key] = token, lease
        return lease, record

    def holds(self, lease: Lease) -> bool:
        return self.leases.get(lease.target.key) == lease and self.clock.now() < lease.expires_at

    def release(self, lease: Lease, learned: Learned) -> None:
        if self.tokens.get(lease.target.key) != lease.fencing_token:
            return
        self.leases.pop(lease.target.key, None)
        record = self.remembered.get(lease.target.key, TargetRecord())
        known = record.last or LastSeen(self.clock.now())
        last = LastSeen(self.clock.now(), known.run_id, known.result)
        if (report := learned.report) is not None:
            last = LastSeen(self.clock.now(), report.run_id, report.result)
        until = learned.revoked_until or record.debts.revoked_until
        self.remembered[lease.target.key] = replace(
            record,
            debts=replace(record.debts, revoked_until=until),
            unique_id=learned.unique_id or record.unique_id,
            reported=learned.reported,
            opened=learned.opened,
            revoked=learned.revoked or record.revoked,
            settled_at=learned.settled_at or record.settled_at,
            trust_look=learned.trust_look or record.trust_look,
            repairs=record.repairs if learned.repairs is None else learned.repairs,
            events=record.events if learned.events is None else learned.events,
            taken=record.taken if learned.taken is None else learned.taken,
            last=last,
        )

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        self._record(lease, run.run_id, debts)
        self.waiting.add((run.started_at + LEFT_OPEN, lease.target.key, run.run_id))
        self.opened[lease.target.key, run.run_id] = run

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        self._record(lease, None, debts, written_at=report.finished_at if report.applied else None)
        self.closed[lease.target.key, report.run_id] = report

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        return self.opened.get((target.key, run_id))

    def mark_recreated(self, target: Target, principal: str) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        marked = tuple(sorted({*record.debts.recreated_principals, principal}))
        self.remembered[target.key] = replace(record, debts=replace(record.debts, recreated_principals=marked))

    def pause(self, target: Target, pause: Pause) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        self.remembered[target.key] = replace(record, pause=pause)

    def pause_patterns(self, paused: PatternPause) -> None:
        self.patterns[paused.pause.id] = paused

    def pattern_pauses(self) -> Sequence[PatternPause]:
        return [*self.patterns.values()]

    def wait(self, target: Target, until: datetime) -> None:
        self.waiting.add((until, target.key, ""))

    def due(self, since: datetime, until: datetime) -> Sequence[Due]:
        found = (Due(parse_target(key), run) for at, key, run in sorted(self.waiting) if since < at <= until)
        return [*dict.fromkeys(found)]

    def note_reported(self, target: Target, reported: str | None) -> None:
        record = self.remembered.get(target.key, TargetRecord())
        self.remembered[target.key] = replace(record, reported=reported)

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        return {target.key: self.remembered[target.key] for target in targets if target.key in self.remembered}

    def _record(self, lease: Lease, open_run: str | None, debts: Debts, *, written_at: datetime | None = None) -> None:
        if self.tokens.get(lease.target.key) != lease.fencing_token:
            raise LeaseHeld(f"another run has taken {lease.target} over", retryable=True)
        record = self.remembered.get(lease.target.key, TargetRecord())
        settled = {*lease.recreated} - {*debts.recreated_principals}
        owed = tuple(sorted({*record.debts.recreated_principals} - settled))
        self.remembered[lease.target.key] = replace(
            record,
            open_run=open_run,
            debts=replace(debts, recreated_principals=owed, revoked_until=record.debts.revoked_until),
            written_at=written_at or record.written_at,
        )


@dataclass(frozen=True, slots=True)
class MemoryJournal:
    """The runs of a MemoryState."""

    state: MemoryState

    def of_target(self, target: Target, since: datetime, until: datetime, *, limit: int) -> Page:
        return _page((run for (key, _), run in self._runs() if key == target.key), since, until, limit)

    def latest(self, since: datetime, until: datetime, *, limit: int) -> Page:
        return _page((run for _, run in self._runs()), since, until, limit)

    def beginning_with(self, text: str) -> Sequence[str]:
        return sorted({known for (_, known), _ in self._runs() if known.startswith(text)})[:MOST_ALIKE]

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
    within = [RunEntry.of(run) for run in runs if first <= run.started_at.replace(microsecond=0) <= last]
    newest = sorted(within, key=lambda entry: (entry.started_at, entry.run_id), reverse=True)
    return Page(newest[:limit], len(newest[limit:]))


@dataclass(slots=True)
class MemoryCommandRecords:
    """The records of commands."""

    taken: dict[str, Call] = field(default_factory=dict)
    given: dict[tuple[str, str], CommandResult] = field(default_factory=dict)

    def record(self, call: Call) -> None:
        if call.id in self.taken:
            raise CommandRepeated(f"command {call.id} was given before", remedy="run the command again")
        self.taken[call.id] = call

    def text(self, call_id: str) -> str | None:
        call = self.taken.get(call_id)
        return None if call is None else call.text

    def answer(self, call_id: str, answer: CommandResult) -> None:
        self.given[call_id, answer.target] = answer

    def answers(self, call_id: str) -> Sequence[CommandResult]:
        return [answer for (known, _), answer in self.given.items() if known == call_id]


@dataclass(slots=True)
class MemorySweepRecords:
    """The last record of each part."""

    noted: dict[str, SweepRecord] = field(default_factory=dict)
    taken: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def note(self, record: SweepRecord) -> None:
        self.noted[record.part] = record

    def take(self, sweep: str, part: str, wanted: int, at_most: int) -> int:
        parts = self.taken.setdefault(sweep, {})
        before, _ = parts.setdefault(part, (sum(taken for _, taken in parts.values()), wanted))
        return max(0, min(wanted, at_most - before))

    def of(self, part: str) -> SweepRecord | None:
        return self.noted.get(part)

    def all(self) -> Sequence[SweepRecord]:
        return [*self.noted.values()]


@dataclass(slots=True)
class MemorySwitchRecord:
    """The last announcement of the stop switch."""

    seen: SwitchSeen | None = None

    def last(self) -> SwitchSeen | None:
        return self.seen

    def note(self, seen: SwitchSeen) -> None:
        self.seen = seen


@dataclass(slots=True)
class MemoryWatchRecords:
    """The last look at the wiring of each part, and the last heartbeat of each region."""

    noted: dict[str, WatchRecord] = field(default_factory=dict)
    heard: dict[str, Heartbeat] = field(default_factory=dict)
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By sweep, how many parts were looked at, and how many there are, 0 while nobody said."""
    reads: int = 0
    """How often all records were read."""

    def note(self, record: WatchRecord) -> None:
        self.noted[record.part] = record

    def looked(self, sweep: str, parts: int) -> bool:
        seen, wanted = self.counts.get(sweep, (0, 0))
        self.counts[sweep] = (seen + 1, parts or wanted)
        return seen + 1 == (parts or wanted)

    def of(self, part: str) -> WatchRecord | None:
        return self.noted.get(part)

    def all(self) -> Mapping[str, WatchRecord]:
        self.reads += 1
        return {**self.noted}

    def beat(self, heartbeat: Heartbeat) -> None:
        before = self.heard.get(heartbeat.part)
        if before is None or before.at <= heartbeat.at:
            self.heard[heartbeat.part] = heartbeat

    def beats(self) -> Mapping[str, Heartbeat]:
        return {**self.heard}


@dataclass(slots=True)
class MemoryHistory:
    """Entries by kind, time and ID."""

    kept: dict[tuple[datetime, str, str], HistoryEntry] = field(default_factory=dict)

    def record(self, entry: HistoryEntry) -> None:
        self.kept[entry.at, entry.kind, entry.id] = entry

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[HistoryKind] | None = None
    ) -> Iterator[HistoryEntry]:
        kept = self.kept.values()
        within = [one for one in kept if since <= one.at <= until and (kinds is None or one.kind in kinds)]
        return iter(sorted(within, key=lambda entry: entry.at, reverse=True))


@dataclass(slots=True)
class MemoryHolds:
    """Holds by their ID, and decisions by that and when the hold was opened."""

    kept: dict[str, Hold] = field(default_factory=dict)
    decisions: dict[tuple[str, datetime], Decision] = field(default_factory=dict)

    def open(self, hold: Hold) -> None:
        self.kept[hold.id] = hold

    def find(self, hold_id: str) -> Hold | None:
        hold = self.kept.get(hold_id)
        return None if hold is None else self._decided(hold)

    def waiting(self) -> Sequence[Hold]:
        return [self._decided(hold) for hold in self.kept.values() if hold.state in OPEN]

    def last_of(self, version: str) -> Hold | None:
        holds = (hold for hold in self.kept.values() if hold.ground.version == version)
        last = max(holds, key=lambda hold: hold.since, default=None)
        return None if last is None else self._decided(last)

    def decide(self, hold: Hold, decision: Decision) -> None:
        counts = self.decisions.setdefault((hold.id, hold.since), decision)
        if counts != decision:
            raise hold_decided(hold.id, counts)

    def settle(self, hold: Hold) -> bool:
        before = self.kept.get(hold.id)
        if before is None or before.state not in OPEN or before.since != hold.since:
            return False
        self.kept[hold.id] = hold
        return True

    def _decided(self, hold: Hold) -> Hold:
        return replace(hold, decision=hold.decision or self.decisions.get((hold.id, hold.since)))


@dataclass(slots=True)
class MemoryVerdicts:
    """What was read, and the verdicts, by the hold's ID."""

    noted: dict[tuple[str, datetime, str], str] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)

    def note(self, hold: Hold, part: str, why: str) -> None:
        self.noted[hold.id, hold.since, part] = why

    def notes(self, hold: Hold) -> Mapping[str, str]:
        return {
            part: why for (known, since, part), why in self.noted.items() if (known, since) == (hold.id, hold.since)
        }

    def keep(self, judged: Judged) -> None:
        self.judged[judged.ground.id] = judged

    def find(self, hold: Hold) -> Judged | None:
        judged = self.judged.get(hold.id)
        return judged if judged is not None and judged.is_on(hold) else None


@dataclass(slots=True)
class MemoryAudits:
    """The last audit."""

    kept: AuditRecord | None = None

    def last(self) -> AuditRecord | None:
        return self.kept

    def keep(self, record: AuditRecord) -> None:
        self.kept = record
