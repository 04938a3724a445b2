"""Turns events into jobs on the queue."""

from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap.dispatch import dispatch
from ecr_warden.bootstrap.observability import logger
from ecr_warden.events.trigger import Ignored

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger().inject_lambda_context
def handler(event: dict[str, Any], _context: "LambdaContext") -> None:
    """Enqueue the event's jobs; an error sends the event to the failure queue."""
    match dispatch().dispatch(event):
        case Ignored(why):
            logger().info("ignored", extra={"why": why})
        case jobs:
            logger().info("enqueued", extra={"jobs": [repr(job)[:300] for job in jobs]})
