"""The queues of jobs to which a function may send."""

from functools import cache, partial

from ecr_warden.aws.queues import SqsJobs
from ecr_warden.bootstrap import common
from ecr_warden.core.job import Queue

QUEUE_URLS = {
    Queue.REPAIR: "WARDEN_JOBS_QUEUE_URL",
    Queue.ACCEPT: "WARDEN_ACCEPT_QUEUE_URL",
    Queue.COLLECT: "WARDEN_COLLECT_QUEUE_URL",
    Queue.AUDIT: "WARDEN_AUDIT_QUEUE_URL",
}
"""The variables that hold their addresses."""


@cache
def jobs() -> SqsJobs:
    """The queues to which the function may send."""
    urls = {queue: common.environment.optional(name) for queue, name in QUEUE_URLS.items()}
    return SqsJobs(partial(common.client, "sqs"), {queue: url for queue, url in urls.items() if url})
