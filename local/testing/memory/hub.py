"""The hub's ports in memory: clock, spec, queue, alerts, stop switch, metric."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ecr_warden.aws.queues import deduplication_id
from ecr_warden.core.alert import Alert
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Job, Queue
from ecr_warden.core.metrics import Metric, Values
from ecr_warden.core.queue import QueueState
from ecr_warden.core.spec_failures import (
    MAX_SPEC_BYTES,
    BaselineLost,
    SpecUnversioned,
    spec_missing,
    spec_too_large,
    version_missing,
)
from ecr_warden.notify.incident import Acknowledgement, Incident
from ecr_warden.notify.ports import waiting_key
from ecr_warden.state.accepted import CompiledUnusable, ReplacedSpec, SpecSuperseded
from ecr_warden.state.history import HistoryEntry
from ecr_warden.state.specs import KeptBaseline, SpecsInForce, SpecVersion
from ecr_warden.state.switch import STOPPED
from ecr_warden.state.tree_writer import KeptSpecs


@dataclass(slots=True)
class MemoryObjects:
    """Objects by the digests of their content."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def place(self, digest: str) -> str:
        return f"compiled/{digest}"

    def get(self, digests: Sequence[str]) -> list[bytes | None]:
        return [self.kept.get(digest) for digest in digests]

    def put(self, digest: str, body: bytes) -> None:
        self.kept[digest] = body


@dataclass(slots=True)
class MemorySpecs:
    """One file, its accepted version, and the baseline.

    `older`: versions of the file that are still kept; `strays`: other keys of the bucket; `outdated`: the accepted
    version was compiled by another version of ecr-warden. `base`: the digests of the baseline's compiled form and text,
    and its version; `before`: the digest of the version that was replaced, and since when it was in force; until
    `accepted_at`; `objects`: compiled forms and texts.
    """

    file: SpecVersion | None = None
    older: tuple[SpecVersion, ...] = ()
    strays: tuple[str, ...] = ()
    versioned: bool = True
    compiled: CompiledSpec | None = None
    refused_version: str = ""
    reported_places: dict[str, str] = field(default_factory=dict)
    outdated: bool = False
    base: tuple[str, str, str] | None = None
    before: tuple[str, datetime] | None = None
    accepted_at: datetime | None = None
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    _tree: KeptSpecs = field(init=False)
    _read: tuple[CompiledSpec, str, CompiledSpec] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tree = KeptSpecs(self.objects)

    def current(self) -> SpecVersion:
        if self.file is None:
            raise spec_missing("access.yaml", "access.yaml", self.strays)
        if not self.versioned:
            raise SpecUnversioned("the file has no version", remedy="turn on versioning of the bucket")
        if len(self.file.data) > MAX_SPEC_BYTES:
            raise spec_too_large("the file", len(self.file.data), self.file.version)
        return self.file

    def text(self, version: str) -> bytes:
        kept = (self.file, *self.older) if self.file else self.older
        found = next((one for one in kept if one.version == version), None)
        if found is None:
            raise version_missing("the file", version)
        return found.data

    def accepted(self) -> CompiledSpec | None:
        if self.compiled is None:
            return None
        if self.outdated:
            was = self.compiled
            rest = CompiledSpec(
                was.version,
                Mode.OBSERVE,
                (),
                {},
                removals=was.removals,
                removed=was.removed,
                removed_patterns=was.removed_patterns,
                taken_over=was.taken_over,
            )
            raise CompiledUnusable("it is of another schema", version=was.version, rest=lambda: rest)
        return self._as_kept(self.compiled)[1]

    def whole(self) -> CompiledSpec | None:
        return None if self.accepted() is None else self.compiled

    def _as_kept(self, compiled: CompiledSpec) -> tuple[str, CompiledSpec]:
        """Its digest, and what is read of it."""
        if self._read is None or self._read[0] is not compiled:
            digest = self._tree.keep(compiled)
            self._read = compiled, digest, self._tree.read(digest, compiled.version)
        return self._read[1:]

    def standing(self) -> SpecsInForce:
        accepted = "" if self.compiled is None else self._as_kept(self.compiled)[0]
        return SpecsInForce(accepted, "" if self.base is None else self.base[0])

    def replaced(self) -> ReplacedSpec | None:
        if self.before is None or self.accepted_at is None:
            return None
        digest, since = self.before
        older = self.kept(digest)
        return None if older is None else ReplacedSpec(older, since, self.accepted_at)

    def accept(
        self, spec: CompiledSpec, *, over: SpecsInForce, text: bytes | None = None, at: datetime | None = None
    ) -> None:
        if over != self.standing():
            raise SpecSuperseded("another version was accepted meanwhile", retryable=True)
        if at is not None:
            self.before = (over.accepted, self.accepted_at or at) if over.accepted else None
            self.accepted_at = at
        self.compiled, self.outdated = spec, False
        digest = self.keep(spec)
        if text is not None:
            self.base = digest, self.keep_text(text), spec.version

    def baseline(self) -> KeptBaseline | None:
        if self.base is None:
            return None
        digest, at, version = self.base
        text = self.kept_text(at)
        if text is None or digest not in self.objects.kept:
            raise BaselineLost(version, "the kept text")
        return KeptBaseline(version, text, self.kept(digest))

    def keep(self, spec: CompiledSpec) -> str:
        return self._tree.keep(spec)

    def kept(self, digest: str) -> CompiledSpec | None:
        try:
            return self._tree.read(digest, "").whole
        except CompiledUnusable:
            return None

    def keep_text(self, text: bytes) -> str:
        digest = hashlib.sha256(text).hexdigest()
        self.objects.put(digest, text)
        return digest

    def kept_text(self, digest: str) -> bytes | None:
        return self.objects.kept.get(digest)

    def refused(self) -> str:
        return self.refused_version

    def note_refused(self, version: str) -> None:
        self.refused_version = version

    def reported(self, place: str) -> str | None:
        return self.reported_places.get(place)

    def note_reported(self, place: str, what: str) -> None:
        self.reported_places[place] = what


