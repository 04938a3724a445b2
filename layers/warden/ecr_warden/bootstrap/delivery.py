"""Runs the job of a message, and has it delivered again soon if that fails.

Each invocation gets one message, so that no job waits for another one's and each has the function's whole time.
Powertools' batch utility is not used: importing it costs about as much as all of ecr-warden.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from ecr_warden.aws.progress import DynamoProgress
from ecr_warden.aws.redelivery import Redelivery, SqsDeadLetters
from ecr_warden.bootstrap import common, queues
from ecr_warden.bootstrap.common import table
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.failures import LeaseHeld, RetryAtOnce
from ecr_warden.core.job import Attempt, Job, Queue, job_from_text, job_to_json
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Work = Callable[[Any, Attempt], str]
"""Does a job of the queue and returns its result for the log; raises what keeps it from being done."""


def deliver(event: Any, context: "LambdaContext", queue: Queue, work: Work) -> dict[str, list[dict[str, str]]]:
    """Run the job of a queue's message; returns the message if it has to come back."""
    common.deadline.begin(context.get_remaining_time_in_millis)
    [record] = event["Records"]
    message_id, handle, body = record["messageId"], record["receiptHandle"], record["body"]
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    sent = datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
    kept = progress(queue)
    attempt = replace(kept.attempt(message_id, receives), sent=sent)
    try:
        job = _job_in(body, queue)
        answer = work(job, attempt)
    except LeaseHeld as error:
        logger().info("waits", extra={"error": str(error)})
        _tried("spared", lambda: kept.spare(message_id))
        _tried("brought back", lambda: redelivery(queue).held(handle, receives))
    except Exception as error:
        expected = isinstance(error, NamedError)
        given = {"error": f"{type(error).__name__}: {error!s:.1000}", "attempt": attempt.number}
        logger().error("failed", extra=given, exc_info=not expected)
        if attempt.is_last and _tried("given up", lambda: exhausted(queue).keep(body, message_id=message_id)):
            return {"batchItemFailures": []}
        at_once = isinstance(error, RetryAtOnce)
        _tried("brought back", lambda: redelivery(queue).failed(handle, attempt.number, at_once=at_once))
    else:
        logger().info("done", extra={"job": job_to_json(job), "answer": answer})
        _tried("noted", kept.finished)
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": message_id}]}


def _job_in(body: str, queue: Queue) -> Job:
    """The job of a message; raises CodecError."""
    job = job_from_text(body)
    if job.queue is not queue:
        raise CodecError(f"a job of the queue {job.queue.sqs_name}")
    return job


@cache
def progress(queue: Queue) -> DynamoProgress:
    """What is remembered of the function's own queue."""
    return DynamoProgress(table(), common.clock, queue)


@cache
def redelivery(queue: Queue) -> Redelivery:
    """Sets when a failed job of the function's own queue is delivered again."""
    return Redelivery(common.client("sqs"), common.environment.required(queues.QUEUE_URLS[queue]))


@cache
def exhausted(queue: Queue) -> SqsDeadLetters:
    """Where a job of the function's own queue goes that failed on its last attempt."""
    url = common.environment.required(queues.QUEUE_URLS[queue])
    return SqsDeadLetters(common.client("sqs"), f"{url.removesuffix(queue.sqs_name)}{queue.exhausted}")


def _tried(what: str, do: Callable[[], None]) -> bool:
    """Whether that went well; if not, the message comes back after the queue's visibility timeout."""
    try:
        do()
    except NamedError as error:
        logger().warning(f"not {what}", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
        return False
    return True
