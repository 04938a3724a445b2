"""AWS::Events::EventBusPolicy in templates: unknown to ministack, which then refuses the whole template."""

from typing import Any

from local.aws.emulator.modules import BridgeBroken, eventbridge, provisioners, responses

_TYPE = "AWS::Events::EventBusPolicy"


def _statement(props: Any, bus: str) -> dict[str, Any]:
    given = props.get("Statement")
    if given:
        return {**given, "Sid": props["StatementId"]}
    principal = props.get("Principal", "*")
    made: dict[str, Any] = {
        "Sid": props["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": props.get("Action", "events:PutEvents"),
        "Resource": f"arn:aws:events:{responses.get_region()}:{responses.get_account_id()}:event-bus/{bus}",
    }
    condition = props.get("Condition")
    if condition:
        made["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return made


def _bus(props: Any) -> str:
    return str(eventbridge._event_bus_name_from_ref(props.get("EventBusName", "default"))[0])


def _put(props: Any) -> None:
    bus = _bus(props)
    if bus != "default" and bus not in eventbridge._event_buses:
        raise ValueError(f"Event bus {bus} does not exist.")
    policies = eventbridge._event_bus_policies
    others = [one for one in (policies.get(bus) or {}).get("Statement", []) if one.get("Sid") != props["StatementId"]]
    policies[bus] = {"Version": "2012-10-17", "Statement": [*others, _statement(props, bus)]}


def _create(logical_id: str, props: Any, stack_name: str) -> Any:
    del logical_id, stack_name
    _put(props)
    return f"{_bus(props)}|{props['StatementId']}", {}


def _update(physical_id: str, old_props: Any, new_props: Any, stack_name: str) -> Any:
    _delete(physical_id, old_props)
    return _create("", new_props, stack_name)


def _delete(physical_id: str, props: Any) -> None:
    del physical_id
    eventbridge._remove_permission({"EventBusName": _bus(props), "StatementId": props["StatementId"]})


def install() -> None:
    """Register the type, unless ministack has learnt it."""
    if _TYPE in provisioners._RESOURCE_HANDLERS:
        raise BridgeBroken(f"ministack has a handler of {_TYPE} of its own: drop this bridge")
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "update": _update, "delete": _delete}