@dataclass(slots=True)
class MemoryQueues:
    """Queues of which a test says what waits; with `error` they cannot be read."""

    found: list[QueueState] = field(default_factory=list)
    error: PortError | None = None

    def states(self) -> list[QueueState]:
        if self.error is not None:
            raise self.error
        return self.found


@dataclass(slots=True)
class MemoryJobs:
    """Queues that only record jobs; all but that of repairs drop what they have had."""

    sent: list[Job] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def enqueue(self, jobs: Iterable[Job]) -> None:
        for known, job in {deduplication_id(job): job for job in jobs}.items():
            if job.queue is Queue.REPAIR or known not in self._seen:
                self._seen.add(known)
                self.sent.append(job)


@dataclass(slots=True)
class MemoryAlertBus:
    """A bus that only records alerts."""

    published: list[Alert] = field(default_factory=list)

    def publish(self, alert: Alert) -> None:
        self.published.append(alert)


@dataclass(slots=True)
class MemorySwitch:
    """The stop switch, on."""

    enabled: bool = True
    changed: list[HistoryEntry] = field(default_factory=list)

    def reason_to_stop(self) -> str | None:
        return None if self.enabled else STOPPED

    def changes(self) -> Sequence[HistoryEntry]:
        return sorted(self.changed, key=lambda entry: entry.at, reverse=True)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until a test moves it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        """Move the time on."""
        self.time += by


