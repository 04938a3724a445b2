"""Alerts from the bus, incidents that are due, and jobs that failed on their last attempt -> messages for people."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from ecr_warden import bootstrap
from ecr_warden.adapters.aws.incidents import incident_key
from ecr_warden.errors import WardenError
from ecr_warden.model.codec.alerts import alert_from_json
from ecr_warden.observability import logger


def _is_job(record: dict[str, Any]) -> bool:
    # Of the two queues that this function polls, the jobs' is FIFO and the incidents' is not.
    return str(record["eventSourceARN"]).endswith(".fifo")


def _report(record: dict[str, Any]) -> None:
    if _is_job(record):
        group = record["attributes"]["MessageGroupId"]
        bootstrap.report_exhausted()(record["body"], group=group, message_id=record["messageId"])
    else:
        bootstrap.send_alerts().flush(incident_key(record["body"]))


def _bring_back(record: dict[str, Any]) -> None:
    """Retry a flush soon: alerts added meanwhile wait for it. If this fails, the queue brings it back later."""
    try:
        bootstrap.flush_redelivery().flush(
            record["receiptHandle"], int(record["attributes"]["ApproximateReceiveCount"])
        )
    except WardenError as error:
        logger().warning("not retried early", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})


@logger().inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, list[dict[str, str]]] | None:
    """Send messages; after an error the event or queue message is retried, and in the end kept in a failure queue."""
    if "Records" not in event:
        bootstrap.send_alerts().announce(alert_from_json(event["detail"]))
        return None
    failed: dict[str, Exception] = {}
    for record in event["Records"]:
        try:
            _report(record)
        except Exception as error:  # the other messages of the batch are handled all the same
            logger().error("not reported", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
            failed[record["messageId"]] = error
            if not _is_job(record):
                _bring_back(record)
    if len(failed) == len(event["Records"]):
        raise next(iter(failed.values()))  # an error of the function, for its alarm
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
