"""A function's log group is made only by a role that may make it: ministack makes one after any call.

Without this a group came back that the stack had deleted with its functions, when one of them still ran.
Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

from typing import Any

from local.aws.emulator.bridges import service_role
from local.aws.emulator.modules import cloudwatch_logs, iam, iam_evaluator, lambda_svc, signature, wrap

_ACTION = "logs:CreateLogGroup"


def _may_create(function_arn: str, role_arn: str, group: str) -> bool:
    _, partition, _, region, account = function_arn.split(":")[:5]
    name = role_arn.rsplit("/", 1)[-1]
    if iam._roles.get_scoped(account, None, name) is None:
        return False
    resource = f"arn:{partition}:logs:{region}:{account}:log-group:{group}"
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:{partition}:sts::{account}:assumed-role/{name}/logs",
        principal_type="AssumedRole",
        principal_account=account,
        action=_ACTION,
        resource_arn=resource,
        region=region,
        service_context={},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return bool(iam_evaluator.evaluate(context, policies, *limits).decision == "Allow")


def install() -> None:
    """Wrap the function that writes a call's output."""
    service_role.check()
    parameters = ("func", "request_id", "log_text", "error", "duration_ms", "log_source")
    emit = signature(lambda_svc, "_emit_lambda_logs", *parameters)

    def emitted(func: Any, request_id: str, log_text: str, error: bool, duration_ms: int, **more: Any) -> None:
        config = func.get("config") or func
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        arn, role = str(config.get("FunctionArn", "")), str(config.get("Role", ""))
        if group in cloudwatch_logs._log_groups or _may_create(arn, role, group):
            emit(func, request_id, log_text, error, duration_ms, **more)

    wrap(lambda_svc, "_emit_lambda_logs", *parameters)(emitted)
