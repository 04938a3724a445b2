"""The stop switch is announced: each change, also one that was undone, and each day while nothing is written."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import Actor, Cause, CauseKind, FollowSwitch, SweepAll
from ecr_warden.core.result import Severity
from ecr_warden.notify.kinds import message_of, severity
from ecr_warden.repair.alerts import WritesSwitched
from ecr_warden.repair.follow_switch import CHANGES_REPORTED, FollowSwitches
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.switch import Position
from local.testing.memory.hub import ManualClock, MemoryAlertBus, MemoryJobs, MemorySwitch
from local.testing.memory.state import MemorySwitchRecord

MALLORY = Actor("", arn="arn:aws:iam::111111111111:user/mallory")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(slots=True)
class Office:
    """The stop switch, who turns it, and what people hear of it."""

    clock: ManualClock = field(default_factory=ManualClock)
    switch: MemorySwitch = field(default_factory=MemorySwitch)
    record: MemorySwitchRecord = field(default_factory=MemorySwitchRecord)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    bus: MemoryAlertBus = field(default_factory=MemoryAlertBus)
    looks: int = 0

    def turn(self, *, on: bool) -> None:
        self.clock.advance(MINUTE)
        self.switch.enabled = on
        kind = HistoryKind.WRITES_ENABLED if on else HistoryKind.WRITES_STOPPED
        text = "writes are on" if on else "nothing is written"
        version = str(len(self.switch.changed) + 2)
        self.switch.changed.append(HistoryEntry(kind, self.clock.now(), version, MALLORY, text))

    def look(self, after: timedelta = MINUTE) -> list[WritesSwitched]:
        """What is announced by the next look."""
        self.clock.advance(after)
        self.looks += 1
        before = len(self.bus.published)
        use_case = FollowSwitches(self.switch, self.record, self.jobs, self.bus, self.clock)
        use_case.follow(FollowSwitch(Cause(CauseKind.SWEEP, f"s{self.looks}")))
        return [alert for alert in self.bus.published[before:] if isinstance(alert, WritesSwitched)]


def test_a_switch_that_nobody_turned_is_not_mentioned() -> None:
    office = Office()
    assert [office.look(DAY) for _ in range(3)] == [[], [], []]
    assert office.jobs.sent == []


def test_stopping_is_announced_at_once_and_then_each_day() -> None:
    office = Office()
    office.look()
    office.turn(on=False)
    [stopped] = office.look()
    assert (severity(stopped), stopped.cause.actor, stopped.since) == (Severity.CRITICAL, MALLORY, None)
    assert "writes are stopped by the switch" in stopped.stopped
    assert office.look() == office.look(DAY - 2 * MINUTE) == []
    [again] = office.look()
    assert (severity(again), again.changes) == (Severity.WARNING, ())
    assert "still nothing is written" in message_of([again]).title
    assert [len(office.look(DAY / 2)) for _ in range(4)] == [0, 1, 0, 1]


def test_enabling_is_announced_and_everything_is_swept_at_once() -> None:
    office = Office()
    office.turn(on=False)
    office.look()
    office.turn(on=True)
    [enabled] = office.look()
    assert (severity(enabled), enabled.stopped) == (Severity.INFO, "")
    assert [type(job) for job in office.jobs.sent] == [SweepAll]
    assert office.look(DAY) == []


def test_a_stop_that_was_undone_before_anybody_looked_is_announced() -> None:
    office = Office()
    office.look()
    for on in (False, True):
        office.turn(on=on)
    [both] = office.look()
    assert [change.stops for change in both.changes] == [False, True]
    assert severity(both) is Severity.WARNING
    assert "user/mallory" in "\n".join(message_of([both]).lines)
    assert office.look() == []


def test_what_was_before_the_first_look_is_not_announced_unless_writes_are_stopped() -> None:
    over, lasting = Office(), Office()
    for office in (over, lasting):
        office.turn(on=False)
    over.turn(on=True)
    assert (len(over.look()), len(lasting.look())) == (0, 1)


@pytest.mark.parametrize("turns", [2, 2 * CHANGES_REPORTED])
def test_every_turn_is_listed_or_counted(turns: int) -> None:
    office = Office()
    office.look()
    for number in range(turns):
        office.turn(on=number % 2 == 1)
    [alert] = office.look()
    assert len(alert.changes) == min(turns, CHANGES_REPORTED)
    assert len(alert.changes) + alert.left_out == turns


class Unreadable(MemorySwitch):
    """AWS answers neither what the switch says nor who turned it."""

    def reason_to_stop(self) -> str:
        return "nothing is written while the stop switch cannot be read: permission-missing"

    def changes(self) -> list[HistoryEntry]:
        raise PermissionMissing("ssm:GetParameterHistory is denied")


def test_a_switch_that_cannot_be_read_is_announced_once_a_day() -> None:
    office = Office(switch=Unreadable())
    [alert] = office.look()
    assert (severity(alert), alert.changes) == (Severity.CRITICAL, ())
    assert "permission-missing" in alert.stopped
    assert office.record.seen is not None
    assert office.record.seen.position is Position.UNREADABLE
    assert [len(office.look(DAY / 2)) for _ in range(2)] == [0, 1]
    office.switch = MemorySwitch()
    [readable] = office.look()
    assert readable.stopped == ""
