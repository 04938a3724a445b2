"""Jobs from the queue -> runs; a failing one stops its own target only."""

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from ecr_warden import bootstrap
from ecr_warden.adapters.aws.redelivery import MAX_RECEIVES
from ecr_warden.errors import WardenError
from ecr_warden.model.codec.base import loads
from ecr_warden.model.codec.jobs import job_from_json, job_to_json
from ecr_warden.observability import logger
from ecr_warden.usecases.reconcile import Attempt


def run(record: SQSRecord) -> None:
    """Run one job; a failed one is brought back soon, and ends in the failure queue after the last attempt."""
    receives = int(record.attributes.approximate_receive_count)
    try:
        job = job_from_json(loads(record.body))
        answer = bootstrap.work()(job, Attempt(receives, is_last=receives >= MAX_RECEIVES))
    except Exception as error:
        expected = isinstance(error, WardenError)
        logger().error("failed", extra={"error": repr(error)[:1000], "receives": receives}, exc_info=not expected)
        bootstrap.redelivery().soon(record.receipt_handle, receives)
        raise
    logger().info("done", extra={"job": job_to_json(job), "answer": answer})


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run a batch and say which messages failed."""
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    # A batch of which all messages failed is no error of the function: each message's own return time must hold.
    processor.raise_on_entire_batch_failure = False
    return process_partial_response(event=event, record_handler=run, processor=processor, context=context)
