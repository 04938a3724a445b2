"""A rule's Lambda target: its permission is checked, and a failing function is retried before the event is queued.

aws-facts 4.7: asynchronous invocations are retried twice, then the on-failure destination or the DLQ gets the event.
The waits are shortened by the launcher (LAMBDA_ASYNC_RETRY_BASE_SECONDS).
"""

import json
from typing import Any

from local.aws.emulator.bridges import delivery
from local.aws.emulator.modules import eventbridge, iam_evaluator, lambda_svc, responses, signature, wrap

_FAILURE = ("target_arn", "func_name", "event", "result")


def _permitted(function: Any, arn: str) -> bool:
    """Whether the function's own policy lets EventBridge call it for the current rule."""
    rule_arn = delivery.current().rule_arn
    account = str(responses.get_account_id())
    context = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=str(responses.get_region()),
        service_context={"aws:sourcearn": rule_arn, "aws:sourceaccount": account},
    )
    decision = iam_evaluator.evaluate_resource_policy(function.get("policy"), context, service="events.amazonaws.com")
    return bool(decision.decision == "Allow")


def _dispatch(arn: str, payload: str) -> None:
    try:
        event = json.loads(payload)
    except ValueError:
        event = {"body": payload}
    event_id = str(event.get("id", "")) if isinstance(event, dict) else ""
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        delivery.refuse(event_id, payload, "NO_RESOURCE", f"function {name} does not exist")
    elif not _permitted(function, arn):
        delivery.refuse(event_id, payload, "NO_PERMISSIONS", f"{arn} does not permit {delivery.current().rule_arn}")
    else:
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), event)


def install() -> None:
    """Replace ministack's one unguarded call."""
    signature(lambda_svc, "invoke_async_with_retry", "func", "event")
    signature(lambda_svc, "_execution_record_for_config", "func", "config")
    signature(lambda_svc, "_get_func_record_for_ref", "function_ref")
    wrap(eventbridge, "_dispatch_to_lambda", "arn", "payload")(_dispatch)
    _show_failures()


def _show_failures() -> None:
    """Let the control endpoint report a function that failed permanently, besides the queue that gets the event."""
    original = signature(lambda_svc, "_route_async_failure", *_FAILURE)

    def route(target_arn: str, func_name: str, event: Any, result: Any) -> Any:
        event_id = str(event.get("id", "")) if isinstance(event, dict) else ""
        delivery.failed(func_name, event_id, json.dumps(result.get("body"), default=str)[:1000])
        return original(target_arn, func_name, event, result)

    wrap(lambda_svc, "_route_async_failure", *_FAILURE)(route)
