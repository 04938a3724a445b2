"""Runs repairs, and reports events."""

# ruff: noqa: E402 - the collector stops before the imports
import gc

# What is loaded until the first job is done stays: searching it for garbage forty times only delays the answer.
gc.disable()

from typing import TYPE_CHECKING, Any

from ecr_warden.batch import run_batch
from ecr_warden.bootstrap import repair
from ecr_warden.model.job import Queue
from ecr_warden.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Run a batch and return the messages that failed, or were not begun in time."""
    return run_batch(event, context, Queue.REPAIR, repair.work)
