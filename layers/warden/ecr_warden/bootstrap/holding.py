"""What waits for a person, and the log of what people decided."""

from functools import cached_property

from ecr_warden.bootstrap.common import HubAdapters
from ecr_warden.state.aws_history import DynamoHistory
from ecr_warden.state.aws_holds import DynamoHolds, DynamoVerdicts


class HoldAdapters(HubAdapters):
    """Of functions that have to do with versions of the spec."""

    @cached_property
    def log(self) -> DynamoHistory:
        """The history log."""
        return DynamoHistory(self.table, self.clock)

    @cached_property
    def holds(self) -> DynamoHolds:
        """What waits for a person."""
        return DynamoHolds(self.table, self.clock)

    @cached_property
    def verdicts(self) -> DynamoVerdicts:
        """What was read and judged for verdicts."""
        return DynamoVerdicts(self.table, self.clock)
