"""Any call that writes, on what alerts go through, is reported with who made it."""

from typing import Any

import pytest

from ecr_warden.core.job import ReportOwnChange
from ecr_warden.events.decide import EventDecision, SpecPlace, decide
from ecr_warden.events.trigger import Ignored

TOPIC = "arn:aws:sns:eu-central-1:111111111111:ecr-warden-alerts"
PLACE = SpecPlace("access.yaml", lambda _: False)
REPORTED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "the topic is deleted": ("sns", "DeleteTopic", {"topicArn": TOPIC}, "topic ecr-warden-alerts"),
    "the topic's policy is replaced": ("sns", "SetTopicAttributes", {"topicArn": TOPIC}, "topic ecr-warden-alerts"),
    "somebody is unsubscribed": ("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC}:1-2"}, "topic ecr-warden-alerts"),
    "a call that AWS adds later": ("sns", "MuteTopic", {"topicArn": TOPIC}, "topic ecr-warden-alerts"),
    "a trail is stopped": ("cloudtrail", "StopLogging", {"name": "main"}, "trail main"),
    "a key is disabled": ("kms", "DisableKey", {"keyId": "k-1"}, "key k-1"),
    "alarms are deleted": (
        "monitoring",
        "DeleteAlarms",
        {"alarmNames": ["x", "ecr-warden-no-sweep"]},
        "alarm ecr-warden-no-sweep",
    ),
    "an alarm is set": (
        "monitoring",
        "SetAlarmState",
        {"alarmName": "ecr-warden-dlq-depth"},
        "alarm ecr-warden-dlq-depth",
    ),
    "the table is deleted": ("dynamodb", "DeleteTable", {"tableName": "ecr-warden"}, "table ecr-warden"),
    "the webhook's secret is written": (
        "secretsmanager",
        "PutSecretValue",
        {"secretId": "ecr-warden/hook"},
        "webhook ecr-warden/hook",
    ),
    "the webhook's parameter is deleted": (
        "ssm",
        "DeleteParameter",
        {"name": "/ecr-warden/hook"},
        "webhook /ecr-warden/hook",
    ),
}
IGNORED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a read": ("sns", "GetTopicAttributes", {"topicArn": TOPIC}, {"readOnly": True}),
    "one that does not say whether it writes": ("sns", "DeleteTopic", {"topicArn": TOPIC}, {"readOnly": None}),
    "one that failed": ("sns", "DeleteTopic", {"topicArn": TOPIC}, {"errorCode": "AccessDenied"}),
    "another topic": ("sns", "DeleteTopic", {"topicArn": "arn:aws:sns:eu-central-1:111111111111:other"}, {}),
    "another table": ("dynamodb", "DeleteTable", {"tableName": "ecr-wardens"}, {}),
    "other alarms": ("monitoring", "DeleteAlarms", {"alarmNames": ["x", 7]}, {}),
}


def record(service: str, call: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "eventType": "AwsApiCall",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": call,
        "eventID": "e-1",
        "eventTime": "2026-11-28T12:00:00Z",
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111111111111",
        "readOnly": False,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/mallory"},
        "requestParameters": parameters,
        **more,
    }


@pytest.mark.parametrize("name", REPORTED)
def test_it_is_reported_with_who_and_what(name: str) -> None:
    service, call, parameters, thing = REPORTED[name]
    decided = decide(record(service, call, parameters), PLACE)
    assert isinstance(decided, EventDecision)
    [job] = decided.jobs
    assert isinstance(job, ReportOwnChange)
    assert (job.cause.action, job.cause.actor and job.cause.actor.arn) == (
        f"{service}:{call}",
        "arn:aws:iam::111111111111:user/mallory",
    )
    assert f"{thing} in eu-central-1" in str(job)


@pytest.mark.parametrize("name", IGNORED)
def test_nothing_else_is(name: str) -> None:
    service, call, parameters, more = IGNORED[name]
    assert isinstance(decide(record(service, call, parameters, **more), PLACE), Ignored)
