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
from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.common import QUEUE_URLS, HubAdapters
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.failures import LeaseHeld, RetryAtOnce
from ecr_warden.core.job import Attempt, Job, Queue, job_from_text, job_to_json
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler_of[A: HubAdapters](
    on: A, queue: Queue, work: Callable[[A, Any, Attempt], str]
) -> Callable[[dict[str, Any], "LambdaContext"], Any]:
    """The handler of a function that does the jobs of a queue.

    `work` does one and returns its result for the log; raises what keeps it from being done.
    """

    @logger().inject_lambda_context
    def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
        """Run the job of a message; returns the message if it has to come back."""
        common.deadline.begin(context.get_remaining_time_in_millis)
        [record] = event["Records"]
        message_id, handle, body = record["messageId"], record["receiptHandle"], record["body"]
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        sent = datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
        kept = progress(on, queue)
        attempt = replace(kept.attempt(message_id, receives), sent=sent)
        try:
            job = _job_in(body, queue)
            answer = work(on, job, attempt)
        except LeaseHeld as error:
            logger().info("waits", extra={"error": str(error)})
            _tried("spared", lambda: kept.spare(message_id))
            _tried("brought back", lambda: redelivery(on, queue).held(handle, receives))
        except Exception as error:
            expected = isinstance(error, NamedError)
            given = {"error": f"{type(error).__name__}: {error!s:.1000}", "attempt": attempt.number}
            logger().error("failed", extra=given, exc_info=not expected)
            if attempt.is_last and _tried("given up", lambda: exhausted(on, queue).keep(body, message_id=message_id)):
                return {"batchItemFailures": []}
            at_once = isinstance(error, RetryAtOnce)
            _tried("brought back", lambda: redelivery(on, queue).failed(handle, attempt.number, at_once=at_once))
        else:
            logger().info("done", extra={"job": job_to_json(job), "answer": answer})
            _tried("noted", kept.finished)
            return {"batchItemFailures": []}
        return {"batchItemFailures": [{"itemIdentifier": message_id}]}

    return handler


def _job_in(body: str, queue: Queue) -> Job:
    """The job of a message; raises CodecError."""
    job = job_from_text(body)
    if job.queue is not queue:
        raise CodecError(f"a job of the queue {job.queue.sqs_name}")
    return job


@cache
def progress(on: HubAdapters, queue: Queue) -> DynamoProgress:
    """What is remembered of the function's own queue."""
    return DynamoProgress(on.table, on.clock, queue)


def redelivery(on: HubAdapters, queue: Queue) -> Redelivery:
    """Sets when a failed job of the function's own queue is delivered again."""
    return Redelivery(on.client("sqs"), on.environment.required(QUEUE_URLS[queue]))


def exhausted(on: HubAdapters, queue: Queue) -> SqsDeadLetters:
    """Where a job of the function's own queue goes that failed on its last attempt."""
    return SqsDeadLetters(
        on.client("sqs"),
        on.environment.required(QUEUE_URLS[queue]).removesuffix(queue.sqs_name) + queue.exhausted,
    )


def _tried(what: str, do: Callable[[], None]) -> bool:
    """Whether that went well; if not, the message comes back after the queue's visibility timeout."""
    try:
        do()
    except NamedError as error:
        logger().warning(f"not {what}", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
        return False
    return True
