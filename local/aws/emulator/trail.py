"""CloudTrail: a record of each write, put on the DEFAULT bus of the caller's account, and of the owner's.

aws-facts 4.1-4.3: IAM's events are in us-east-1 only; failed calls are recorded with errorCode, reads are not recorded.
"""

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from local.aws.calls import Call, is_read
from local.aws.emulator.identity import Caller
from local.aws.emulator.modules import eventbridge, responses, signature

DETAIL_TYPE = "AWS API Call via CloudTrail"
# Management events only. None: all writes of the service.
_RECORDED: dict[str, frozenset[str] | None] = {
    "ecr": None,
    "iam": None,
    "events": frozenset(
        (
            *("DisableRule", "EnableRule", "DeleteRule", "PutRule", "RemoveTargets", "PutTargets"),
            *("DeleteEventBus", "CreateEventBus", "UpdateEventBus", "RemovePermission", "PutPermission"),
        )
    ),
    "cloudtrail": frozenset(("StopLogging", "StartLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")),
    "sqs": frozenset(("SetQueueAttributes", "PurgeQueue", "DeleteQueue", "CreateQueue")),
    "kms": frozenset(("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy")),
    "ssm": frozenset(("PutParameter", "DeleteParameter", "DeleteParameters")),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call, as far as CloudTrail records it."""

    request_id: str
    elements: Any
    error_code: str
    error_message: str
    user_agent: str
    source_ip: str


def tells(service: str, action: str) -> bool:
    """Whether CloudTrail sends EventBridge a record of such a call."""
    if service not in _RECORDED or is_read(action):
        return False
    listed = _RECORDED[service]
    return listed is None or action in listed


def records(call: Call, caller: Caller, answer: Answer) -> list[dict[str, Any]]:
    """A record for the caller's account and, for a successful call, one for the resource owner's if that is another."""
    first = _record(call, caller, answer, call.account, call.event_ids[0])
    if call.owner in ("", call.account) or answer.error_code:
        return [first]
    shared = str(uuid4())
    second = {**_record(call, caller, answer, call.owner, call.event_ids[1]), "sharedEventID": shared}
    return [{**first, "sharedEventID": shared}, second]


def _record(call: Call, caller: Caller, answer: Answer, recipient: str, event_id: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": caller.user_identity,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(call.at)),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.action,
        "awsRegion": "us-east-1" if call.service == "iam" else call.region,
        "sourceIPAddress": answer.source_ip,
        "userAgent": answer.user_agent,
        "requestParameters": _parameters(call),
        "responseElements": None if answer.error_code else answer.elements,
        "requestID": answer.request_id,
        "eventID": event_id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": recipient,
        "eventCategory": "Management",
    }
    if call.service == "ecr" and "repositoryName" in call.parameters:
        name, owner = call.parameters["repositoryName"], call.owner or call.account
        record["resources"] = [{"accountId": owner, "ARN": f"arn:aws:ecr:{call.region}:{owner}:repository/{name}"}]
    if answer.error_code:
        record |= {"errorCode": answer.error_code, "errorMessage": answer.error_message[:1024]}
    return record


def _parameters(call: Call) -> dict[str, Any] | None:
    if call.action == "SetRepositoryPolicy":
        return {"force": False, **call.parameters}
    return call.parameters or None


def publish(record: dict[str, Any]) -> None:
    """Put a record on the default bus of its recipient, in its region."""
    entry = {
        "Source": "aws." + str(record["eventSource"]).removesuffix(".amazonaws.com"),
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(record),
        "Resources": [],
        "EventBusName": "default",
    }
    with responses.request_scope(record["recipientAccountId"], record["awsRegion"]):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def check() -> None:
    """Raises BridgeBroken if ministack's interface for its own emitters has changed."""
    signature(eventbridge, "_put_events", "data", "allow_aws_source")
