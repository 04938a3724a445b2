"""From an event to a Trigger: the only place that sees EventBridge's and CloudTrail's JSON."""

import re
from collections.abc import Mapping
from typing import cast

from ecr_warden.arn import ACCOUNT_ID, ArnError, parse_arn
from ecr_warden.model.job import Actor
from ecr_warden.triggers.actor import actor_of
from ecr_warden.triggers.fields import mapping, name, text
from ecr_warden.triggers.trigger import (
    ApiCall,
    Ignored,
    Parameters,
    Service,
    SpecChanged,
    SweepDue,
    Trigger,
    TriggerError,
)

_SERVICES = {f"{service}.amazonaws.com": service for service in Service}
_EVENT_ID = re.compile(r"[!-~]{1,128}")
_CALL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_RESOURCES_READ = 16

type _Json = Mapping[str, object]


def parse_trigger(event: object) -> Trigger | Ignored:
    """Parse an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither.

    Every string taken from it is bounded. An event of a service or kind that is not watched is Ignored.
    Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    if not isinstance(event, dict):
        raise TriggerError(f"the event is a JSON {_kind(event)}, not an object", remedy="send the event as it came")
    fields = cast(_Json, event)
    if "detail-type" not in fields and "eventName" in fields:
        return _parse_record(fields, envelope={})
    if fields.get("version", "0") != "0":
        raise TriggerError(f"EventBridge event of unknown version {str(fields.get('version'))[:20]!r}")
    kind = _required(fields, "detail-type", "the event")
    if not isinstance(fields.get("detail"), dict):
        raise TriggerError(f"the event {kind!r} has no object `detail`")
    source = text(fields, "source", 128)
    match source, kind:
        case "aws.ecr" | "aws.iam", "AWS API Call via CloudTrail":
            return _parse_record(mapping(fields, "detail"), envelope=fields)
        case "aws.s3", "Object Created":
            return _parse_object_created(fields)
        case "aws.events", "Scheduled Event":
            return SweepDue(event_id=_event_id(fields, "id"), at=_time(fields, "time"))
        case _:
            return Ignored(f"events {kind!r} of {source!r} are not watched")


def _parse_record(record: _Json, envelope: _Json) -> ApiCall | Ignored:
    version = text(record, "eventVersion", 16)
    if version and version.partition(".")[0] != "1":
        # Source: cloudtrail-event-reference-record-contents: equal on the major version, at least on the minor.
        raise TriggerError(f"CloudTrail record of unknown version {version!r}", remedy="update ecr-warden")
    source = _required(record, "eventSource", "the CloudTrail record")
    call = _required(record, "eventName", "the CloudTrail record")
    service = _SERVICES.get(source)
    if service is None:
        return Ignored(f"calls to {source} are not watched")
    if not _CALL_NAME.fullmatch(call):
        raise TriggerError(f"the CloudTrail record's eventName is no API call: {call!r}")
    kind = text(record, "eventType", 64) or "AwsApiCall"
    if kind != "AwsApiCall":
        return Ignored(f"{service}:{call} is no API call but an {kind}")
    if record.get("readOnly") in (True, "true"):
        return Ignored(f"{service}:{call} is a read-only call")
    account = name(record, "recipientAccountId", 12) or name(envelope, "account", 12)
    if not ACCOUNT_ID.fullmatch(account):
        raise TriggerError(f"the CloudTrail record of {service}:{call} has no recipientAccountId of 12 digits")
    return ApiCall(
        event_id=_event_id(record, "eventID") if record.get("eventID") is not None else _event_id(envelope, "id"),
        service=service,
        name=call,
        account=account,
        region=name(record, "awsRegion", 32) or name(envelope, "region", 32),
        at=_time(record, "eventTime") or _time(envelope, "time"),
        parameters=_parameters(record),
        error=_error(record),
        actor=actor_of(record),
    )


def _parameters(record: _Json) -> Parameters:
    sent = mapping(record, "requestParameters")
    repository, registry = name(sent, "repositoryName"), name(sent, "registryId")
    if not repository:
        # Left out of large records: then `resources` still has the ARN.
        registry, repository = _repository_of(record.get("resources"))
    return Parameters(
        repository=repository,
        registry=registry,
        role=name(sent, "roleName"),
        user=name(sent, "userName"),
        new_user=name(sent, "newUserName"),
    )


def _repository_of(resources: object) -> tuple[str, str]:
    for item in resources[:_RESOURCES_READ] if isinstance(resources, list) else ():
        if not isinstance(item, dict):
            continue
        try:
            arn = parse_arn(name(item, "ARN", 2048) or name(item, "arn", 2048))
        except ArnError:
            continue
        kind, _, repository = arn.resource.partition("/")
        if arn.service == "ecr" and kind == "repository":
            return arn.account, repository
    return "", ""


def _error(record: _Json) -> str:
    code = text(record, "errorCode", 128)
    return code or ("error" if text(record, "errorMessage", 16) else "")


def _parse_object_created(event: _Json) -> SpecChanged:
    detail = mapping(event, "detail")
    bucket, written = mapping(detail, "bucket"), mapping(detail, "object")
    requester = text(detail, "requester", 128)
    account = requester if ACCOUNT_ID.fullmatch(requester) else ""
    return SpecChanged(
        event_id=_event_id(event, "id"),
        bucket=_required(bucket, "name", "the S3 event's bucket"),
        key=_required(written, "key", "the S3 event's object", limit=1024),
        version_id=text(written, "version-id", 1024),
        at=_time(event, "time"),
        actor=Actor(
            type="AWSAccount" if account else "AWSService" if requester else "Unknown",
            account=account,
            invoked_by="" if account else requester,
            source_ip=text(detail, "source-ip-address", 128),
        ),
    )


def _event_id(source: _Json, key: str) -> str:
    value = source.get(key)
    if not isinstance(value, str) or not _EVENT_ID.fullmatch(value):
        raise TriggerError(f"the event's `{key}` is missing or not 1 to 128 printable characters")
    return value


def _required(source: _Json, key: str, where: str, limit: int = 256) -> str:
    value = source.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        given = f"a string of {len(value)}" if isinstance(value, str) else f"a JSON {_kind(value)}"
        raise TriggerError(f"{where} needs `{key}`, a string of 1 to {limit} characters; it has {given}")
    return text(source, key, limit)


def _time(source: _Json, key: str) -> str:
    value = text(source, key, 40)
    return value if _TIME.fullmatch(value) else ""


def _kind(value: object) -> str:
    kinds = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "list"}
    return kinds.get(type(value), "object")
