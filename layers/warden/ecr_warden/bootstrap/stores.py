"""What a repair needs to remember, and the bus that leads to people."""

from functools import cache, partial

from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.common import table
from ecr_warden.notify.aws_bus import EventBridgeAlertBus
from ecr_warden.state.aws_accepted import AwsAcceptedSpecs
from ecr_warden.state.aws_commands import DynamoCommandRecords
from ecr_warden.state.aws_objects import S3Objects
from ecr_warden.state.aws_state import DynamoState
from ecr_warden.state.aws_sweeps import DynamoSweepRecords
from ecr_warden.state.aws_switch import SsmSwitch
from ecr_warden.state.tree import SpecTree


@cache
def accepted_specs() -> AwsAcceptedSpecs:
    """The accepted version alone."""
    return AwsAcceptedSpecs(table=table(), tree=SpecTree(objects()))


def objects() -> S3Objects:
    """The compiled specs."""
    owner = common.environment.required("WARDEN_HUB_ACCOUNT")
    return S3Objects(common.client("s3"), common.environment.required("WARDEN_STATE_BUCKET"), owner)


@cache
def state() -> DynamoState:
    """What is remembered of targets."""
    return DynamoState(table(), common.clock)


@cache
def sweep_records() -> DynamoSweepRecords:
    """The records of sweeps."""
    return DynamoSweepRecords(table())


@cache
def switch() -> SsmSwitch:
    """The stop switch."""
    return SsmSwitch(partial(common.client, "ssm"), common.environment.required("WARDEN_WRITES_PARAMETER"))


@cache
def command_records() -> DynamoCommandRecords:
    """The commands, and the answers to them."""
    return DynamoCommandRecords(table(), common.clock)


@cache
def alert_bus() -> EventBridgeAlertBus:
    """The bus that leads to people."""
    return EventBridgeAlertBus(partial(common.client, "events"), common.environment.required("WARDEN_OUTCOMES_BUS"))
