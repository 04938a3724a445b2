"""The Schedules port on one-off schedules of EventBridge Scheduler, which send to the jobs queue.

A schedule runs within the minute of its time, may run twice, and is retried for a day; it deletes itself. Sources:
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, translated, unless
from ecr_warden.adapters.aws.queues import group_id
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.codec.jobs import job_to_json
from ecr_warden.model.job import Job
from ecr_warden.ports.hub import Clock

# Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_NAME_LENGTH = 64
# AWS does not say what becomes of a schedule whose time has passed when it is made.
_EARLIEST = timedelta(seconds=60)


class _Client(Protocol):
    """The part of boto3's client that is used."""

    def create_schedule(self, **arguments: Any) -> Any: ...
    def delete_schedule(self, **arguments: Any) -> Any: ...


class EventBridgeSchedules(Struct, frozen=True):
    """Schedules of one group; `role_arn`: as which they send to the queue."""

    client: _Client
    group: str
    role_arn: str
    queue_arn: str
    clock: Clock

    def at(self, when: datetime, name: str, job: Job) -> None:
        exact = max(when, self.clock.now() + _EARLIEST).astimezone(UTC)
        # Never before the time: fractions of a second cannot be said.
        at = exact.replace(microsecond=0) + timedelta(seconds=1 if exact.microsecond else 0)
        with translated(HUB, f"scheduling {name}"):
            unless(
                ("ConflictException",),
                self.client.create_schedule,
                GroupName=self.group,
                Name=_name(name),
                ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self.queue_arn,
                    "RoleArn": self.role_arn,
                    "Input": dumps(job_to_json(job)),
                    "SqsParameters": {"MessageGroupId": group_id(job)},
                },
            )

    def cancel(self, name: str) -> None:
        with translated(HUB, f"cancelling {name}"):
            unless(("ResourceNotFoundException",), self.client.delete_schedule, GroupName=self.group, Name=_name(name))


def _name(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else hashlib.sha256(name.encode()).hexdigest()
