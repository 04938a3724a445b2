"""An event to a Trigger: the only module that knows the JSON of EventBridge and CloudTrail."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import cast

from ecr_warden.core.job import Actor
from ecr_warden.core.target import REGION
from ecr_warden.events.calls import SILENCING, WATCHED, blinding
from ecr_warden.events.record import account_id, actor_of, mapping, name, own_name, parameters_of, text
from ecr_warden.events.trigger import (
    ApiCall,
    BlindingCall,
    HeartbeatSent,
    Ignored,
    SpecChanged,
    SweepDue,
    Trigger,
    TriggerError,
    WatchedService,
)
from iam_access.arn import ACCOUNT_ID

_SERVICES = {f"{service}.amazonaws.com": service for service in WatchedService}
_EVENT_ID = re.compile(r"[!-~]{1,128}")
_CALL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_HEARTBEAT = ":rule/ecr-warden-heartbeat"
_RECORD_KEYS = frozenset({"eventName", "eventSource", "eventType", "eventVersion"})

type _Json = Mapping[str, object]


def parse_trigger(event: object) -> Trigger | Ignored:
    """Parse an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither.

    Every string taken from it is bounded. Events of other services and kinds are Ignored.
    Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    if not isinstance(event, dict):
        raise TriggerError(f"the event is a JSON {_kind(event)}, not an object", remedy="send the event unchanged")
    fields = cast(_Json, event)
    if "detail-type" not in fields and not _RECORD_KEYS.isdisjoint(fields):
        return _parse_record(fields, envelope={})
    if fields.get("version", "0") != "0":
        raise TriggerError(f"EventBridge event of unknown version {str(fields.get('version'))[:20]!r}")
    kind = _required(fields, "detail-type", "the event")
    if not isinstance(fields.get("detail"), dict):
        raise TriggerError(f"the event {kind!r} has no object `detail`")
    source = text(fields, "source", 128)
    match source, kind:
        case _, "AWS API Call via CloudTrail" if source.startswith("aws."):
            return _parse_record(mapping(fields, "detail"), envelope=fields)
        case "aws.s3", "Object Created" | "Object Deleted":
            return _parse_object_changed(fields, deleted=kind == "Object Deleted")
        case "aws.events", "Scheduled Event":
            return _parse_schedule(fields)
        case _:
            return Ignored(f"events {kind!r} of {source!r} are not watched")


def _parse_schedule(event: _Json) -> SweepDue | HeartbeatSent | Ignored:
    """A rule of another name is a sweep's: the hub's own rules decide which schedules come here."""
    event_id, at, rules = _event_id(event, "id"), _time(event, "time"), event.get("resources")
    rule = rules[0] if isinstance(rules, list) and rules else ""
    if not isinstance(rule, str) or not rule.endswith(_HEARTBEAT):
        return SweepDue(event_id, at)
    account, region = account_id(event, "account"), name(event, "region", 32)
    if not account or not REGION.fullmatch(region):
        return Ignored("a heartbeat names no account and region")
    return HeartbeatSent(event_id, account, region, at)


def _parse_record(record: _Json, envelope: _Json) -> ApiCall | BlindingCall | Ignored:
    kind, category = text(record, "eventType", 64) or "AwsApiCall", text(record, "eventCategory", 64) or "Management"
    if kind != "AwsApiCall":
        # Insights have neither eventSource nor eventName.
        return Ignored(f"{_action(record)} is not an API call but an {kind}")
    if category != "Management":
        return Ignored(f"{_action(record)} is not a management event: its category is {category}")
    source = _required(record, "eventSource", "the CloudTrail record")
    call = _required(record, "eventName", "the CloudTrail record")
    service = _SERVICES.get(source.removesuffix(".cn"))
    if service is None:
        return _of_another_service(source, call, record, envelope)
    version = _version(record)
    if version and version.partition(".")[0] != "1":
        # Source: cloudtrail-event-reference-record-contents: equal on the major version, at least on the minor.
        raise TriggerError(f"CloudTrail record of unknown version {version!r}", remedy="update ecr-warden")
    if envelope and text(envelope, "source", 128) != f"aws.{service}":
        return Ignored(f"{service}:{call} from the source {text(envelope, 'source', 128)!r} is not watched")
    if not _CALL_NAME.fullmatch(call):
        raise TriggerError(f"the CloudTrail record's eventName is not an API call: {call!r}")
    if record.get("readOnly") in (True, "true"):
        return Ignored(f"{service}:{call} is a read-only call")
    account = account_id(record, "recipientAccountId") or account_id(envelope, "account") or _callers_account(record)
    error = _error(record)
    if not account and call in WATCHED[service] and not error:
        raise TriggerError(f"the CloudTrail record of {service}:{call} has no recipientAccountId of 12 digits")
    return ApiCall(
        event_id=_call_id(record, envelope),
        service=service,
        name=call,
        account=account,
        region=name(record, "awsRegion", 32) or name(envelope, "region", 32),
        at=_time(record, "eventTime") or _time(envelope, "time"),
        parameters=parameters_of(record),
        error=error,
        actor=actor_of(record),
    )


