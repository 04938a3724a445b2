"""What the hub remembers of targets between runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ecr_warden.model.observed import Observation
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.pause import Pause
from ecr_warden.model.run import Debts, LastLook, OpenRun
from ecr_warden.model.target import Target
from ecr_warden.ports.errors import PortError


class LeaseHeld(PortError):
    """Another run works on the target."""

    code = "lease-held"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a target until `expires_at`; a later holder has a higher `fence`.

    `recreated`: the principals that were marked when it was taken. Only these can its runs settle: one that is marked
    meanwhile was not seen by their plans.
    """

    target: Target
    run_id: str
    fence: int
    expires_at: datetime
    recreated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """What is remembered of a target between runs.

    `open_run`: id of a run that never closed. `unique_id`: the owner's own, when last seen. `reported`: fingerprint of
    what people were last told and that still stands, so that a sweep does not tell it again. `revoked`: the spec
    version that took the target away, once what it held is gone. `written_at`: when a run last wrote to it. `pause`:
    the one set last, whether it has ended or not. `last`: for people, and no part of what decides.
    """

    open_run: str | None = None
    debts: Debts = field(default_factory=Debts)
    unique_id: str | None = None
    reported: str | None = None
    revoked: str | None = None
    written_at: datetime | None = None
    pause: Pause | None = None
    last: LastLook | None = field(default=None, compare=False)

    def was_recreated(self, observation: Observation) -> bool:
        """Whether the owner was deleted and made again since it was last seen; False of what was not read."""
        return None not in (self.unique_id, observation.unique_id) and self.unique_id != observation.unique_id


class State(Protocol):
    """The memory of the hub: leases, what was last seen, and the journal of runs."""

    def acquire(self, target: Target, run_id: str) -> tuple[Lease, TargetRecord]:
        """Take the target's lease; raises LeaseHeld."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still this run's (asked just before each write)."""
        ...

    def release(
        self,
        lease: Lease,
        observation: Observation | None,
        *,
        reported: str | None,
        revoked: str | None = None,
        report: RunReport | None = None,
    ) -> None:
        """Give the lease back and remember what was last seen and told; a lost lease changes nothing.

        `revoked` is remembered when it is given. `report`: how the run ended, if it did.
        """
        ...

    def open_run(self, lease: Lease, run: OpenRun, debts: Debts) -> None:
        """Journal a plan with its pre-images before its first write; raises LeaseHeld if the lease was lost."""
        ...

    def close_run(self, lease: Lease, report: RunReport, debts: Debts) -> None:
        """Journal how a run ended and what it leaves to do; a run that wrote nothing need not have been opened."""
        ...

    def load_run(self, target: Target, run_id: str) -> OpenRun | None:
        """A run as it was journalled when it was opened, None if there never was one."""
        ...

    def mark_recreated(self, target: Target, principal: str) -> None:
        """Remember that `principal` (an ARN in the target's documents) was deleted and made again."""
        ...

    def pause(self, target: Target, pause: Pause) -> None:
        """Set a target's pause in the place of any other; a run that is under way goes on."""
        ...

    def resume(self, target: Target) -> None:
        """End a target's pause, if there is one."""
        ...

    def note_reported(self, target: Target, reported: str | None) -> None:
        """Remember what people were told of something that no run works on, such as a pattern of repositories."""
        ...

    def records(self, targets: Sequence[Target]) -> Mapping[str, TargetRecord]:
        """What is remembered of targets, by the target's key, for those that a run has looked at."""
        ...
