"""A stack makes nothing whose name is taken: ministack overwrites what is there, as if it were the stack's.

What is there outside the stack is found before anything is made, the operation fails, and is rolled back. A managed
policy that an earlier stack retained may be imported, which ministack does of other types.
Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html (resource name
conflicts), https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html (a create
handler answers AlreadyExists).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.aws.emulator.modules import (
    BridgeBroken,
    cloudformation,
    cloudformation_stacks,
    drift_stores,
    iam,
    provisioners,
    responses,
    signature,
    wrap,
)

_POLICY = "AWS::IAM::ManagedPolicy"
_VALIDATE = (
    *("resources_defs", "ordered", "param_values", "conditions", "mappings", "stack_name", "stack_id"),
    "owned_buckets",
)


def _in(service: str, store: str) -> Callable[[str], bool]:
    return lambda name: name in getattr(drift_stores[service], store)


def _has_rule(name: str) -> bool:
    """On the default bus: another bus has the same stack."""
    events = drift_stores["eventbridge"]
    return events._rule_key(name, "default") in events._rules


def _has_topic(name: str) -> bool:
    arn = f"arn:aws:sns:{responses.get_region()}:{responses.get_account_id()}:{name}"
    return arn in drift_stores["sns"]._topics


def _has_policy(name: str) -> bool:
    """Under whatever path: the name alone has to be unique."""
    return any(one["PolicyName"] == name for one in iam._policies.values())


_NAMES: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", _in("cloudwatch", "_alarms")),
    "AWS::CloudWatch::Dashboard": ("DashboardName", _in("cloudwatch", "_dashboards")),
    "AWS::DynamoDB::Table": ("TableName", _in("dynamodb", "_tables")),
    "AWS::Events::Rule": ("Name", _has_rule),
    _POLICY: ("ManagedPolicyName", _has_policy),
    "AWS::IAM::Role": ("RoleName", _in("iam", "_roles")),
    "AWS::Lambda::Function": ("FunctionName", _in("lambda_svc", "_functions")),
    "AWS::Logs::LogGroup": ("LogGroupName", _in("cloudwatch_logs", "_log_groups")),
    "AWS::SNS::Topic": ("TopicName", _has_topic),
    "AWS::SQS::Queue": ("QueueName", _in("sqs", "_queue_name_to_url")),
}
"""Of each type: the property with its name, and whether one of that name is there."""


def _conflicts(resources: Any, names: Any, stack_name: str, resolved: Callable[[Any], Any]) -> Iterator[Any]:
    owned = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
    for logical_id in names:
        kind, given = resources[logical_id].get("Type", ""), resources[logical_id].get("Properties") or {}
        if kind not in _NAMES or logical_id in owned or "EventBusName" in given:
            continue
        key, is_there = _NAMES[kind]
        name = resolved(given.get(key))
        if isinstance(name, str) and is_there(name):
            said = f"Resource of type '{kind}' with identifier '{name}' already exists."
            yield logical_id, kind, "NAME_CONFLICT_VALIDATION", f"/Resources/{logical_id}", said


def install() -> None:
    """Wrap what is validated before a stack is made or changed, and let policies be imported."""
    validate = signature(cloudformation_stacks, "_validation_errors", *_VALIDATE)
    static = signature(cloudformation_stacks, "_static_property", "raw", *_VALIDATE[0:1], *_VALIDATE[2:7])

    def validated(defined: Any, ordered: Any, *given: Any) -> Any:
        _, conditions, _, stack_name, *_ = given
        made = [one for one in ordered if conditions.get(defined[one].get("Condition") or "", True)]

        def resolved(raw: Any) -> Any:
            return None if raw is None else static(raw, defined, *given[:5])

        return [*validate(defined, ordered, *given), *_conflicts(defined, made, stack_name, resolved)]

    wrap(cloudformation_stacks, "_validation_errors", *_VALIDATE)(validated)
    handlers = provisioners._RESOURCE_HANDLERS.get(_POLICY, {})
    if "create" not in handlers or "import" in handlers:
        raise BridgeBroken(f"ministack's handlers of {_POLICY} are others")
    handlers["import"] = _imported


def _imported(identifier: Any) -> Any:
    arn = identifier["PolicyArn"]
    return arn, {"PolicyArn": iam._policies[arn]["Arn"]}
