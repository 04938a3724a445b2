"""What every function has: its environment and clients; each is created once per container."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from ecr_warden.aws.deadline import HUB_RESERVE, MEMBER_RESERVE, InvocationDeadline
from ecr_warden.aws.system import SystemClock
from ecr_warden.aws.table import Table
from ecr_warden.core.outside import Environment

environment = Environment(os.environ)
clock = SystemClock()

deadline = InvocationDeadline()
"""The end of the invocation; set by its handler."""

# Within a region; a call that hangs times out before deadline.HUB_RESERVE.
HUB_CONFIG = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


def has_time() -> bool:
    """Whether there is time for another decision of an audit."""
    return not deadline.is_within(MEMBER_RESERVE)


@cache
def session() -> boto3.Session:
    """The container's one session."""
    return boto3.Session()


@cache
def client(service: Any) -> Any:
    """A client of one of the hub's own services."""
    made = session().client(service, config=HUB_CONFIG)
    deadline.guard(made, HUB_RESERVE)
    return made


@cache
def table() -> Table:
    """The hub's table."""
    return Table(client("dynamodb"), environment.required("WARDEN_TABLE"))
