"""The function `control`."""

from functools import cache

from ecr_warden.bootstrap import common
from ecr_warden.hub.aws_callers import StsCallers
from ecr_warden.hub.commands import Commands


@cache
def commands() -> Commands:
    """Its use case."""
    region, hub = common.environment.required("AWS_REGION"), common.environment.required("WARDEN_HUB_ACCOUNT")
    return Commands(
        specs=common.specs(),
        state=common.state(),
        command_records=common.command_records(),
        jobs=common.jobs(),
        alerts=common.alert_bus(),
        callers=StsCallers(common.client("sts"), region, hub, common.clock),
        audit=common.audit_log(),
        holds=common.holds(),
        clock=common.clock,
    )
