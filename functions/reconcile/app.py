"""Jobs from the queue -> runs; a failing one stops its own target only.

Not powertools' batch utility: its imports cost about as much as all of ecr-warden's own, and what it skips stays
invisible for the queue's whole visibility timeout, which keeps the rest of its group back too.
A batch ends before the function does: what is finished is kept, what was not begun is handed back.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import TYPE_CHECKING, Any

from ecr_warden import bootstrap
from ecr_warden.adapters.aws.deadline import JOB_RESERVE
from ecr_warden.adapters.aws.redelivery import ATTEMPTS
from ecr_warden.errors import WardenError
from ecr_warden.model.codec.jobs import job_from_text, job_to_json
from ecr_warden.model.job import Attempt
from ecr_warden.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def run(record: dict[str, Any], attempt: Attempt) -> bool:
    """Run one job and say whether it is done; one that is not ends in the failure queue after the last attempt."""
    try:
        job = job_from_text(record["body"])
        answer = bootstrap.work()(job, attempt)
    except Exception as error:
        # Whatever it was, the other messages of the batch have a right to their runs.
        expected = isinstance(error, WardenError)
        given = {"error": f"{type(error).__name__}: {error!s:.1000}", "receives": attempt.number}
        logger().error("failed", extra=given, exc_info=not expected)
        return False
    logger().info("done", extra={"job": job_to_json(job), "answer": answer})
    return True


def bring_back(record: dict[str, Any], attempt: Attempt, *, begun: bool) -> None:
    """Have a message come back soon; if that fails it comes back after the queue's visibility timeout."""
    try:
        if begun:
            bootstrap.redelivery().soon(record["receiptHandle"], attempt.number)
        else:
            bootstrap.redelivery().unbegun(record["receiptHandle"])
    except WardenError as error:
        logger().warning("not brought back", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})


def attempt_of(record: dict[str, Any]) -> Attempt:
    """Which delivery this is."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    return Attempt(receives, is_last=receives >= ATTEMPTS)


def most_received_first(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of a batch, each in its own order; that whose messages were handed back most often comes first.

    So no message is handed back unbegun until its receives are used up.
    """
    most: dict[str, int] = {}
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        most[group] = max(most.get(group, 0), attempt_of(record).number)
    return sorted(records, key=lambda record: -most[record["attributes"]["MessageGroupId"]])


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Run a batch and say which messages failed, or were not begun because the time is up."""
    bootstrap.deadline.begin(context.get_remaining_time_in_millis)
    failed: list[str] = []
    blocked: set[str] = set()
    for number, record in enumerate(most_received_first(event["Records"])):
        attempt, group = attempt_of(record), record["attributes"]["MessageGroupId"]
        begun = number == 0 or not bootstrap.deadline.is_within(JOB_RESERVE)
        # The next of a failed one's group would come to the same end now. One that will not come back is run all the
        # same, else it would end in the failure queue without ever having been.
        skipped = group in blocked and not attempt.is_last
        if begun and not skipped and run(record, attempt):
            continue
        if not begun:
            logger().warning("not begun", extra={"receives": attempt.number})
        blocked.add(group)
        failed.append(record["messageId"])
        bring_back(record, attempt, begun=begun)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
