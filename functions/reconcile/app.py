"""Runs repairs, and reports events."""

from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap import repair
from ecr_warden.bootstrap.delivery import deliver
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.job import Queue

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Run the job of a message; returns the message if it has to come back."""
    return deliver(event, context, Queue.REPAIR, repair.work)
