"""The times of a pause: when they are scheduled, and what is done when one has come.

A schedule may run late, twice or not at all, and its pause may have been replaced or ended: what a pause still holds is
read when its job comes. Without the job, the next sweep finds what differs.
"""

from collections.abc import Mapping
from contextlib import suppress
from copy import replace
from datetime import timedelta

from msgspec import Struct

from ecr_warden.model.alert import PauseReached
from ecr_warden.model.codec.requests import command_from_text
from ecr_warden.model.job import Attempt, Cause, CauseKind, FollowPause, PauseMoment
from ecr_warden.model.request import PauseUntil
from ecr_warden.model.run import Pause
from ecr_warden.model.target import Target
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.errors import PortError, RetryLater
from ecr_warden.ports.hub import Clock, CommandRecords, Jobs, Schedules
from ecr_warden.ports.store import Specs, State
from ecr_warden.usecases.jobs import reconcile_jobs
from ecr_warden.usecases.targets import spec_for

SHORTEST_WITH_HALF = timedelta(minutes=10)
"""The half of a shorter pause is not announced: it would be news of a moment ago."""


class PauseTimes(Struct, frozen=True):
    """Schedules the times of pauses."""

    schedules: Schedules

    def schedule(self, pause: Pause) -> None:
        """Have the pause's jobs sent at its times, its end first; raises PortError."""
        self.schedules.at(pause.until, _name(pause.id, PauseMoment.END), _job(pause.id, PauseMoment.END))
        if pause.until - pause.at >= SHORTEST_WITH_HALF:
            half = pause.at + (pause.until - pause.at) / 2
            self.schedules.at(half, _name(pause.id, PauseMoment.HALF), _job(pause.id, PauseMoment.HALF))

    def cancel(self, pause_id: str) -> None:
        """Have no more jobs of a pause sent; one that comes all the same finds that it holds nothing."""
        with suppress(PortError):
            for moment in PauseMoment:
                self.schedules.cancel(_name(pause_id, moment))


def _name(pause_id: str, moment: PauseMoment) -> str:
    return f"{pause_id}-{moment}"


def _job(pause_id: str, moment: PauseMoment) -> FollowPause:
    return FollowPause(Cause(CauseKind.PAUSE, pause_id), moment)


def held_by(pause_id: str, command_records: CommandRecords, state: State) -> Mapping[Target, Pause]:
    """The targets whose latest pause this is, ended or not; raises PortError."""
    text = command_records.text(pause_id)
    command = None if text is None else command_from_text(text)
    if not isinstance(command, PauseUntil):
        return {}
    targets = tuple(dict.fromkeys(command.targets))
    records = state.records(targets)
    pauses = {target: records[target.key].pause for target in targets if target.key in records}
    return {target: pause for target, pause in pauses.items() if pause is not None and pause.id == pause_id}


class FollowPauses(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    state: State
    command_records: CommandRecords
    jobs: Jobs
    alerts: AlertBus
    clock: Clock

    def __call__(self, job: FollowPause, attempt: Attempt) -> str:
        """Announce the pause's time, and enqueue its targets if it has ended; returns what was done, for the log.

        Raises RetryLater for an end that has not come by this clock, unless this is the last attempt.
        """
        accepted = self.specs.accepted()
        held = held_by(job.cause.id, self.command_records, self.state)
        targets = tuple(target for target in held if accepted is not None and spec_for(target, accepted) is not None)
        if not targets:
            return "nothing is paused by it"
        pause = held[targets[0]]
        has_ended = not pause.is_on(self.clock.now())
        if job.moment is PauseMoment.HALF and has_ended:
            return "too late"
        if job.moment is PauseMoment.END and not has_ended:
            if attempt.is_last:
                return "too early"
            raise RetryLater(f"pause {pause.id} lasts until {pause.until.isoformat()}", retryable=True)
        cause = replace(job.cause, action="pause", at=pause.at.isoformat(timespec="seconds"), actor=pause.by)
        self.alerts.publish(PauseReached(cause, job.moment, tuple(map(str, targets)), pause.reason, pause.until))
        if job.moment is PauseMoment.END:
            self.jobs.enqueue(reconcile_jobs(cause, targets))
        return f"{len(targets)} targets"
