"""What is remembered of each target between runs: leases, last readings, pauses, and what is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, field

from ecr_warden.core.observed import Observation
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.run import Debts, LastSeen, OpenRun, RunReport
from ecr_warden.core.sessions import TrustLook
from ecr_warden.core.target import Target
from ecr_warden.state.fight import Repairs

LEFT_OPEN = timedelta(minutes=10)
"""How long after it began a run that nobody closed is looked at; longer than any run takes with its attempts."""


class Due(Struct, frozen=True):
    """A target whose time has come; `run`: the one that was opened and that nobody may have closed, "" if it waited."""

    target: Target
    run: str = ""


class Lease(Struct, frozen=True):
    """The right to work on a target until `expires_at`; each later holder has a higher `fencing_token`.

    `recreated`: the principals marked as recreated when the lease was taken. Its run settles only these, because its
    plan did not see any that are marked meanwhile.
    """

    target: Target
    run_id: str
    fencing_token: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()


class TargetRecord(Struct, frozen=True):
    """What is remembered of a target between runs.

    `open_run`: ID of a run that never closed. `unique_id`: AWS's ID of the identity, when last read. `reported`:
    fingerprint of the last reported problem while it lasts, so that a sweep does not report it again. `revoked`: the
    spec version that removed the target, once its documents are gone. `written_at`: when a run last wrote to it.
    `settled_at`: when the last run that left nothing to try again began to read it.
    `trust_look`: of the last run that read a role's trust policy in sync. `repairs`: of the documents that runs wrote
    lately. `pause`: the latest that named the target, ended or not. `last`: for people and audits; no run
    decides by it. `events`: when somebody's calls that events reported were made, the last one of each name; and when
    an intruder's was reported. `taken`: by the address as text, the version whose take-over was carried out there.
    """

    open_run: str | None = None
    debts: Debts = field(default_factory=Debts)
    unique_id: str | None = None
    reported: str | None = None
    revoked: str | None = None
    written_at: datetime | None = None
    settled_at: datetime | None = None
    trust_look: TrustLook | None = None
    repairs: tuple[Repairs, ...] = ()
    pause: Pause | None = None
    last: LastSeen | None = None
    events: Mapping[str, datetime] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)

    def was_recreated(self, observation: Observation) -> bool:
        """Whether the identity was recreated since it was last read; False if it was not read now."""
        return None not in (self.unique_id, observation.unique_id) and self.unique_id != observation.unique_id


class Learned(Struct, frozen=True, kw_only=True):
    """What a run learned of its target, for its TargetRecord; None leaves a value as it was, except `reported`.

    `report`: how the run ended, if it did.
    """

    reported: str | None
    unique_id: str | None = None
    revoked: str | None = None
    settled_at: datetime | None = None
    trust_look: TrustLook | None = None
    repairs: tuple[Repairs, ...] | None = None
    events: Mapping[str, datetime] | None = None
    taken: Mapping[str, str] | None = None
    report: RunReport | None = None


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
