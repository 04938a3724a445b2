"""The role as which EventBridge delivers to a target: it must trust EventBridge, and be allowed to deliver."""

import json
from collections.abc import Mapping
from typing import Any

from local.aws.emulator.bridges import delivery
from local.aws.emulator.modules import iam, iam_evaluator, responses, signature


def session() -> str:
    """The session of the current target's role that EventBridge opens."""
    name = str(delivery.current().target.get("RoleArn", "")).rsplit("/", 1)[-1]
    return f"arn:aws:sts::{responses.get_account_id()}:assumed-role/{name}/events"


def refusal(action: str, resource: str, known: Mapping[str, str]) -> str | None:
    """Why the current target's role may not deliver, or None; `known`: the values of condition keys."""
    account, role_arn = str(responses.get_account_id()), str(delivery.current().target.get("RoleArn", ""))
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != role_arn:
        return f"EventBridge cannot assume role {role_arn or '(none)'}"
    trusted = json.loads(role["AssumeRolePolicyDocument"] or "{}").get("Statement", [])
    statements = trusted if isinstance(trusted, list) else [trusted]
    if not any("events.amazonaws.com" in json.dumps(one.get("Principal", {})) for one in statements):
        return f"EventBridge cannot assume role {role_arn}"
    context = context_of(action, resource, known)
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    if iam_evaluator.evaluate(context, policies, *limits).decision != "Allow":
        return f"role {role_arn} may not {action} on {resource}"
    return None


def context_of(action: str, resource: str, known: Mapping[str, str]) -> Any:
    """The context in which the delivery is evaluated."""
    return iam_evaluator.EvalContext(
        principal_arn=session(),
        principal_type="AssumedRole",
        principal_account=str(responses.get_account_id()),
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3],
        service_context=dict(known),
    )


def check() -> None:
    """Raises BridgeBroken if what this needs of ministack is gone."""
    signature(iam_evaluator, "_gather_role_policies", "role_name", "account_id")
    signature(iam_evaluator, "_permissions_boundary", "store", "name", "account_id")
