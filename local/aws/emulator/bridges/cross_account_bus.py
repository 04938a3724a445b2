"""An event bus in another account or region as a rule's target.

aws-facts 4.6: the receiving bus's policy must allow events:PutEvents, the sender's rule needs a role that may put;
works in one hop, an event received so is not forwarded again; it keeps its account and region.
"""

import json
from typing import Any

from local.aws.emulator.bridges import delivery, service_role
from local.aws.emulator.modules import eventbridge, iam_evaluator, responses, signature, wrap

_PARAMETERS = ("spec", "event", "rule", "event_path", "target_input_payload")
_ACTION = "events:PutEvents"


def _refusal(spec: Any, event: Any) -> str | None:
    """Why the event may not go to the bus, or None."""
    known = {"events:source": event.get("Source", ""), "events:detail-type": event.get("DetailType", "")}
    refusal = service_role.refusal(_ACTION, str(spec), known)
    if refusal is not None or spec.account_id == str(responses.get_account_id()):
        return refusal
    bus = spec.resource.split("/", 1)[1]
    policy = eventbridge._event_bus_policies.get_scoped(spec.account_id, spec.region, bus)
    context = service_role.context_of(_ACTION, str(spec), known)
    if iam_evaluator.evaluate_resource_policy(policy, context).decision != "Allow":
        return f"the policy of {spec} does not allow {service_role.session()} to {_ACTION}"
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
    service_role.check()

    def dispatch(spec: Any, event: Any, rule: Any, event_path: Any, target_input_payload: Any = None) -> Any:
        here = (responses.get_account_id(), responses.get_region())
        if (spec.account_id, spec.region) == here or not spec.resource.startswith("event-bus/"):
            return original(spec, event, rule, event_path, target_input_payload)
        return _forward(spec, event, rule, event_path)

    wrap(eventbridge, "_dispatch_to_event_bus", *_PARAMETERS)(dispatch)
