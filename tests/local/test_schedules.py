"""One-off schedules send once, as their role, to a queue that makes deduplication ids of the body."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REGION, NewAccount, allow, policy, trust

SCHEDULER = {"Service": "scheduler.amazonaws.com"}
REFUSED = {
    "a role that may not send": (SCHEDULER, "sqs:ReceiveMessage", "true", "may not sqs:SendMessage"),
    "a role that trusts another service": ({"Service": "events.amazonaws.com"}, "sqs:SendMessage", "true", "assume"),
    "a queue without deduplication by body": (SCHEDULER, "sqs:SendMessage", "false", "makes no deduplication ids"),
}


def _schedule(aws: EmulatedAws, account: str, principal: Any, action: str, by_body: str) -> tuple[Any, str]:
    """Schedule a message for now; returns the queue's client and URL."""
    sqs, iam = aws.client(account, "sqs"), aws.client(account, "iam")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": by_body}
    url = sqs.create_queue(QueueName="jobs.fifo", Attributes=attributes)["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{account}:jobs.fifo"
    iam.create_role(RoleName="schedule", AssumeRolePolicyDocument=policy(trust(principal)))
    iam.put_role_policy(RoleName="schedule", PolicyName="p", PolicyDocument=policy(allow(action, queue)))
    scheduler: Any = aws.client(account, "scheduler")
    scheduler.create_schedule(
        Name="once",
        ScheduleExpression=f"at({datetime.now(UTC) - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": queue,
            "RoleArn": f"arn:aws:iam::{account}:role/schedule",
            "Input": '{"a":1}',
            "SqsParameters": {"MessageGroupId": "g"},
        },
    )
    until(lambda: scheduler.list_schedules()["Schedules"] == [], what="the schedule's deletion of itself")
    return sqs, url


def test_a_schedule_sends_its_input_to_its_group_and_deletes_itself(aws: EmulatedAws, new_account: NewAccount) -> None:
    sqs, url = _schedule(aws, new_account(), SCHEDULER, "sqs:SendMessage", "true")
    [message] = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert (message["Body"], message["Attributes"]["MessageGroupId"]) == ('{"a":1}', "g")


@pytest.mark.parametrize("name", REFUSED)
def test_a_schedule_that_may_not_send_is_refused(aws: EmulatedAws, new_account: NewAccount, name: str) -> None:
    principal, action, by_body, why = REFUSED[name]
    account = new_account()
    sqs, url = _schedule(aws, account, principal, action, by_body)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    [refusal] = [one for one in aws.undelivered() if f":{account}:" in one["rule_arn"]]
    assert why in refusal["error_message"]
