"""What waits for a person, and the log of what people decided."""

from functools import cache

from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.common import table
from ecr_warden.state.aws_history import DynamoHistory
from ecr_warden.state.aws_holds import DynamoHolds, DynamoVerdicts


@cache
def history_log() -> DynamoHistory:
    """The history log."""
    return DynamoHistory(table(), common.clock)


@cache
def holds() -> DynamoHolds:
    """What waits for a person."""
    return DynamoHolds(table(), common.clock)


@cache
def verdicts() -> DynamoVerdicts:
    """What was read and judged for verdicts."""
    return DynamoVerdicts(table(), common.clock)
