"""Carries out a command of a proven caller; it writes only to the hub's table and queue."""

from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap.control import ControlAdapters, commands
from ecr_warden.bootstrap.observability import logger
from ecr_warden.hub.codec_replies import error_to_json, sent_reply
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

ADAPTERS = ControlAdapters()


@logger().inject_lambda_context
def handler(event: Any, context: "LambdaContext") -> dict[str, Any]:
    """Carry out `{"request": text, "proof": {...}}`; expected errors are answers too."""
    *arn, alias = f"{context.invoked_function_arn}:".split(":")[:8]
    hub = ":".join(arn)
    given = event if isinstance(event, dict) else {}
    try:
        done = commands(ADAPTERS).carry_out(
            given.get("request"), given.get("proof"), hub, only_uploads=alias == "upload"
        )
    except NamedError as error:
        logger().warning("not done", extra={"code": error.code, "error": str(error)[:1000]})
        return error_to_json(error)
    logger().info("done", extra={"command": done.id, "caller": done.caller, "targets": len(done.targets)})
    return sent_reply(done)
