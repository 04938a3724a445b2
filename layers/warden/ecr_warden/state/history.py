"""The history log: what happened besides runs, and where it is kept."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from ecr_warden.core.codec.base import forms
from ecr_warden.core.job import Actor
from ecr_warden.core.value import Count, Moment, Value

REMEMBERED = timedelta(days=366)
"""The journal and the history log are kept for a year."""


class HistoryKind(StrEnum):
    """What happened."""

    SPEC_ACCEPTED = "spec-accepted"
    SPEC_REFUSED = "spec-refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    HELD = "held"
    HOLD_ENDED = "hold-ended"
    HOLD_ACCEPTED = "hold-accepted"
    HOLD_REJECTED = "hold-rejected"
    REJECTION_LIFTED = "rejection-lifted"  # of before 0.2.0: nobody writes it any more
    PUBLISHED = "published"
    ACKNOWLEDGED = "acknowledged"
    WRITES_STOPPED = "writes-stopped"
    WRITES_ENABLED = "writes-enabled"
    FINDING = "finding"  # somebody has access that the spec does not give, or lacks what it gives
    FINDING_ENDED = "finding-ended"
    CREDENTIAL = "credential"  # somebody made a key or password of a user of the spec, or a role's sessions longer
    IMAGE_SETTING = "image-setting"  # somebody changed how long images and tags of a repository last
    OWN_PART = "own-part"  # somebody changed what ecr-warden consists of
    WIRE_BROKEN = "wire-broken"  # something through which ecr-warden sees or works is not as it should be
    WIRE_RESTORED = "wire-restored"
    ANNOUNCED = "announced"  # what else people heard of: a job that failed, a fight, the end of a grant


OF_SPECS = frozenset((HistoryKind.SPEC_ACCEPTED, HistoryKind.SPEC_REFUSED, HistoryKind.HELD, HistoryKind.HOLD_ENDED))
OF_COMMANDS = frozenset(
    (
        HistoryKind.PAUSED,
        HistoryKind.RESUMED,
        HistoryKind.HOLD_ACCEPTED,
        HistoryKind.HOLD_REJECTED,
        HistoryKind.REJECTION_LIFTED,
        HistoryKind.PUBLISHED,
        HistoryKind.ACKNOWLEDGED,
    )
)


OF_ALERTS = frozenset(
    (
        HistoryKind.FINDING,
        HistoryKind.FINDING_ENDED,
        HistoryKind.CREDENTIAL,
        HistoryKind.IMAGE_SETTING,
        HistoryKind.OWN_PART,
        HistoryKind.WIRE_BROKEN,
        HistoryKind.WIRE_RESTORED,
        HistoryKind.ANNOUNCED,
    )
)


class HistoryEntry(Value, frozen=True):
    """One entry of the history log."""

    kind: HistoryKind
    at: Moment
    id: str
    """Of the spec and the stop switch the version, of a finding and a wire a digest, of what else there is its ID."""
    by: Actor | None
    """None if unknown."""
    text: str
    targets: tuple[str, ...] = ()
    """The targets that were affected, empty if all were."""
    omitted: Count = 0
    """How many more there were."""
    since: Moment | None = None
    """When what has ended began."""


history_to_json, history_from_json = forms("history entry", HistoryEntry)


class HistoryLog(Protocol):
    """The history log; the stop switch keeps its own history."""

    def record(self, entry: HistoryEntry) -> None:
        """Keep an entry as long as the journal; recording it twice keeps one."""

    def entries(
        self, since: datetime, until: datetime, kinds: Collection[HistoryKind] | None = None
    ) -> Iterator[HistoryEntry]:
        """The entries of these kinds (None: all) from `since` to `until`, newest first, read lazily."""
