"""Event buses across accounts and regions, and targets that do not take an event."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.aws import deploy
from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REGION, REPOSITORY, Inbox, NewAccount, drained, policy

ECR = {"source": ["aws.ecr"]}
FORWARD = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
HUB = """
Parameters: {Sender: {Type: String}}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: trail}}
  Members:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref Bus
      StatementId: members
      Statement:
        Effect: Allow
        Principal: {AWS: !Ref Sender}
        Action: events:PutEvents
        Resource: !GetAtt Bus.Arn
        Condition:
          ForAllValues:StringEquals: {"events:source": [aws.ecr]}
"""


class Ways:
    """A hub with a bus, and a sender whose rule forwards ECR's events to it through a role."""

    def __init__(self, aws: EmulatedAws, new_account: NewAccount) -> None:
        self.aws, self.hub, self.sender = aws, new_account(), new_account()
        self.bus = f"arn:aws:events:{REGION}:{self.hub}:event-bus/trail"
        self.events = aws.client(self.sender, "events")
        self.sqs = aws.client(self.sender, "sqs")
        rule = f"arn:aws:events:{REGION}:{self.sender}:rule/forward"
        self.dlq = self.sqs.create_queue(QueueName="dlq")["QueueUrl"]
        self.dlq_arn = f"arn:aws:sqs:{REGION}:{self.sender}:dlq"
        let_in = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.dlq_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        self.sqs.set_queue_attributes(QueueUrl=self.dlq, Attributes={"Policy": policy(let_in)})
        iam = aws.client(self.sender, "iam")
        self.role = iam.create_role(RoleName="forward", Path="/ecr-warden/", AssumeRolePolicyDocument=policy(FORWARD))
        self.put_role(self.bus)

    def make_hub(self, tmp_path: Path, sender: str) -> None:
        template = tmp_path / "hub.yaml"
        template.write_text(HUB)
        deploy.create(self.aws, deploy.Place(self.hub, REGION, "hub"), template, {"Sender": sender})

    def put_role(self, bus: str) -> None:
        put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
        self.aws.client(self.sender, "iam").put_role_policy(
            RoleName="forward", PolicyName="put", PolicyDocument=policy(put)
        )

    def forward(self, pattern: dict[str, Any]) -> None:
        self.events.put_rule(Name="forward", EventPattern=json.dumps(pattern))
        target = {"Id": "hub", "Arn": self.bus, "RoleArn": self.role["Role"]["Arn"]}
        self.events.put_targets(Rule="forward", Targets=[{**target, "DeadLetterConfig": {"Arn": self.dlq_arn}}])

    def inbox(self) -> Inbox:
        return Inbox(self.aws, self.hub, REGION, {"account": [self.sender]}, bus="trail")

    def tell(self, name: str = REPOSITORY) -> None:
        self.aws.client(self.sender, "ecr").create_repository(repositoryName=name)


@pytest.fixture
def ways(aws: EmulatedAws, new_account: NewAccount) -> Ways:
    return Ways(aws, new_account)


def test_an_event_reaches_another_accounts_bus_and_keeps_its_account(ways: Ways, tmp_path: Path) -> None:
    ways.make_hub(tmp_path, ways.sender)
    ways.forward(ECR)
    inbox = ways.inbox()
    ways.tell()
    (event,) = inbox.next()
    assert (event["account"], event["region"], event["detail"]["eventName"]) == (
        ways.sender,
        REGION,
        "CreateRepository",
    )
    assert drained(ways.sqs, ways.dlq) == []

    ways.events.disable_rule(Name="forward")
    ways.tell("shop/basket")
    assert inbox.taken() == []


@pytest.mark.parametrize("broken", ["bus policy", "role", "bus", "source"])
def test_an_event_that_may_not_be_delivered_ends_in_the_dead_letter_queue(
    ways: Ways, tmp_path: Path, broken: str, new_account: NewAccount
) -> None:
    if broken != "bus":
        ways.make_hub(tmp_path, new_account() if broken == "bus policy" else ways.sender)
    if broken == "role":
        ways.put_role("arn:aws:events:*:*:event-bus/another")
    ways.forward({"source": ["aws.iam"]} if broken == "source" else ECR)
    if broken == "source":
        ways.aws.put_aws_event(ways.sender, REGION, "aws.iam", "AWS API Call via CloudTrail", {"eventName": "x"})
    else:
        ways.tell()
    (event,) = until(lambda: drained(ways.sqs, ways.dlq), what="the dead letter")
    assert event["account"] == ways.sender
    last = [one for one in ways.aws.undelivered() if one["rule_arn"].split(":")[4] == ways.sender][-1]
    assert last["error_code"] in ("NO_PERMISSIONS", "NO_RESOURCE")
    assert last["event_id"] == event["id"]


def test_a_received_event_is_not_sent_on(ways: Ways, tmp_path: Path, new_account: NewAccount) -> None:
    ways.make_hub(tmp_path, ways.sender)
    ways.forward(ECR)
    third = new_account()
    aws, further = ways.aws, f"arn:aws:events:{REGION}:{third}:event-bus/default"
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents"}
    aws.client(third, "events").put_permission(
        StatementId="all", Principal="*", Action="events:PutEvents", EventBusName="default"
    )
    iam = aws.client(ways.hub, "iam")
    role = iam.create_role(RoleName="on", AssumeRolePolicyDocument=policy(FORWARD))["Role"]["Arn"]
    put = {"Effect": "Allow", "Action": anybody["Action"], "Resource": "*"}
    iam.put_role_policy(RoleName="on", PolicyName="put", PolicyDocument=policy(put))
    events = aws.client(ways.hub, "events")
    for bus in ("trail", "default"):
        events.put_rule(Name="on", EventBusName=bus, EventPattern=json.dumps(ECR))
        events.put_targets(Rule="on", EventBusName=bus, Targets=[{"Id": "on", "Arn": further, "RoleArn": role}])
    inbox = Inbox(aws, third, REGION, ECR)
    aws.client(ways.hub, "ecr").create_repository(repositoryName="own")
    ways.tell()
    assert [event["account"] for event in inbox.next()] == [ways.hub]
    assert inbox.taken() == []
    assert [one["error_code"] for one in aws.undelivered() if ways.hub in one["rule_arn"]] == []
