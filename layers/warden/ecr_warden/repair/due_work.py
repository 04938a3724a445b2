"""What has come due, at each tick of the schedule: ends of pauses, ends of grants, and access that had to wait.

It reads the spec and the hub's table, no account, and enqueues runs. The record of the last look says since when: a
process that dies in between announces and enqueues again rather than not at all.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, GrantEnd
from ecr_warden.core.job import Cause, CauseKind, FollowClock, SweepAll, reconcile_jobs
from ecr_warden.core.pause import Pause
from ecr_warden.core.queue import Jobs
from ecr_warden.core.target import Target
from ecr_warden.repair.alerts import GrantsEnd, PauseEnded
from ecr_warden.repair.cutoff import END_MARGIN
from ecr_warden.repair.grant_ends import reached
from ecr_warden.repair.targets import spec_for
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.commands import CommandRecords
from ecr_warden.state.pauses import held_by
from ecr_warden.state.state import State, TargetRecord
from ecr_warden.state.sweeps import GRANT_ENDS, SweepRecord, SweepRecords
from iam_access.text.printable import few, show_time

ENDS_REPORTED = 50
LONGEST_DUE = timedelta(days=1)
"""How far the first look of a deployment goes back."""


class FollowClocks(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    state: State
    command_records: CommandRecords
    sweep_records: SweepRecords
    jobs: Jobs
    alerts: AlertBus
    clock: Clock

    def follow(self, job: FollowClock) -> str:
        """Announce and enqueue what has come due since the last look; returns what was done, for the log."""
        accepted, now = self.specs.accepted(), self.clock.now()
        if accepted is None:
            return "no spec"
        before = self.sweep_records.of(GRANT_ENDS)
        since = now if before is None else before.at
        for moment, ends in reached(accepted.ends, since, now):
            shown, left_out = few(ends, ENDS_REPORTED)
            self.alerts.publish(GrantsEnd(job.cause, moment, accepted.version, tuple(map(_in_words, shown)), left_out))
        due = [*_ending(accepted, since, now), *self._waiting(now - LONGEST_DUE if before is None else before.at, now)]
        self.jobs.enqueue(reconcile_jobs(job.cause, due))
        for pause in self.state.pattern_pauses():
            if since < pause.pause.until <= now:
                self._ended(pause.pause, accepted)
        self.sweep_records.note(SweepRecord(GRANT_ENDS, now, accepted.version))
        return f"{len(due)} targets"

    def _waiting(self, since: datetime, now: datetime) -> Iterator[Target]:
        """The targets whose time has come: access waits in a fight, or nobody has closed a run of theirs."""
        due = self.state.due(since, now)
        records = self.state.records([one.target for one in due if one.run])
        for one in due:
            if not one.run or records.get(one.target.key, TargetRecord()).open_run == one.run:
                yield one.target

    def _ended(self, pause: Pause, accepted: CompiledSpec) -> None:
        """Announce the end of a pause, and enqueue what it held then; it may have been replaced since."""
        held = held_by(pause.id, self.command_records, self.state)
        targets = (
            () if held is None else tuple(target for target in held.targets if spec_for(target, accepted) is not None)
        )
        if held is None or not (targets or held.patterns):
            return
        at = pause.at.isoformat(timespec="seconds")
        cause = Cause(CauseKind.PAUSE, pause.id, action="pause", at=at, actor=pause.by)
        names = tuple(map(str, targets))
        self.alerts.publish(PauseEnded(cause, names, pause.reason, pause.until, patterns=held.patterns))
        # Only AWS knows which repositories have come to fit a pattern.
        self.jobs.enqueue([*reconcile_jobs(cause, targets), *([SweepAll(cause)] if held.patterns else [])])


def _ending(accepted: CompiledSpec, since: datetime, now: datetime) -> Iterator[Target]:
    """The push roles whose older sessions have to end, because a grant of theirs has ended."""
    ended = (grant_end.role for grant_end in accepted.ends if since < grant_end.until + END_MARGIN <= now)
    yield from dict.fromkeys(role for role in ended if role is not None)


def _in_words(end: GrantEnd) -> str:
    others = "; all sessions of the role end then, and whoever goes on has to assume it again"
    return f"{end.grant}, until {show_time(end.until)}{others if end.role is not None else ''}"
