"""The function `control`."""

from functools import cache

from ecr_warden.adapters.aws.callers import StsCallers
from ecr_warden.adapters.aws.schedules import EventBridgeSchedules
from ecr_warden.bootstrap import common
from ecr_warden.usecases.commands import Commands
from ecr_warden.usecases.pauses import PauseTimes


@cache
def commands() -> Commands:
    """Its use case."""
    region, hub = common.environment.required("AWS_REGION"), common.environment.required("WARDEN_HUB_ACCOUNT")
    schedules = EventBridgeSchedules(
        common.client("scheduler"),
        group=common.environment.required("WARDEN_SCHEDULE_GROUP"),
        role_arn=common.environment.required("WARDEN_SCHEDULE_ROLE"),
        queue_arn=common.environment.required("WARDEN_JOBS_QUEUE_ARN"),
        clock=common.clock,
    )
    return Commands(
        specs=common.specs(),
        state=common.state(),
        command_records=common.command_records(),
        jobs=common.jobs(),
        pause_times=PauseTimes(schedules),
        alerts=common.alert_bus(),
        callers=StsCallers(common.client("sts"), region, hub, common.clock),
        audit=common.audit_log(),
        holds=common.holds(),
        clock=common.clock,
    )
