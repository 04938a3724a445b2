"""Announces the stop switch: each turn of it that is found, and every day while nothing is written.

Who turned it, and whether it was turned and back before anybody looked, is in CloudTrail.
"""

from datetime import timedelta

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.job import CauseKind, FollowSwitch, SweepAll
from ecr_warden.core.queue import Jobs
from ecr_warden.repair.alerts import WritesSwitched
from ecr_warden.state.switch import STOPPED, Position, Switch, SwitchRecord, SwitchSeen

REPEATED_AFTER = timedelta(days=1)


class FollowSwitches(Struct, frozen=True):
    """The use case over its ports."""

    switch: Switch
    record: SwitchRecord
    jobs: Jobs
    alerts: AlertBus
    clock: Clock

    def follow(self, job: FollowSwitch) -> str:
        """Announce what is new of the switch; returns what was done, for the log. Raises PortError.

        A process that dies before it has noted what it announced announces it again rather than not at all.
        """
        reason, now, last = self.switch.reason_to_stop(), self.clock.now(), self.record.last()
        position = _POSITIONS.get(reason, Position.UNREADABLE)
        was = Position.ENABLED if last is None else last.position
        lasting = last.at if last is not None and reason is not None and position is was else None
        is_due = lasting is not None and now - lasting >= REPEATED_AFTER
        if reason is None and (position is not was or job.cause.kind is CauseKind.EVENT):
            # Writes were stopped, perhaps from one look to the next only: nothing waits for the next sweep.
            self.jobs.enqueue([SweepAll(job.cause)])
        if position is not was or is_due:
            self.alerts.publish(WritesSwitched(job.cause, reason or "", since=lasting))
            self.record.note(SwitchSeen(position, now))
        return f"the switch is {position}"


_POSITIONS = {None: Position.ENABLED, STOPPED: Position.STOPPED}
"""By the reason not to write."""