def _of_another_service(source: str, call: str, record: _Json, envelope: _Json) -> BlindingCall | Ignored:
    service = source.partition(".")[0]
    row = None if _error(record) else blinding(service, call)
    named = "" if row is None else own_name(row.changes, record)
    if not named and service in SILENCING and not _error(record) and record.get("readOnly") in (False, "false"):
        row = SILENCING[service]
        named = own_name(row.changes, record)
    if row is None:
        return Ignored(f"calls to {source} are not watched")
    if envelope and text(envelope, "source", 128) != f"aws.{service}":
        return Ignored(f"{service}:{call} from the source {text(envelope, 'source', 128)!r} is not watched")
    if not named:
        return Ignored(f"{service}:{call} {row.effect}, but this one is not on anything of ecr-warden's")
    region = name(record, "awsRegion", 32) or name(envelope, "region", 32)
    return BlindingCall(
        changes=row.changes,
        event_id=_call_id(record, envelope),
        action=f"{service}:{call}",
        account=account_id(record, "recipientAccountId") or account_id(envelope, "account") or _callers_account(record),
        region=region,
        at=_time(record, "eventTime") or _time(envelope, "time"),
        thing=f"{row.changes} {named} in {region}" if REGION.fullmatch(region) else f"{row.changes} {named}",
        effect=row.effect,
        actor=actor_of(record),
    )


def _action(record: _Json) -> str:
    source, call = text(record, "eventSource", 64), text(record, "eventName", 128)
    return f"{source.partition('.')[0]}:{call}" if source and call else "the CloudTrail record"


def _version(record: _Json) -> str:
    value = record.get("eventVersion")
    return str(value) if isinstance(value, int | float) else text(record, "eventVersion", 16)


def _callers_account(record: _Json) -> str:
    """The account of a record older than recipientAccountId (1.02): IAM has no calls across accounts, and ECR's name
    the other account. A caller known only as an account, or as a service, may have called from elsewhere.
    """
    identity = mapping(record, "userIdentity")
    known_by_itself = text(identity, "type", 32) not in ("AWSAccount", "AWSService")
    return account_id(identity, "accountId") if known_by_itself else ""


def _call_id(record: _Json, envelope: _Json) -> str:
    if record.get("eventID") is not None:
        return _event_id(record, "eventID")
    if envelope:
        return _event_id(envelope, "id")
    # Records older than version 1.01 have no eventID; the ID only has to be the same for the same record.
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _error(record: _Json) -> str:
    return text(record, "errorCode", 128) or ("error" if text(record, "errorMessage", 16) else "")


def _parse_object_changed(event: _Json, *, deleted: bool) -> SpecChanged:
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
        deleted=deleted,
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
        has = f"it has {given}" if key in source else "it has none"
        raise TriggerError(f"{where} needs `{key}`, a string of 1 to {limit} characters; {has}")
    return text(source, key, limit)


def _time(source: _Json, key: str) -> str:
    value = text(source, key, 40)
    return value if _TIME.fullmatch(value) else ""


def _kind(value: object) -> str:
    kinds = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "list"}
    return kinds.get(type(value), "object")
