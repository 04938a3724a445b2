"""Change sets with REVERT_DRIFT, by CloudFormation's documented rules; ministack takes them for any other.

Drift is what differs, of the properties that the template defines, from what the last deployment of the resource left;
it is compared as the service keeps it. Code is write-only: nobody reads it. What has no reader is not compared.
What else CloudFormation does with drift is read from its documentation, and has not been tried on an account.
Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from local.aws.emulator.modules import (
    BridgeBroken,
    cloudformation,
    cloudformation_changesets,
    cloudformation_handlers,
    drift_stores,
    provisioners,
    signature,
    wrap,
)

_MODE, _DEPLOYED = "DeploymentMode", "_deployed"
_GONE = ...
"""In place of a value that is not there; a copy of it is the same."""

type _Slot = tuple[Any, str]
"""A store, or a record in one, and a key: where the service keeps a value."""
type _Slots = Mapping[str, Sequence[_Slot]]
"""By the property of a template."""


def _same_names(record: Any, *names: str) -> _Slots:
    return {name: [(record, name)] for name in names}


def _rule(name: str, given: Any) -> _Slots | None:
    events = drift_stores["eventbridge"]
    key = events._rule_key(name, provisioners._eb_rule_bus_name(given))
    record = events._rules.get(key)
    if record is None:
        return None
    return {**_same_names(record, "State", "EventPattern", "ScheduleExpression"), "Targets": [(events._targets, key)]}


def _bus_policy(_: str, given: Any) -> _Slots | None:
    policies, bus = drift_stores["eventbridge"]._event_bus_policies, str(given["EventBusName"])
    return {"Statement": [(policies, bus)]} if (policies.get(bus) or {}).get("Statement") else None


def _role(name: str, _: Any) -> _Slots | None:
    role = drift_stores["iam"]._roles.get(name)
    if role is None:
        return None
    kept = {"ManagedPolicyArns": [(role, "AttachedPolicies")], "Policies": [(role, "InlinePolicies")]}
    return {**_same_names(role, "AssumeRolePolicyDocument", "PermissionsBoundary", "MaxSessionDuration"), **kept}


def _managed_policy(arn: str, _: Any) -> _Slots | None:
    policy = drift_stores["iam"]._policies.get(arn)
    return None if policy is None else {"PolicyDocument": [(policy, "DefaultVersionId"), (policy, "Versions")]}


_CONFIGURED = ("Environment", "Layers", "Handler", "Runtime", "Timeout", "MemorySize", "Role")


def _function(name: str, _: Any) -> _Slots | None:
    function = drift_stores["lambda_svc"]._functions.get(name)
    if function is None:
        return None
    reserved = {"ReservedConcurrentExecutions": [(function, "concurrency")]}
    return {**_same_names(function["config"], *_CONFIGURED), **reserved}


def _permission(physical_id: str, given: Any) -> _Slots | None:
    function = provisioners._lambda_function_for_cfn_ref(given.get("FunctionName", ""))[0] or {}
    statements = (function.get("policy") or {}).get("Statement", ())
    return {} if physical_id in [one.get("Sid") for one in statements] else None


def _mapping(uuid: str, _: Any) -> _Slots | None:
    mapping = drift_stores["lambda_svc"]._esms.get(uuid)
    if mapping is None:
        return None
    return {"Enabled": [(mapping, "Enabled"), (mapping, "State")], **_same_names(mapping, "BatchSize", "ScalingConfig")}


def _bucket(name: str, _: Any) -> _Slots | None:
    s3 = drift_stores["s3"]
    bucket = s3._buckets.get(name)
    if bucket is None:
        return None
    return {
        "PublicAccessBlockConfiguration": [(bucket, "_public_access_block")],
        "OwnershipControls": [(bucket, "_ownership_controls")],
        "VersioningConfiguration": [(s3._bucket_versioning, name)],
        "NotificationConfiguration": [(s3._bucket_notifications, name)],
        "LifecycleConfiguration": [(s3._bucket_lifecycle, name)],
    }


def _bucket_policy(_: str, given: Any) -> _Slots | None:
    policies = drift_stores["s3"]._bucket_policies
    return {"PolicyDocument": [(policies, given["Bucket"])]} if given["Bucket"] in policies else None


def _queue(url: str, given: Any) -> _Slots | None:
    queue = drift_stores["sqs"]._queues.get(url)
    return None if queue is None else _same_names(queue["attributes"], *(set(given) - {"QueueName", "FifoQueue"}))


def _policy_of(service: str, store: str, members: str) -> Callable[[str, Any], _Slots | None]:
    def slots(_: str, given: Any) -> _Slots | None:
        records = [getattr(drift_stores[service], store).get(one) for one in given[members]]
        if any(record is None or not record["attributes"].get("Policy") for record in records):
            return None
        return {"PolicyDocument": [(record["attributes"], "Policy") for record in records]}

    return slots


def _topic(arn: str, _: Any) -> _Slots | None:
    topic = drift_stores["sns"]._topics.get(arn)
    return None if topic is None else _same_names(topic["attributes"], "KmsMasterKeyId", "DisplayName")


def _key(key_id: str, _: Any) -> _Slots | None:
    key = drift_stores["kms"]._resolve_key(key_id)
    return None if key is None else {"Enabled": [(key, "Enabled"), (key, "KeyState")], "KeyPolicy": [(key, "Policy")]}


def _alarm(name: str, given: Any) -> _Slots | None:
    alarm = drift_stores["cloudwatch"]._alarms.get(name)
    return None if alarm is None else _same_names(alarm, *given)


def _dashboard(name: str, _: Any) -> _Slots | None:
    dashboard = drift_stores["cloudwatch"]._dashboards.get(name)
    return None if dashboard is None else _same_names(dashboard, "DashboardBody")


def _parameter(name: str, _: Any) -> _Slots | None:
    parameter = drift_stores["ssm"]._parameters.get(name)
    return None if parameter is None else _same_names(parameter, "Value", "Type")


def _exists(service: str, store: str) -> Callable[[str, Any], _Slots | None]:
    return lambda physical_id, _: {} if physical_id in getattr(drift_stores[service], store) else None


_READERS: Mapping[str, Callable[[str, Any], _Slots | None]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::DynamoDB::Table": _exists("dynamodb", "_tables"),
    "AWS::Events::EventBus": _exists("eventbridge", "_event_buses"),
    "AWS::Events::EventBusPolicy": _bus_policy,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": _exists("cloudwatch_logs", "_log_groups"),
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _exists("sns", "_sub_arn_to_topic"),
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _policy_of("sns", "_topics", "Topics"),
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _policy_of("sqs", "_queues", "Queues"),
    "AWS::SSM::Parameter": _parameter,
}


def _slots(record: Any) -> _Slots | None:
    """Where the values of the properties that the template defines are; None if the resource is not there."""
    given = record.get("Properties") or {}
    found = _READERS[record["ResourceType"]](record["PhysicalResourceId"], given)
    return None if found is None else {name: slots for name, slots in found.items() if name in given}


def _values(slots: _Slots) -> dict[str, list[Any]]:
    return {name: [copy.deepcopy(store.get(key, _GONE)) for store, key in kept] for name, kept in slots.items()}


def _readable(stack: Any) -> Iterator[tuple[str, Any]]:
    yield from ((name, one) for name, one in stack["_resources"].items() if one.get("ResourceType") in _READERS)


def _note(stack: Any) -> None:
    """Keep what a deployment left of each resource that it made or changed."""
    before = stack.get(_DEPLOYED, {})
    stack[_DEPLOYED] = {}
    for name, record in _readable(stack):
        made = (record["PhysicalResourceId"], copy.deepcopy(record.get("Properties")))
        slots = _slots(record)
        kept = before.get(name, (None, {}))
        stack[_DEPLOYED][name] = kept if kept[0] == made or slots is None else (made, _values(slots))


def _drifts(stack: Any) -> Iterator[tuple[str, Any, bool]]:
    """The resources that differ, and whether they are gone."""
    for name, record in _readable(stack):
        _, values = stack.get(_DEPLOYED, {}).get(name, (None, {}))
        slots = _slots(record)
        if slots is None or any(_values(slots)[one] != values.get(one) for one in slots if values):
            yield name, record, slots is None


def _revert(stack: Any) -> None:
    for name, record, is_gone in [*_drifts(stack)]:
        if is_gone:
            del stack["_resources"][name]
            continue
        slots, (_, values) = _slots(record) or {}, stack[_DEPLOYED][name]
        for one, kept in slots.items():
            for (store, key), value in zip(kept, values[one], strict=True):
                if value is _GONE:
                    store.pop(key, None)
                else:
                    store[key] = copy.deepcopy(value)


def _change(name: str, record: Any, *, is_gone: bool) -> dict[str, Any]:
    change = {
        "Action": "Add" if is_gone else "Modify",
        "LogicalResourceId": name,
        "ResourceType": record["ResourceType"],
    }
    more = {} if is_gone else {"PhysicalResourceId": record["PhysicalResourceId"], "Replacement": "False"}
    return {"ResourceChange": {**change, **more}}


def install() -> None:
    """Wrap what makes and executes change sets, and what deploys."""
    create = signature(cloudformation_changesets, "_create_change_set", "params")
    execute = signature(cloudformation_changesets, "_execute_change_set", "params")
    calls = cloudformation_handlers._ACTION_HANDLERS
    if (calls.get("CreateChangeSet"), calls.get("ExecuteChangeSet")) != (create, execute):
        raise BridgeBroken("ministack's handlers of change sets are others")

    def created(params: Any) -> Any:
        known = {*cloudformation._change_sets}
        answer = create(params)
        if cloudformation_handlers._p(params, _MODE) == "REVERT_DRIFT":
            for change_set in [one for key, one in cloudformation._change_sets.items() if key not in known]:
                _add(change_set)
        return answer

    def executed(params: Any) -> Any:
        find, given = cloudformation_changesets._find_change_set, cloudformation_handlers._p
        _, change_set = find(given(params, "ChangeSetName"), given(params, "StackName"))
        if change_set is not None and change_set.get("_reverts"):
            _revert(cloudformation._stacks[change_set["StackName"]])
        return execute(params)

    calls["CreateChangeSet"], calls["ExecuteChangeSet"] = created, executed
    for module in (cloudformation_changesets, cloudformation_handlers):
        _deploying(module)


def _add(change_set: Any) -> None:
    """What drifted, as changes."""
    stack = cloudformation._stacks[change_set["StackName"]]
    named = {one["ResourceChange"]["LogicalResourceId"] for one in change_set["Changes"]}
    found = [_change(name, record, is_gone=gone) for name, record, gone in _drifts(stack) if name not in named]
    change_set["_reverts"], change_set["Changes"] = True, [*change_set["Changes"], *found]
    if found:
        change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")


def _deploying(module: Any) -> None:
    deploy = module._deploy_stack_async

    async def deployed(name: str, *given: Any, **more: Any) -> None:
        await deploy(name, *given, **more)
        stack = cloudformation._stacks.get(name)
        if stack is not None and stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            _note(stack)

    wrap(module, "_deploy_stack_async", *_DEPLOY)(deployed)


_DEPLOY = (
    *("stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags", "is_update", "previous_stack"),
    *("retain_except_on_create", "imports"),
)
