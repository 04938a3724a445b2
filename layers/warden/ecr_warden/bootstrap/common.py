"""What every function has: its environment and clients; each is created once per container.

A function is made of one value of adapters, whose class inherits from those of the groups that it needs; each adapter
is made when it is first asked for. Tests make the same of adapters in memory, which have the same names.
"""

import os
from functools import cache, cached_property, partial
from typing import Any

import boto3
from botocore.config import Config

from ecr_warden.aws.deadline import HUB_RESERVE, MEMBER_RESERVE, InvocationDeadline
from ecr_warden.aws.queues import SqsJobs
from ecr_warden.aws.system import SystemClock
from ecr_warden.aws.table import Table
from ecr_warden.bootstrap.observability import emit
from ecr_warden.core.clock import Clock
from ecr_warden.core.job import Queue
from ecr_warden.core.outside import Environment

QUEUE_URLS = {
    Queue.REPAIR: "WARDEN_JOBS_QUEUE_URL",
    Queue.ACCEPT: "WARDEN_ACCEPT_QUEUE_URL",
    Queue.COLLECT: "WARDEN_COLLECT_QUEUE_URL",
    Queue.AUDIT: "WARDEN_AUDIT_QUEUE_URL",
}
"""The variables that hold their addresses."""

deadline = InvocationDeadline()
"""The end of the invocation; set by its handler."""

# Within a region; a call that hangs times out before deadline.HUB_RESERVE.
HUB_CONFIG = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


@cache
def session() -> boto3.Session:
    """The container's one session."""
    return boto3.Session()


class HubAdapters:
    """What the adapters of every function are made of."""

    environment = Environment(os.environ)
    clock: Clock = SystemClock()
    emit = staticmethod(emit)

    @staticmethod
    @cache
    def client(service: Any) -> Any:
        """A client of one of the hub's own services; a container has one, whatever its functions are made of."""
        return deadline.guarded(session().client(service, config=HUB_CONFIG), HUB_RESERVE)

    def has_time(self) -> bool:
        """Whether there is time for another part of a job."""
        return not deadline.is_within(MEMBER_RESERVE)

    @cached_property
    def table(self) -> Table:
        """The hub's table."""
        return Table(self.client("dynamodb"), self.environment.required("WARDEN_TABLE"))

    @cached_property
    def jobs(self) -> SqsJobs:
        """The queues to which the function may send."""
        urls = {queue: self.environment.optional(name) for queue, name in QUEUE_URLS.items()}
        return SqsJobs(partial(self.client, "sqs"), {queue: url for queue, url in urls.items() if url})
