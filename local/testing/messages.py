"""Events as Lambda hands them to a function that polls a queue."""

import json
import time
from dataclasses import dataclass
from typing import Any

from ecr_warden.core.job import Queue


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a queue as received for the `receives`-th time."""

    body: str
    group: str = "group"
    receives: int = 1
    handle: str = "no-such-handle"
    queue: str = Queue.REPAIR.sqs_name
    id: str = ""


def batch(*messages: Message) -> dict[str, Any]:
    """The event of a batch; messages without an id get m0, m1 and so on.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {"Records": [_record(message.id or f"m{number}", message) for number, message in enumerate(messages)]}


def reconcile(target: str, event_id: str = "00000000-0000-4000-8000-000000000001") -> Message:
    """A job to reconcile a target, caused by an event."""
    cause = {"kind": "event", "id": event_id, "action": "ecr:SetRepositoryPolicy", "at": "2026-11-24T10:15:30Z"}
    return Message(json.dumps({"schema": 1, "kind": "reconcile-target", "target": target, "cause": cause}), target)


def _record(message_id: str, message: Message) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(time.time_ns() // 1_000_000),
            "MessageGroupId": message.group,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:111111111111:{message.queue}",
        "awsRegion": "eu-central-1",
    }
