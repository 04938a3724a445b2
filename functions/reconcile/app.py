"""Runs the jobs of a batch; one that fails stops only its own target.

Powertools' batch utility is not used: importing it costs about as much as all of ecr-warden, and a message it skips
stays invisible for the whole visibility timeout, which also holds back the rest of its group.
A batch ends before the function times out: finished jobs are kept, jobs that were not begun are handed back.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

# ruff: noqa: E402 - the collector stops before the imports
import gc

# What is loaded until the first job is done stays: searching it for garbage forty times only delays the answer.
gc.disable()

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecr_warden import bootstrap
from ecr_warden.adapters.aws.deadline import JOB_RESERVE
from ecr_warden.adapters.aws.queues import ATTEMPTS
from ecr_warden.errors import WardenError
from ecr_warden.model.codec.jobs import job_from_text, job_to_json
from ecr_warden.model.job import Attempt
from ecr_warden.observability import logger
from ecr_warden.ports.errors import RetryAtOnce

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class End(StrEnum):
    """How a job ended: done, to be tried again after a while, or at once."""

    DONE = "done"
    LATER = "later"
    AT_ONCE = "at-once"


def run(record: dict[str, Any], attempt: Attempt) -> End:
    """Run one job; after its last attempt a failed job ends in the failure queue."""
    try:
        job = job_from_text(record["body"])
        answer = bootstrap.work()(job, attempt)
    except Exception as error:
        # Whatever it was, the other messages of the batch still get their runs.
        expected = isinstance(error, WardenError)
        given = {"error": f"{type(error).__name__}: {error!s:.1000}", "receives": attempt.number}
        logger().error("failed", extra=given, exc_info=not expected)
        return End.AT_ONCE if isinstance(error, RetryAtOnce) else End.LATER
    finally:
        if not gc.isenabled():
            gc.freeze()  # or the first search would go through all of it before the answer
            gc.enable()
    logger().info("done", extra={"job": job_to_json(job), "answer": answer})
    return End.DONE


def bring_back(record: dict[str, Any], attempt: Attempt, *, at_once: bool) -> None:
    """Have a message delivered again soon; if that fails, it is after the queue's visibility timeout."""
    try:
        if at_once:
            bootstrap.redelivery().at_once(record["receiptHandle"])
        else:
            bootstrap.redelivery().soon(record["receiptHandle"], attempt.number)
    except WardenError as error:
        logger().warning("not brought back", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})


def attempt_of(record: dict[str, Any]) -> Attempt:
    """The attempt that a delivery is."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    return Attempt(receives, is_last=receives >= ATTEMPTS)


def most_received_first(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages of a batch, each group in its own order; the group that was received most often comes first.

    So no message uses up its receives without being begun.
    """
    most: dict[str, int] = {}
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        most[group] = max(most.get(group, 0), attempt_of(record).number)
    return sorted(records, key=lambda record: -most[record["attributes"]["MessageGroupId"]])


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Run a batch and return the messages that failed, or were not begun in time."""
    bootstrap.deadline.begin(context.get_remaining_time_in_millis)
    failed: list[str] = []
    blocked: dict[str, End] = {}
    for number, record in enumerate(most_received_first(event["Records"])):
        attempt, group = attempt_of(record), record["attributes"]["MessageGroupId"]
        begun = number == 0 or not bootstrap.deadline.is_within(JOB_RESERVE)
        # The next message of a failed one's group would fail too. On its last attempt it runs all the same, or it would
        # end in the failure queue without ever having run.
        skipped = group in blocked and not attempt.is_last
        end = blocked.get(group, End.AT_ONCE)
        if begun and not skipped:
            end = run(record, attempt)
        if end is End.DONE:
            continue
        if not begun:
            logger().warning("not begun", extra={"receives": attempt.number})
        # The rest of a group waits for its first message, and as long as that does.
        blocked[group] = end
        failed.append(record["messageId"])
        bring_back(record, attempt, at_once=not begun or end is End.AT_ONCE)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
