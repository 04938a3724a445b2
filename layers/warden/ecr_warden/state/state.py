"""What is remembered of each target between runs: leases, last readings, pauses, and what is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, field

from ecr_warden.core.lasting import Opened
from ecr_warden.core.observed import Observation
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.run import Debts, LastSeen, OpenRun, RunReport
from ecr_warden.core.sessions import TrustLook
from ecr_warden.core.target import Target
from ecr_warden.state.fight import Repairs

LEFT_OPEN = timedelta(minutes=10)
"""How long after it began a run that nobody closed is looked at; longer than any run takes with its attempts."""


class Due(Struct, frozen=True):
    """A target whose time has come."""

    target: Target
    run: str = ""
    """The one that was opened and that nobody may have closed, "" if it waited."""


class Lease(Struct, frozen=True):
    """The right to work on a target until `expires_at`; each later holder has a higher `fencing_token`."""

    target: Target
    run_id: str
    fencing_token: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()
    """The principals marked as recreated when the lease was taken. Its run settles only these, because its plan did not
    see any that are marked meanwhile."""


class TargetRecord(Struct, frozen=True):
    """What is remembered of a target between runs."""

    open_run: str | None = None
    """ID of a run that never closed."""
    debts: Debts = field(default_factory=Debts)
    unique_id: str | None = None
    """AWS's ID of the identity, when last read."""
    reported: str | None = None
    """Fingerprint of the last reported problem while it lasts, so that a sweep does not report it again."""
    opened: Opened | None = None
    """Since when it differs, and by whom, while it does."""
    revoked: str | None = None
    """The spec version that removed the target, once its documents are gone."""
    written_at: datetime | None = None
    """When a run last wrote to it."""
    settled_at: datetime | None = None
    """When the last run that left nothing to try again began to read it."""
    trust_look: TrustLook | None = None
    """Of the last run that read a role's trust policy in sync."""
    repairs: tuple[Repairs, ...] = ()
    """Of the documents that runs wrote lately."""
    pause: Pause | None = None
    """The latest that named the target, ended or not."""
    last: LastSeen | None = None
    """For people and audits; no run decides by it."""
    events: Mapping[str, datetime] = field(default_factory=dict)
    """When somebody's calls that events reported were made, the last one of each name; and when an intruder's was
    reported."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """By the address as text, the version whose take-over was carried out there."""

    def was_recreated(self, observation: Observation) -> bool:
        """Whether the identity was recreated since it was last read; False if it was not read now."""
        return None not in (self.unique_id, observation.unique_id) and self.unique_id != observation.unique_id


class Learned(Struct, frozen=True, kw_only=True):
    """What a run learned of its target, for its TargetRecord.

    None leaves a value as it was, except `reported` and `opened`.
    """

    reported: str | None
    opened: Opened | None = None
    unique_id: str | None = None
    revoked: str | None = None
    revoked_until: datetime | None = None
    settled_at: datetime | None = None
    trust_look: TrustLook | None = None
    repairs: tuple[Repairs, ...] | None = None
    events: Mapping[str, datetime] | None = None
    taken: Mapping[str, str] | None = None
    report: RunReport | None = None
    """How the run ended, if it did."""


class State(Protocol):
    """What the hub remembers of targets: leases, last readings, and the journal of runs."""

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        """Take the target's lease; raises LeaseHeld."""

    def holds(self, lease: Lease) -> bool:
        """Whether the run still holds the lease (asked before each write)."""

    def release(self, lease: Lease, learned: Learned) -> None:
        """Release the lease and remember what the run learned; does nothing if the lease was lost."""

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        """Journal a plan with its pre-images before its first write; raises LeaseHeld if the lease was lost.

        The target is due at LEFT_OPEN after the run began, should nobody close it: its job may be given up.
        """

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        """Journal how a run ended and what it left to do; a run without writes need not have been opened."""

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        """A run as journalled when it was opened; None if there is none that this version can read."""

    def mark_recreated(self, target: Target, principal: str) -> None:
        """Remember that `principal` (an ARN in the target's documents) was recreated."""

    def pause(self, target: Target, pause: Pause) -> None:
        """Set a target's pause, replacing any other; a run in progress goes on."""

    def pause_patterns(self, paused: PatternPause) -> None:
        """Keep a pause of whatever patterns select, or of none, beside earlier ones, for as long as one can last."""

    def pattern_pauses(self) -> Sequence[PatternPause]:
        """The pauses of patterns that are kept and that this version can read, ended or not, in any order."""

    def wait(self, target: Target, until: datetime) -> None:
        """Have the target among those that are due at a time."""

    def due(self, since: datetime, until: datetime) -> Sequence[Due]:
        """What has come due after `since` and by `until`, each once; a bounded number, the first ones."""

    def note_reported(self, target: Target, reported: str | None) -> None:
        """Remember what was reported about something that has no runs, such as a pattern of repositories."""

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        """The records by target key, of those targets that have had a run."""
