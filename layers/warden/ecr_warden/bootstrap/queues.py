"""The queues of jobs: those to which a function may send, and its own."""

from functools import cache, partial

from ecr_warden.aws.queues import Redelivery, SqsDeadLetters, SqsJobs
from ecr_warden.bootstrap import common
from ecr_warden.core.job import Queue

_QUEUE_URLS = {
    Queue.REPAIR: "WARDEN_JOBS_QUEUE_URL",
    Queue.ACCEPT: "WARDEN_ACCEPT_QUEUE_URL",
    Queue.COLLECT: "WARDEN_COLLECT_QUEUE_URL",
    Queue.AUDIT: "WARDEN_AUDIT_QUEUE_URL",
}


@cache
def jobs() -> SqsJobs:
    """The queues to which the function may send."""
    urls = {queue: common.environment.optional(name) for queue, name in _QUEUE_URLS.items()}
    return SqsJobs(partial(common.client, "sqs"), {queue: url for queue, url in urls.items() if url})


@cache
def redelivery(queue: Queue) -> Redelivery:
    """Sets when a failed job of the function's own queue is delivered again."""
    return Redelivery(common.client("sqs"), common.environment.required(_QUEUE_URLS[queue]))


@cache
def exhausted(queue: Queue) -> SqsDeadLetters:
    """Where a job of the function's own queue goes that failed on its last attempt."""
    url = common.environment.required(_QUEUE_URLS[queue])
    return SqsDeadLetters(common.client("sqs"), f"{url.removesuffix(queue.sqs_name)}{queue.exhausted}")
