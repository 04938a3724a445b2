"""The stop switch is announced when it is found turned, and each day while nothing is written."""

from dataclasses import dataclass, field
from datetime import timedelta

from ecr_warden.core.job import Cause, CauseKind, FollowSwitch, SweepAll
from ecr_warden.core.result import Severity
from ecr_warden.notify.kinds import severity
from ecr_warden.repair.alerts import WritesSwitched
from ecr_warden.repair.follow_switch import FollowSwitches
from ecr_warden.state.switch import Position
from local.testing.memory.hub import ManualClock, MemoryAlertBus, MemoryJobs, MemorySwitch
from local.testing.memory.state import MemorySwitchRecord

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

    def look(self, after: timedelta = MINUTE, *, because: CauseKind = CauseKind.SWEEP) -> list[WritesSwitched]:
        """What is announced by the next look."""
        self.clock.advance(after)
        self.looks += 1
        before = len(self.bus.published)
        use_case = FollowSwitches(self.switch, self.record, self.jobs, self.bus, self.clock)
        use_case.follow(FollowSwitch(Cause(because, f"s{self.looks}")))
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
    assert (severity(stopped), stopped.since) == (Severity.CRITICAL, None)
    assert "writes are stopped by the switch" in stopped.stopped
    assert office.look() == office.look(DAY - 2 * MINUTE) == []
    [again] = office.look()
    assert (severity(again), again.since) == (Severity.WARNING, office.clock.now() - DAY)
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


def test_after_a_stop_that_was_undone_before_anybody_looked_everything_is_swept() -> None:
    office = Office()
    office.look()
    for on in (False, True):
        office.turn(on=on)
    assert (office.look(because=CauseKind.EVENT), [type(job) for job in office.jobs.sent]) == ([], [SweepAll])


class Unreadable(MemorySwitch):
    """AWS does not say what the switch says."""

    def reason_to_stop(self) -> str:
        return "nothing is written while the stop switch cannot be read: permission-missing"


def test_a_switch_that_cannot_be_read_is_announced_once_a_day() -> None:
    office = Office(switch=Unreadable())
    [alert] = office.look()
    assert severity(alert) is Severity.CRITICAL
    assert "permission-missing" in alert.stopped
    assert office.record.seen is not None
    assert office.record.seen.position is Position.UNREADABLE
    assert [len(office.look(DAY / 2)) for _ in range(2)] == [0, 1]
    office.switch = MemorySwitch()
    [readable] = office.look()
    assert readable.stopped == ""
