"""Answers a question of anyone who may invoke this function; it reads and never writes."""

from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap.answer import AnswerAdapters, queries
from ecr_warden.bootstrap.common import deadline
from ecr_warden.bootstrap.observability import logger
from ecr_warden.hub.codec_replies import error_to_json, sent_reply
from ecr_warden.hub.request import question_from_text
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

ADAPTERS = AnswerAdapters()


@logger().inject_lambda_context
def handler(event: Any, context: "LambdaContext") -> dict[str, Any]:
    """Answer `{"request": text}`; expected errors are answers too."""
    deadline.begin(context.get_remaining_time_in_millis)
    given = event if isinstance(event, dict) else {}
    try:
        reply = sent_reply(queries(ADAPTERS).answer(question_from_text(given.get("request"))))
        return reply | {"aliases": dict(ADAPTERS.aliases())}
    except NamedError as error:
        logger().warning("not answered", extra={"code": error.code, "error": str(error)[:1000]})
        return error_to_json(error)