@dataclass(slots=True)
class MemoryIncidents:
    """What is collected by keys, when each is flushed, and which flushes were asked for; incidents; what was heard."""

    clock: Clock = field(default_factory=ManualClock)
    heard: dict[str, datetime] = field(default_factory=dict)
    collected: dict[str, dict[str, tuple[str, datetime]]] = field(default_factory=dict)
    opened: dict[str, datetime] = field(default_factory=dict)
    flushes: list[tuple[str, int]] = field(default_factory=list)
    turns: dict[str, list[datetime]] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    ended: list[Incident] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    noted_ends: dict[str, datetime] = field(default_factory=dict)
    acknowledgements: dict[str, Acknowledgement] = field(default_factory=dict)

    def open(self, key: str, *, seconds: int) -> bool:
        now, seconds = self.clock.now(), min(seconds, 900)
        due, known = now + timedelta(seconds=seconds), self.opened.get(key)
        if known is not None and now - timedelta(seconds=20) <= known <= due:
            return False
        self.opened[key] = due
        self.flushes.append((key, seconds))
        return True

    def add(self, key: str, texts: Sequence[str]) -> None:
        known = self.collected.setdefault(key, {})
        for text in texts:
            known.setdefault(text, (text, self.clock.now()))

    def close(self, key: str) -> Mapping[str, tuple[str, datetime]]:
        if key in self.opened and self.opened[key] <= self.clock.now() + timedelta(seconds=1):
            del self.opened[key]
        return dict(self.collected.get(key, {}))

    def drop(self, key: str, ids: Iterable[str]) -> None:
        for name in [*ids]:
            self.collected.get(key, {}).pop(name, None)

    def turn(self, name: str, *, most: int, seconds: int) -> int:
        now, within = self.clock.now(), timedelta(seconds=seconds)
        taken = [at for at in self.turns.get(name, ()) if abs(now - at) < within]
        if len(taken) >= most:
            return max(1, math.ceil((min(taken) + within - now).total_seconds()))
        self.turns[name] = [*taken, now]
        return 0

    def find(self, key: str) -> Incident | None:
        return self.incidents.get(key)

    def standing(self) -> Sequence[Incident]:
        return [*self.incidents.values()]

    def keep(self, incident: Incident, *, is_ended: bool = False) -> bool:
        before = self.incidents.get(incident.key)
        if before is not None and before.revision != incident.revision - 1:
            return False
        if is_ended:
            self.ended.append(incident)
            self.incidents.pop(incident.key, None)
            return True
        self.incidents[incident.key] = incident
        return True

    def threads(self, facts: Iterable[str]) -> Mapping[str, str]:
        return {fact: self.facts[fact] for fact in facts if fact in self.facts}

    def assign(self, facts: Iterable[str], key: str) -> None:
        self.facts |= dict.fromkeys(facts, key)

    def note_ends(self, facts: Iterable[str], at: datetime) -> None:
        self.noted_ends |= dict.fromkeys(facts, at)

    def ends(self, facts: Iterable[str]) -> Mapping[str, datetime]:
        return {fact: self.noted_ends[fact] for fact in facts if fact in self.noted_ends}

    def forget(self, facts: Iterable[str]) -> None:
        for fact in facts:
            self.facts.pop(fact, None)

    def acknowledged(self, incident: str) -> Acknowledgement | None:
        return self.acknowledgements.get(incident)

    def waiting(self, channel: str) -> list[datetime]:
        return [at for _, at in self.collected.get(waiting_key(channel), {}).values()]


@dataclass(slots=True)
class MemoryIncidentRecords:
    """The same incidents for whoever asks."""

    kept: MemoryIncidents

    def standing(self) -> Sequence[Incident]:
        return self.kept.standing()

    def ended(self, since: datetime) -> Iterator[Incident]:
        return (one for one in sorted(self.kept.ended, key=lambda one: one.begun, reverse=True) if one.begun >= since)

    def acknowledgements(self) -> Mapping[str, Acknowledgement]:
        return self.kept.acknowledgements

    def acknowledge(self, incident: str, by: Acknowledgement) -> None:
        self.kept.acknowledgements[incident] = by


class MemoryMetrics:
    """All that was emitted."""

    def __init__(self) -> None:
        self.lines: list[Values] = []

    def emit(self, values: Values) -> None:
        if values:
            self.lines.append(dict(values))

    def of(self, metric: Metric) -> list[float]:
        """The values of a metric, the latest last."""
        return [line[metric] for line in self.lines if metric in line]
