"""Jobs from the queue -> runs; a failing one stops its own target only.

Not powertools' batch utility: its imports cost about as much as all of ecr-warden's own, and what it skips stays
invisible for the queue's whole visibility timeout, which keeps the rest of its group back too.
Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from typing import TYPE_CHECKING, Any

from ecr_warden import bootstrap
from ecr_warden.adapters.aws.redelivery import MAX_RECEIVES
from ecr_warden.errors import WardenError
from ecr_warden.model.codec.jobs import job_from_text, job_to_json
from ecr_warden.observability import logger
from ecr_warden.usecases.reconcile import Attempt

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


def bring_back(record: dict[str, Any], attempt: Attempt) -> None:
    """Have a message come back soon; if that fails it comes back after the queue's visibility timeout."""
    try:
        bootstrap.redelivery().soon(record["receiptHandle"], attempt.number)
    except WardenError as error:
        logger().warning("not brought back", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})


@logger().inject_lambda_context
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Run a batch and say which messages failed."""
    failed: list[str] = []
    blocked: set[str] = set()
    for record in event["Records"]:
        attributes = record["attributes"]
        receives, group = int(attributes["ApproximateReceiveCount"]), attributes["MessageGroupId"]
        attempt = Attempt(receives, is_last=receives >= MAX_RECEIVES)
        # The next of a failed one's group would come to the same end now. One that will not come back is run all the
        # same, else it would end in the failure queue without ever having been.
        skipped = group in blocked and not attempt.is_last
        if not skipped and run(record, attempt):
            continue
        blocked.add(group)
        failed.append(record["messageId"])
        bring_back(record, attempt)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
