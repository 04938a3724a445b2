"""What a repair needs to remember, and the bus that leads to people."""

from functools import cached_property, partial

from ecr_warden.aws.bucket import StateBucket
from ecr_warden.bootstrap.common import HubAdapters
from ecr_warden.notify.aws_bus import EventBridgeAlertBus
from ecr_warden.state.aws_accepted import AwsAcceptedSpecs
from ecr_warden.state.aws_commands import DynamoCommandRecords
from ecr_warden.state.aws_objects import S3Objects
from ecr_warden.state.aws_state import DynamoState
from ecr_warden.state.aws_sweeps import DynamoSweepRecords
from ecr_warden.state.aws_switch import SsmSwitch
from ecr_warden.state.tree import SpecTree


class StateAdapters(HubAdapters):
    """Of functions that have to do with targets."""

    @cached_property
    def accepted_specs(self) -> AwsAcceptedSpecs:
        """The accepted version alone."""
        return AwsAcceptedSpecs(table=self.table, tree=SpecTree(self.objects))

    @cached_property
    def state_bucket(self) -> StateBucket:
        """The bucket of compiled specs, of the estate, and of the last audit and report."""
        return StateBucket(
            self.client("s3"),
            self.environment.required("WARDEN_STATE_BUCKET"),
            self.environment.required("WARDEN_HUB_ACCOUNT"),
        )

    @cached_property
    def objects(self) -> S3Objects:
        """The compiled specs."""
        return S3Objects(self.state_bucket)

    @cached_property
    def state(self) -> DynamoState:
        """What is remembered of targets."""
        return DynamoState(self.table, self.clock)

    @cached_property
    def sweep_records(self) -> DynamoSweepRecords:
        """The records of sweeps."""
        return DynamoSweepRecords(self.table)

    @cached_property
    def switch(self) -> SsmSwitch:
        """The stop switch."""
        return SsmSwitch(partial(self.client, "ssm"), self.environment.required("WARDEN_WRITES_PARAMETER"))

    @cached_property
    def command_records(self) -> DynamoCommandRecords:
        """The commands, and the answers to them."""
        return DynamoCommandRecords(self.table, self.clock)

    @cached_property
    def alerts(self) -> EventBridgeAlertBus:
        """The bus that leads to people."""
        return EventBridgeAlertBus(partial(self.client, "events"), self.environment.required("WARDEN_OUTCOMES_BUS"))
