"""The function `control`."""

from functools import cache

from ecr_warden.bootstrap import common, holding, queues, stores
from ecr_warden.bootstrap.specs import specs
from ecr_warden.hub.aws_callers import StsCallers
from ecr_warden.hub.commands import Commands


@cache
def commands() -> Commands:
    """Its use case."""
    region, hub = common.environment.required("AWS_REGION"), common.environment.required("WARDEN_HUB_ACCOUNT")
    return Commands(
        specs=specs(),
        state=stores.state(),
        command_records=stores.command_records(),
        jobs=queues.jobs(),
        alerts=stores.alert_bus(),
        callers=StsCallers(common.client("sts"), region, hub, common.clock),
        log=holding.history_log(),
        holds=holding.holds(),
        clock=common.clock,
    )
