"""The ARN of a rule, without the bus's name on the default bus, and found by `Rule` as well as by `Name`; and of a bus.

ministack takes `Name` alone and writes `rule/default/NAME`, also for a bus, so no policy that AWS would take allows
anything.
Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html (resource types)
"""

import json
from typing import Any

from local.aws.emulator.modules import iam_actions, signature, wrap

_PARAMETERS = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")

_ABOUT_BUSES = frozenset({"DescribeEventBus", "DeleteEventBus"})
_ABOUT_RULES = frozenset(
    {
        *("DescribeRule", "EnableRule", "DisableRule", "PutRule", "DeleteRule"),
        *("ListTargetsByRule", "PutTargets", "RemoveTargets"),
    }
)


def rule(body: bytes) -> str:
    """`NAME`, or `BUS/NAME`: what follows `rule/` in the ARN; nothing where a call names no rule."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return ""
    name = (found.get("Rule") or found.get("Name")) if isinstance(found, dict) else None
    if not isinstance(name, str):
        return ""
    bus = str(found.get("EventBusName") or "default").rpartition("event-bus/")[2]
    return name if bus == "default" else f"{bus}/{name}"


def bus(body: bytes) -> str:
    """`NAME`: what follows `event-bus/` in the ARN."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return ""
    name = found.get("Name") if isinstance(found, dict) else None
    return name.rpartition("event-bus/")[2] if isinstance(name, str) else "default"


def install() -> None:
    """Wrap the ARN that calls about rules are authorized on."""
    original = signature(iam_actions, "extract_resource_arn", *_PARAMETERS)

    def extract(*arguments: Any) -> Any:
        service, headers, body, region, account = (arguments[at] for at in (0, 3, 4, 6, 7))
        operation = _operation(headers) if service == "events" else ""
        if operation in _ABOUT_BUSES:
            return f"arn:aws:events:{region}:{account}:event-bus/{bus(body)}"
        named = rule(body) if operation in _ABOUT_RULES else ""
        return f"arn:aws:events:{region}:{account}:rule/{named}" if named else original(*arguments)

    wrap(iam_actions, "extract_resource_arn", *_PARAMETERS)(extract)


def _operation(headers: Any) -> str:
    return next((value.rpartition(".")[2] for key, value in headers.items() if key.lower() == "x-amz-target"), "")
