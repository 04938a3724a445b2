"""What the last sweep of each part found, and where it is kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.lazy_entries import parts_in
from ecr_warden.core.part import part_of
from ecr_warden.core.sessions import TrustLook
from ecr_warden.core.target import Target
from ecr_warden.core.value import Moment, Value
from ecr_warden.state.state import TargetRecord

GRANT_ENDS = "grant-ends"
"""The part that stands for what has come due: the record of it says when the clock was last followed."""


class Awaited(Value, frozen=True):
    """Drift that a sweep found and that an event has to report."""

    found: Moment
    since: Moment
    """When its target was seen in sync last."""
    calls: tuple[str, ...]
    """Names of those that can have changed it."""


class SweepRecord(Struct, frozen=True):
    """The record of a sweep that has read all of a part.

    `fine`, `due`: keys of the targets that were in sync, and of those that have to be reconciled. Both are empty if
    there were too many to store; then the record says nothing about single targets.
    """

    part: str
    """As core.target.part_of names it."""
    at: datetime
    """When the sweep began to read."""
    version: str
    """What it compared with."""
    fine: frozenset[str] = frozenset()
    due: frozenset[str] = frozenset()
    trusts: Mapping[str, TrustLook] = field(default_factory=dict)
    """By a role's key, the last look of any sweep that read its trust policy in sync."""
    awaited: Mapping[str, Awaited] = field(default_factory=dict)
    """By a target's key, drift that an event has to report."""
    cleared: frozenset[str] = frozenset()
    """Keys of the removed patterns of which nothing is left."""
    over: int = 0
    """How many that are due a sweep left to the next one, or asked for longer ago than any run takes."""
    due_since: Mapping[str, datetime] = field(default_factory=dict)
    """By the key of each that is due, since when sweeps have found it so and no run that ended has begun."""


def parts_of(spec: CompiledSpec, leaving: Iterable[Target] = ()) -> frozenset[str]:
    """Every part that a sweep has to read; `leaving`: removed targets that have not lost their access yet."""
    targets = (*(pattern.target for pattern in spec.patterns), *leaving)
    return parts_in(spec.targets).union(spec.accounts, map(part_of, targets))


def is_cleared(
    target: Target, accepted: CompiledSpec, record: TargetRecord, swept_last: Callable[[str], SweepRecord | None]
) -> bool:
    """Whether a target was removed and has lost what it held; from then on ecr-warden leaves it alone.

    `swept_last`: the last record of a part.
    """
    removed, left = accepted.removed.get(target.key), accepted.pattern_left_by(target)
    if left is None:
        return removed is not None and record.revoked == removed.since
    swept = swept_last(part_of(target))
    return swept is not None and left.key in swept.cleared


class SweepRecords(Protocol):
    """When and how each part was last swept; a sweep notes a part once it has read all of it."""

    def note(self, record: SweepRecord) -> None:
        """Store a record, replacing the part's last one."""

    def take(self, sweep: str, part: str, wanted: int, at_most: int) -> int:
        """How many of the wanted repairs a part of a sweep may ask for; all parts together may for `at_most`.

        A part that takes again, because it was killed before it asked, has what it took.
        """

    def of(self, part: str) -> SweepRecord | None:
        """The last record of a part; None if there is none, or this version cannot read it."""

    def all(self) -> Sequence[SweepRecord]:
        """The last record of each part, in any order."""
