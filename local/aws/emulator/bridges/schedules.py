"""EventBridge Scheduler: a call is authorized on the schedule of its group, and a schedule sends as its role.

aws-facts 4.6: to a FIFO queue only if that makes deduplication ids of the body. Scheduler's user guide, one-time
schedules: sent within a minute of their time; here within a second.
"""

import json
import re
from typing import Any

from local.aws.emulator.bridges import delivery, service_role
from local.aws.emulator.modules import BridgeBroken, eventbridge, iam_actions, scheduler, signature, sqs, wrap

_RESOURCE = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
_DISPATCH = ("spec", "payload", "sqs_parameters")
_SCHEDULE = re.compile(r"/schedules/([\w.-]+)")
_TICK_SECONDS = 1


def _group(body: bytes, query: Any) -> str:
    given = query.get("groupName") or ""
    named = given[0] if isinstance(given, list) else given
    return str(named or json.loads(body or b"{}").get("GroupName") or "default")


def _authorize_in_the_group() -> None:
    original = signature(iam_actions, "extract_resource_arn", *_RESOURCE)

    def extract(*arguments: Any) -> Any:
        service, _, path, _, body, query, region, account = arguments
        schedule = _SCHEDULE.fullmatch(path) if service == "scheduler" else None
        if schedule is None:
            return original(*arguments)
        return f"arn:aws:scheduler:{region}:{account}:schedule/{_group(body, query)}/{schedule[1]}"

    wrap(iam_actions, "extract_resource_arn", *_RESOURCE)(extract)


def _refusal(queue_arn: str) -> str | None:
    queue = sqs._queue_by_arn(queue_arn)
    if queue is not None and queue.get("is_fifo") and queue["attributes"].get("ContentBasedDeduplication") != "true":
        return f"{queue_arn} makes no deduplication ids of the body"
    return service_role.refusal("scheduler", "sqs:SendMessage", queue_arn, {})


def _send_as_the_role() -> None:
    original = signature(eventbridge, "_dispatch_to_sqs", *_DISPATCH)

    def dispatch(spec: Any, payload: str, sqs_parameters: Any = None) -> Any:
        is_scheduled = ":scheduler:" in delivery.current().rule_arn
        refusal = _refusal(str(spec)) if is_scheduled else None
        if refusal is not None:
            return delivery.refuse("", payload, "NO_PERMISSIONS", refusal)
        return original(spec, payload, sqs_parameters)

    wrap(eventbridge, "_dispatch_to_sqs", *_DISPATCH)(dispatch)


def install() -> None:
    """Wrap both, and look for due schedules each second."""
    service_role.check()
    if not hasattr(scheduler, "_SCHEDULE_TICK_INTERVAL"):
        raise BridgeBroken("the tick of ministack's schedules is gone")
    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS
    _authorize_in_the_group()
    _send_as_the_role()
