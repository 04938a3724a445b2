"""An event bus in another account or region as a rule's target.

aws-facts 4.6: the receiving bus's policy must allow events:PutEvents, the sender's rule needs a role that may put;
works in one hop, an event received so is not forwarded again; it keeps its account and region.
"""

import json
from typing import Any

from local.aws.emulator.bridges import delivery
from local.aws.emulator.modules import eventbridge, iam, iam_evaluator, responses, signature, wrap

_PARAMETERS = ("spec", "event", "rule", "event_path", "target_input_payload")
_ACTION = "events:PutEvents"


def _context(principal: str, account: str, bus_arn: str, region: str, event: Any) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=_ACTION,
        resource_arn=bus_arn,
        region=region,
        service_context={"events:source": event.get("Source", ""), "events:detail-type": event.get("DetailType", "")},
    )


def _refusal(spec: Any, event: Any) -> str | None:
    """Why the event may not go to the bus, or None."""
    account, role_arn = str(responses.get_account_id()), str(delivery.current().target.get("RoleArn", ""))
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != role_arn:
        return f"EventBridge cannot assume role {role_arn or '(none)'}"
    trusted = json.loads(role["AssumeRolePolicyDocument"] or "{}").get("Statement", [])
    statements = trusted if isinstance(trusted, list) else [trusted]
    if not any("events.amazonaws.com" in json.dumps(one.get("Principal", {})) for one in statements):
        return f"EventBridge cannot assume role {role_arn}"
    session = f"arn:aws:sts::{account}:assumed-role/{name}/events"
    context = _context(session, account, str(spec), spec.region, event)
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    if iam_evaluator.evaluate(context, policies, *limits).decision != "Allow":
        return f"role {role_arn} may not {_ACTION} on {spec}"
    if spec.account_id == account:
        return None
    bus = spec.resource.split("/", 1)[1]
    policy = eventbridge._event_bus_policies.get_scoped(spec.account_id, spec.region, bus)
    if iam_evaluator.evaluate_resource_policy(policy, context).decision != "Allow":
        return f"the policy of {spec} does not allow {session} to {_ACTION}"
    return None


def _forward(spec: Any, event: Any, rule: Any, event_path: Any) -> None:
    payload = json.dumps(eventbridge._pattern_event_view(event).event_with_detail())
    event_id = str(event.get("EventId", ""))
    if event.get("_Received"):
        return  # one hop only
    refusal = _refusal(spec, event)
    if refusal:
        delivery.refuse(event_id, payload, "NO_PERMISSIONS", refusal)
        return
    with responses.request_scope(spec.account_id, spec.region):
        bus = spec.resource.split("/", 1)[1]
        if bus != "default" and bus not in eventbridge._event_buses:
            delivery.refuse(event_id, payload, "NO_RESOURCE", f"{spec} does not exist")
            return
        source_rule = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
        forwarded = {**event, "EventBusName": bus, "_DispatchPath": [*event_path, source_rule], "_Received": True}
        eventbridge._events_log_list().append({key: one for key, one in forwarded.items() if key[0] != "_"})
        eventbridge._dispatch_event(forwarded)


def install() -> None:
    """Wrap the delivery to a bus as a target."""
    original = signature(eventbridge, "_dispatch_to_event_bus", *_PARAMETERS)
    signature(iam_evaluator, "_gather_role_policies", "role_name", "account_id")
    signature(iam_evaluator, "_permissions_boundary", "store", "name", "account_id")

    def dispatch(spec: Any, event: Any, rule: Any, event_path: Any, target_input_payload: Any = None) -> Any:
        here = (responses.get_account_id(), responses.get_region())
        if (spec.account_id, spec.region) == here or not spec.resource.startswith("event-bus/"):
            return original(spec, event, rule, event_path, target_input_payload)
        return _forward(spec, event, rule, event_path)

    wrap(eventbridge, "_dispatch_to_event_bus", *_PARAMETERS)(dispatch)
