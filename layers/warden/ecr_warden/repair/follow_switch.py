"""Announces the stop switch: each change of it, and every day while nothing is written.

A change that was undone before anybody looked is announced too: AWS keeps the history of the switch.
"""

from collections.abc import Sequence
from copy import replace
from datetime import timedelta

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import FollowSwitch, SweepAll
from ecr_warden.core.queue import Jobs
from ecr_warden.repair.alerts import SwitchTurn, WritesSwitched
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.switch import STOPPED, Position, Switch, SwitchRecord, SwitchSeen
from iam_access.text.printable import few

REPEATED_AFTER = timedelta(days=1)
CHANGES_REPORTED = 10


class FollowSwitches(Struct, frozen=True):
    """The use case over its ports."""

    switch: Switch
    record: SwitchRecord
    jobs: Jobs
    alerts: AlertBus
    clock: Clock

    def follow(self, job: FollowSwitch) -> str:
        """Announce what is new of the switch; returns what was done, for the log. Raises PortError.

        A process that dies before it has noted what it announced announces it again, never not at all.
        """
        reason, now = self.switch.reason_to_stop(), self.clock.now()
        position = _position(reason)
        last = self.record.last()
        known = 0 if last is None else last.version
        changes = tuple(entry for entry in self._changes() if int(entry.id) > known)
        version = max((int(entry.id) for entry in changes), default=known)
        if last is None and reason is None:
            # Whatever was before anybody looked is over.
            self.record.note(SwitchSeen(position, now, version))
            return "nothing new"
        was = None if last is None else last.position
        is_repeated = not changes and position is was
        if is_repeated and (reason is None or last is None or now - last.at < REPEATED_AFTER):
            return "nothing new"
        actor = changes[0].by if changes else job.cause.actor
        reported, left_out = few(changes, CHANGES_REPORTED)
        alert = WritesSwitched(
            replace(job.cause, actor=actor),
            reason or "",
            tuple(map(_turn, reported)),
            since=last.at if last is not None and is_repeated else None,
            left_out=left_out,
        )
        self.alerts.publish(alert)
        self.record.note(SwitchSeen(position, now, version))
        if reason is None:
            # Nothing was written for a while, and nobody waits for the next sweep.
            self.jobs.enqueue([SweepAll(job.cause)])
        return f"announced: {position}"

    def _changes(self) -> Sequence[HistoryEntry]:
        """The latest first; none where AWS does not say, because the position is announced all the same."""
        try:
            return self.switch.changes()
        except PortError:
            return ()


def _turn(entry: HistoryEntry) -> SwitchTurn:
    return SwitchTurn(entry.at, entry.kind is HistoryKind.WRITES_STOPPED, entry.by)


def _position(reason: str | None) -> Position:
    match reason:
        case None:
            return Position.ENABLED
        case str() if reason == STOPPED:
            return Position.STOPPED
        case _:
            return Position.UNREADABLE
