"""The hub's table, which most functions have; created once per container."""

from functools import cache

from ecr_warden.aws.table import Table
from ecr_warden.bootstrap import common


@cache
def table() -> Table:
    """The hub's table."""
    return Table(common.client("dynamodb"), common.environment.required("WARDEN_TABLE"))
