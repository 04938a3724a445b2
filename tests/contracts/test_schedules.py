"""Schedules: one job under one name, sent no earlier than its time."""

from datetime import timedelta

import pytest
from ecr_warden.model.job import Cause, CauseKind, FollowPause, PauseMoment
from ecr_warden.ports.errors import PermissionMissing, Throttled

from tests.contracts.hubs import JOBS_QUEUE, SCHEDULE_ROLE, SCHEDULES, Hub, MotoHub

HOUR = timedelta(hours=1)
END = FollowPause(Cause(CauseKind.PAUSE, "command-1"), PauseMoment.END)
OTHER = FollowPause(Cause(CauseKind.PAUSE, "command-2"), PauseMoment.END)


def test_a_job_is_scheduled_for_its_time(hub: Hub) -> None:
    when = hub.clock.now() + HOUR
    hub.schedules.at(when, "command-1-end", END)
    assert hub.scheduled() == {"command-1-end": (when, END)}


def test_the_same_name_again_keeps_the_first(hub: Hub) -> None:
    when = hub.clock.now() + HOUR
    hub.schedules.at(when, "command-1-end", END)
    hub.schedules.at(when + HOUR, "command-1-end", OTHER)
    assert hub.scheduled() == {"command-1-end": (when, END)}


def test_what_is_cancelled_is_not_scheduled_and_the_others_are(hub: Hub) -> None:
    when = hub.clock.now() + HOUR
    hub.schedules.at(when, "command-1-end", END)
    hub.schedules.at(when, "command-2-end", OTHER)
    hub.schedules.cancel("command-1-end")
    hub.schedules.cancel("command-1-end")
    assert hub.scheduled() == {"command-2-end": (when, OTHER)}


def test_a_schedule_sends_its_job_to_its_group_of_the_queue_and_deletes_itself(moto_hub: MotoHub) -> None:
    moto_hub.schedules.at(moto_hub.clock.now() + HOUR, "command-1-end", END)
    made = moto_hub.scheduler.get_schedule(GroupName=SCHEDULES, Name="command-1-end")
    target = made["Target"]
    assert (target["Arn"], target["RoleArn"]) == (JOBS_QUEUE, SCHEDULE_ROLE)
    assert target["SqsParameters"] == {"MessageGroupId": "pause-command-1"}
    assert (made["ActionAfterCompletion"], made["FlexibleTimeWindow"]) == ("DELETE", {"Mode": "OFF"})


@pytest.mark.parametrize(
    ("after", "scheduled"),
    [
        (timedelta(hours=1, milliseconds=1), timedelta(hours=1, seconds=1)),
        (timedelta(seconds=61), timedelta(seconds=61)),
        (timedelta(seconds=20), timedelta(seconds=60)),
        (timedelta(seconds=-5), timedelta(seconds=60)),
    ],
    ids=["a fraction is rounded up", "a minute is left", "less than a minute is left", "it has passed"],
)
def test_a_schedule_is_never_before_its_time_nor_in_the_past(
    moto_hub: MotoHub, after: timedelta, scheduled: timedelta
) -> None:
    now = moto_hub.clock.now()
    moto_hub.schedules.at(now + after, "command-1-end", END)
    assert moto_hub.scheduled() == {"command-1-end": (now + scheduled, END)}


def test_a_name_that_is_too_long_for_aws_is_as_good_as_any(moto_hub: MotoHub) -> None:
    long = "c" * 64 + "-end"
    moto_hub.schedules.at(moto_hub.clock.now() + HOUR, long, END)
    [name] = moto_hub.scheduled()
    assert len(name) <= 64
    moto_hub.schedules.cancel(long)
    assert moto_hub.scheduled() == {}


def test_a_scheduler_that_refuses_is_a_named_error(moto_hub: MotoHub) -> None:
    moto_hub.schedules.cancel("nothing")
    moto_hub.wire.fail("scheduler:CreateSchedule", "ThrottlingException")
    moto_hub.wire.fail("scheduler:DeleteSchedule", "AccessDeniedException")
    with pytest.raises(Throttled):
        moto_hub.schedules.at(moto_hub.clock.now() + HOUR, "command-1-end", END)
    with pytest.raises(PermissionMissing):
        moto_hub.schedules.cancel("command-1-end")
