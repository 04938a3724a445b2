"""Runs the jobs of a batch; one that fails stops only its own group.

Powertools' batch utility is not used: importing it costs about as much as all of ecr-warden, and a message it skips
stays invisible for the whole visibility timeout, which also holds back the rest of its group.
A batch ends before the function times out: finished jobs are kept, jobs that were not begun are handed back.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ecr_warden.aws.deadline import JOB_RESERVE
from ecr_warden.aws.progress import DynamoProgress
from ecr_warden.bootstrap import common, queues
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.codec.jobs import job_from_text, job_to_json
from ecr_warden.core.failures import LeaseHeld, RetryAtOnce
from ecr_warden.core.job import Attempt, Job, Queue
from iam_access.errors import WardenError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Record = dict[str, Any]
type Work = Callable[[Any, Attempt], str]
"""Does a job of the queue and returns its result for the log; raises what keeps it from being done."""


class End(StrEnum):
    """How the delivery of a job ended."""

    DONE = "done"
    GIVEN_UP = "given-up"  # its last attempt failed, and it is reported
    LATER = "later"  # it is tried again after a while
    AT_ONCE = "at-once"
    WAITS = "waits"  # for the lease that another run holds


def run_batch(event: Any, context: "LambdaContext", queue: Queue, work: Work) -> dict[str, list[dict[str, str]]]:
    """Run a batch of a queue and return the messages that failed, or were not begun in time."""
    common.deadline.begin(context.get_remaining_time_in_millis)
    batch = _Batch(queue, work)
    failed = [record["messageId"] for record in most_received_first(event["Records"]) if not batch.takes(record)]
    if batch.has_done:
        _tried("noted", progress(queue).finished)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


class _Batch(Struct):
    """`blocked`: how the first message of a group ended that has to come back."""

    queue: Queue
    work: Work
    has_begun: bool = False
    has_done: bool = False
    blocked: dict[str, End] = field(default_factory=dict)

    def takes(self, record: Record) -> bool:
        """Run the job of a message; False if it has to come back."""
        message_id, group = record["messageId"], record["attributes"]["MessageGroupId"]
        kept = progress(self.queue)
        attempt = replace(kept.attempt(message_id, _receives(record)), sent=_sent(record))
        # The next message of a failed one's group would fail too.
        end = self.blocked.get(group)
        begins = end is None and not (self.has_begun and common.deadline.is_within(JOB_RESERVE))
        if begins:
            self.has_begun, end = True, self._run(record, attempt)
            self.has_done = self.has_done or end is End.DONE
        elif end is None:
            logger().warning("not begun", extra={"attempt": attempt.number})
            end = End.AT_ONCE
        if end in (End.DONE, End.GIVEN_UP):
            return True
        # The rest of a group waits for its first message, and as long as that does.
        self.blocked[group] = end
        if not begins or end is End.WAITS:
            _tried("spared", lambda: kept.spare(message_id))
        _tried("brought back", lambda: self._bring_back(record["receiptHandle"], end, attempt))
        return False

    def _run(self, record: Record, attempt: Attempt) -> End:
        try:
            job = self._job_in(record)
            answer = self.work(job, attempt)
        except LeaseHeld as error:
            logger().info("waits", extra={"error": str(error)})
            return End.WAITS
        except Exception as error:
            # Whatever it was, the other messages of the batch still get their runs.
            expected = isinstance(error, WardenError)
            given = {"error": f"{type(error).__name__}: {error!s:.1000}", "attempt": attempt.number}
            logger().error("failed", extra=given, exc_info=not expected)
            if attempt.is_last and _tried("given up", lambda: self._give_up(record)):
                return End.GIVEN_UP
            return End.AT_ONCE if isinstance(error, RetryAtOnce) else End.LATER
        logger().info("done", extra={"job": job_to_json(job), "answer": answer})
        return End.DONE

    def _job_in(self, record: Record) -> Job:
        """The job of a message; raises CodecError."""
        job = job_from_text(record["body"])
        if job.queue is not self.queue:
            raise CodecError(f"a job of the queue ecr-warden-{job.queue}.fifo")
        return job

    def _give_up(self, record: Record) -> None:
        """Have a job reported whose last attempt failed."""
        group = record["attributes"]["MessageGroupId"]
        queues.exhausted(self.queue).keep(record["body"], group=group, message_id=record["messageId"])

    def _bring_back(self, receipt_handle: str, end: End, attempt: Attempt) -> None:
        """Have a message delivered again soon."""
        redelivery = queues.redelivery(self.queue)
        if end is End.AT_ONCE:
            redelivery.at_once(receipt_handle)
        else:
            redelivery.soon(receipt_handle, 1 if end is End.WAITS else attempt.number)


@cache
def progress(queue: Queue) -> DynamoProgress:
    """What is remembered of the function's own queue."""
    return DynamoProgress(common.table(), common.clock, queue)


def most_received_first(records: list[Record]) -> list[Record]:
    """The messages of a batch, each group in its own order; the group that was received most often comes first.

    So no message uses up its receives without being begun.
    """
    most: dict[str, int] = {}
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        most[group] = max(most.get(group, 0), _receives(record))
    return sorted(records, key=lambda record: -most[record["attributes"]["MessageGroupId"]])


def _sent(record: Record) -> datetime:
    return datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)


def _receives(record: Record) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _tried(what: str, do: Callable[[], None]) -> bool:
    """Whether that went well; if not, the message comes back after the queue's visibility timeout."""
    try:
        do()
    except WardenError as error:
        logger().warning(f"not {what}", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
        return False
    return True
