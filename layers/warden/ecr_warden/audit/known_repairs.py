"""Whether the documents of a target are known to be repaired: the one rule, which fails closed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from ecr_warden.audit.repaired import Live, Waits
from ecr_warden.collect.estate import StoredPiece
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.part import part_of
from ecr_warden.core.pause import PatternPause, pause_of
from ecr_warden.core.result import Result
from ecr_warden.core.target import RepositoryTarget, Target, parse_target
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import SweepRecord, is_cleared

_FULL_SECONDS = timedelta(seconds=1)
"""S3 says in full seconds when something was put."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Remembered(Struct, frozen=True):
    """What the hub remembers at one time: `targets` and `records` by key, `sweeps` and `kept` pieces by part."""

    accepted: CompiledSpec
    targets: Mapping[str, Target]
    records: Mapping[str, TargetRecord]
    pauses: Sequence[PatternPause]
    sweeps: Mapping[str, SweepRecord]
    kept: Mapping[str, StoredPiece]
    interval: timedelta
    """From one sweep to the next."""
    now: datetime

    def with_made(
        self, listed: Iterable[RepositoryTarget], records: Callable[[Sequence[Target]], Mapping[str, TargetRecord]]
    ) -> "Remembered":
        """The same with the repositories that fit a pattern and that no sweep has seen yet."""
        unseen = (target for target in listed if target.key not in self.targets)
        made = {target.key: target for target in unseen if self.accepted.spec_of(target) is not None}
        return replace(self, targets={**self.targets, **made}, records={**self.records, **records([*made.values()])})

    def live(self, read: Mapping[str, datetime]) -> Live:
        """Why each target counts as it lies there; `read`: as of audit.stored_estate."""

        reasons = {key: self._why(one, read.get(key, read.get(part_of(one)))) for key, one in self.targets.items()}
        return lambda key: reasons.get(key, Waits.OTHERS)

    def _why(self, target: Target, read: datetime | None) -> Waits | None:
        """`read`: when its documents were, at the earliest. A time to come is another clock's, and proves nothing."""
        record, part = self.records.get(target.key, TargetRecord()), part_of(target)
        if self.accepted.mode_of(target) is Mode.OBSERVE:
            return Waits.OBSERVED
        if pause_of(target, record.pause, self.pauses, self.now) is not None:
            return Waits.PAUSED
        if record.last is not None and (record.last.result is None or not record.last.result.is_fine):
            return Waits.HELD if record.last.result in (Result.REPORTED, Result.WAITING) else Waits.FAILED
        began = record.settled_at if record.settled_at is not None and record.settled_at <= self.now else _NEVER
        if part in self.kept and self.kept[part].at + _FULL_SECONDS <= began:
            return None  # the run began after the piece was kept, so after all of it was read
        is_later = record.last is None or (read is not None and record.last.at <= read)
        if is_later and is_cleared(target, self.accepted, record, self.sweeps.get):
            return Waits.OTHERS
        sweep = self.sweeps.get(part)
        # It may be: no sweep has read all of the part lately, or there were too many for its record to say which.
        if sweep is None or self.now - sweep.at >= 2 * self.interval or (sweep.over and not sweep.due):
            return Waits.OVERDUE
        since = sweep.due_since.get(target.key, began)
        if began < since and not self._is_recent(since):
            return Waits.OVERDUE
        # A run that began while the part was being read may be older than what was read: the next sweep reads it again.
        return None if read is not None and (read <= began or self._is_recent(read)) else Waits.STALE

    def _is_recent(self, at: datetime) -> bool:
        return timedelta() <= self.now - at < self.interval

    def digest(self) -> str:
        """Of all that waits. What the last sweep found in sync grows old with every part, which changes nothing yet."""
        fine = frozenset[str]().union(*(sweep.fine for sweep in self.sweeps.values()))
        live = self.live({part: one.at for part, one in self.kept.items()})
        waits = ((key, why) for key in sorted(self.targets) if (why := live(key)))
        lines = [f"{key} {why}" for key, why in waits if why is not Waits.STALE or key not in fine]
        return sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def known_targets(accepted: CompiledSpec, sweeps: Iterable[SweepRecord]) -> dict[str, Target]:
    """All of which something may be repaired, by key: what the spec names or removed, and what the sweeps looked at.

    A pattern stands for what will be created.
    """
    named = (spec.target for spec in accepted.targets.values())
    removed = (one.target for one in accepted.removed.values())
    patterns = (pattern.target for pattern in accepted.patterns)
    seen = (parse_target(key) for sweep in sweeps for key in sweep.fine | sweep.due)
    return {target.key: target for target in (*seen, *patterns, *removed, *named)}
