"""The times of a pause: when they are scheduled, and what is done when one has come.

A schedule may run late, twice or not at all, and its pause may have been replaced or ended: what a pause still holds is
read when its job comes. Without the job, the next sweep finds what differs.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.model.alert import PauseReached
from ecr_warden.model.codec.requests import command_from_text
from ecr_warden.model.job import Attempt, Cause, CauseKind, FollowPause, PauseMoment, SweepAll
from ecr_warden.model.pause import LONGEST_PAUSE, PatternPause, Pause, latest_pause
from ecr_warden.model.request import PauseUntil
from ecr_warden.model.selection import EVERYTHING
from ecr_warden.model.target import Target
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.errors import PortError, RetryLater
from ecr_warden.ports.hub import Clock, CommandRecords, Jobs, Schedules
from ecr_warden.ports.store import Specs, State, TargetRecord
from ecr_warden.usecases.jobs import reconcile_jobs
from ecr_warden.usecases.targets import spec_for

SHORTEST_WITH_HALF = timedelta(minutes=10)
"""The half of a shorter pause is not announced: it would be news of a moment ago."""
CLOSE = timedelta(hours=1)
"""A day that passes so near to another time of the pause is not announced beside it."""


class PauseTimes(Struct, frozen=True):
    """Schedules the times of pauses."""

    schedules: Schedules

    def schedule(self, pause: Pause) -> None:
        """Have the pause's jobs sent at its times, its end first; raises PortError."""
        for name, (when, moment) in _times(pause).items():
            self.schedules.at(when, name, FollowPause(Cause(CauseKind.PAUSE, pause.id), moment))

    def cancel(self, pause: Pause) -> None:
        """Have no more jobs of a pause sent; one that comes all the same finds that it holds nothing."""
        with suppress(PortError):
            for name in _times(pause):
                self.schedules.cancel(name)


def _times(pause: Pause) -> dict[str, tuple[datetime, PauseMoment]]:
    """The times of a pause by the names of their schedules: its end, its half, and each day in between."""
    lasts = pause.until - pause.at
    times = {f"{pause.id}-{PauseMoment.END}": (pause.until, PauseMoment.END)}
    if lasts >= SHORTEST_WITH_HALF:
        times[f"{pause.id}-{PauseMoment.HALF}"] = (pause.at + lasts / 2, PauseMoment.HALF)
    for number in range(1, LONGEST_PAUSE.days):
        day = pause.at + timedelta(days=number)
        if day < pause.until and all(abs(day - when) >= CLOSE for when, _ in times.values()):
            times[f"{pause.id}-{PauseMoment.DAY}-{number}"] = (day, PauseMoment.DAY)
    return times


class Holding(Struct, frozen=True):
    """What a pause holds: the targets that its command named and no later one took over; and its patterns, if any."""

    pause: Pause
    targets: tuple[Target, ...]
    patterns: tuple[str, ...] = ()


def held_by(pause_id: str, command_records: CommandRecords, state: State) -> Holding | None:
    """What a pause holds, ended or not; None if nothing. Raises PortError."""
    text = command_records.text(pause_id)
    command = None if text is None else command_from_text(text)
    if not isinstance(command, PauseUntil):
        return None
    given = state.pattern_pauses() if command.patterns else ()
    own = next((one for one in given if one.pause.id == pause_id), None)
    patterns = () if own is None else tuple(text for text in own.patterns if not _is_replaced(text, own, given))
    pauses = {target: pause for target, pause in latest_pauses(command.targets, state).items() if pause.id == pause_id}
    pause = next(iter(pauses.values()), own.pause if own is not None and patterns else None)
    return None if pause is None else Holding(pause, tuple(pauses), patterns)


def _is_replaced(pattern: str, own: PatternPause, given: Iterable[PatternPause]) -> bool:
    later = (text for one in given if one.pause.at > own.pause.at for text in one.patterns)
    return any(text in (pattern, EVERYTHING) for text in later)


def latest_pauses(targets: Iterable[Target], state: State) -> Mapping[Target, Pause]:
    """The latest pause of each target that has one, ended or not; raises PortError."""
    asked = tuple(dict.fromkeys(targets))
    records, by_pattern = state.records(asked), state.pattern_pauses()
    latest = {
        target: latest_pause(target, records.get(target.key, TargetRecord()).pause, by_pattern) for target in asked
    }
    return {target: pause for target, pause in latest.items() if pause is not None}


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
        if held is None or accepted is None:
            return "nothing is paused by it"
        pause, patterns = held.pause, held.patterns
        targets = tuple(target for target in held.targets if spec_for(target, accepted) is not None)
        if not targets and not patterns:
            return "nothing is paused by it"
        has_ended = not pause.is_on(self.clock.now())
        if job.moment is not PauseMoment.END and has_ended:
            return "too late"
        if job.moment is PauseMoment.END and not has_ended:
            if attempt.is_last:
                return "too early"
            raise RetryLater(f"pause {pause.id} lasts until {pause.until.isoformat()}", retryable=True)
        cause = replace(job.cause, action="pause", at=pause.at.isoformat(timespec="seconds"), actor=pause.by)
        names = tuple(map(str, targets))
        reached = PauseReached(cause, job.moment, names, pause.reason, pause.until, patterns=patterns)
        self.alerts.publish(reached)
        if job.moment is PauseMoment.END:
            self.jobs.enqueue(reconcile_jobs(cause, targets))
            if patterns:
                # Only AWS knows which repositories have come to fit.
                self.jobs.enqueue([SweepAll(cause)])
        return f"{len(targets)} targets"
