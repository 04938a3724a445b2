"""Alerts from the bus, incidents that are due, and jobs that failed on their last attempt -> messages for people."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap.alert import AlertAdapters
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.job import Queue
from ecr_warden.notify.aws_incidents import incident_key
from ecr_warden.notify.incident_event import INCIDENT
from ecr_warden.notify.kinds import alert_from_json
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

ADAPTERS = AlertAdapters()
_EXHAUSTED = {queue.exhausted: queue for queue in Queue}


def _queue_of(record: dict[str, Any]) -> Queue | None:
    """The queue from which a job came; None for an incident."""
    return _EXHAUSTED.get(str(record["eventSourceARN"]).rpartition(":")[2])


def _report(record: dict[str, Any]) -> None:
    queue = _queue_of(record)
    if queue is not None:
        ADAPTERS.report_exhausted.report(record["body"], queue=queue, message_id=record["messageId"])
    else:
        ADAPTERS.send_alerts.flush(incident_key(record["body"]))


def _bring_back(record: dict[str, Any]) -> None:
    """Retry a flush soon: alerts added meanwhile wait for it. If this fails, the queue brings it back later."""
    try:
        ADAPTERS.flush_redelivery.flush(record["receiptHandle"], int(record["attributes"]["ApproximateReceiveCount"]))
    except NamedError as error:
        logger().warning("not retried early", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})


@logger().inject_lambda_context
def handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, list[dict[str, str]]] | None:
    """Send messages; after an error the event or queue message is retried, and in the end kept in a failure queue."""
    if event.get("detail-type") == INCIDENT:
        return None  # its own: the rule of another version may match it
    if "Records" not in event:
        ADAPTERS.announce_alerts.hear(alert_from_json(event["detail"]), datetime.fromisoformat(event["time"]))
        return None
    failed: dict[str, Exception] = {}
    for record in event["Records"]:
        try:
            _report(record)
        except Exception as error:  # the other messages of the batch are handled all the same
            logger().error("not reported", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
            failed[record["messageId"]] = error
            if _queue_of(record) is None:
                _bring_back(record)
    if len(failed) == len(event["Records"]):
        raise next(iter(failed.values()))  # an error of the function, for its alarm
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
