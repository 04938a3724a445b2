"""Announcements from the outcomes bus, and incidents that are due -> messages for people."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from ecr_warden import bootstrap
from ecr_warden.adapters.aws.incidents import incident_key
from ecr_warden.model.codec.alerts import alert_from_json
from ecr_warden.observability import logger


@logger().inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Tell people; an error has the event or message delivered again, and at last sent to the failure queue."""
    if "Records" not in event:
        bootstrap.tell_people().announce(alert_from_json(event["detail"]))
        return
    for record in event["Records"]:
        bootstrap.tell_people().flush(incident_key(record["body"]))
