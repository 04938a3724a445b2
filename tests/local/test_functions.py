"""Functions in the emulator: by rule and by queue, under their own role, in a clean environment."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REGION, NewAccount, allow, drained, policy

ASSUMED_BY_LAMBDA = policy(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
TELL = """
import json, os, boto3
def handler(event, context):
    sent = {"event": event, "environment": dict(os.environ)}
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(sent))
"""
FAIL = """
import os, boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody='{"tried": true}')
    raise RuntimeError("no")
"""


class Works:
    """A function with a role of its own, called by a rule; it may send to its queue `out`, and fails into `dlq`."""

    def __init__(self, aws: EmulatedAws, account: str, source: str) -> None:
        self.aws, self.account = aws, account
        self.sqs, self.events = aws.client(account, "sqs"), aws.client(account, "events")
        self.lambdas = aws.client(account, "lambda")
        self.out, self.dlq = (self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("out", "dlq"))
        iam = aws.client(account, "iam")
        role = iam.create_role(RoleName="f", AssumeRolePolicyDocument=ASSUMED_BY_LAMBDA)["Role"]["Arn"]
        queues = f"arn:aws:sqs:{REGION}:{account}:out"
        iam.put_role_policy(RoleName="f", PolicyName="p", PolicyDocument=policy(allow("sqs:SendMessage", queues)))
        self.arn = self.lambdas.create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": zipped(source)},
            Environment={"Variables": {"OUT": self.out}},
        )["FunctionArn"]
        self.lambdas.put_function_event_invoke_config(
            FunctionName="f",
            MaximumRetryAttempts=2,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{account}:dlq"}},
        )
        self.rule = self.events.put_rule(Name="f", EventPattern=json.dumps({"source": ["test"]}))["RuleArn"]
        self.events.put_targets(Rule="f", Targets=[{"Id": "f", "Arn": self.arn}])

    def permit(self, rule: str) -> None:
        self.lambdas.add_permission(
            FunctionName="f",
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )

    def put(self) -> None:
        self.events.put_events(Entries=[{"Source": "test", "DetailType": "d", "Detail": '{"a": 1}'}])

    def sent(self, count: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found.extend(drained(self.sqs, self.out))
            return len(found) >= count

        until(enough, what="the function's message")
        return found


def zipped(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", source)
    return content.getvalue()


type Make = Callable[[str], Works]


@pytest.fixture
def make(aws: EmulatedAws, new_account: NewAccount) -> Make:
    return lambda source: Works(aws, new_account(), source)


def test_a_function_acts_under_its_role_in_a_clean_environment(
    make: Make, aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = make(TELL)
    works.permit(works.rule)
    mark = aws.mark()
    works.put()
    (message,) = works.sent()
    assert message["event"]["detail"] == {"a": 1}
    environment = message["environment"]
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert environment["AWS_REGION"] == REGION
    assert not {"AWS_CA_BUNDLE", "AWS_PROFILE", "HTTPS_PROXY", "PYTHONPATH", "LOCAL_SOCKET"} & environment.keys()
    session = f"arn:aws:sts::{works.account}:assumed-role/f/f"
    assert session in {call.principal for call in aws.calls(mark) if call.action == "SendMessage"}


def test_two_events_at_once_on_a_cold_function_are_both_served(make: Make) -> None:
    works = make(TELL)
    works.permit(works.rule)
    works.put()
    works.put()
    assert len({message["event"]["id"] for message in works.sent(2)}) == 2


def test_a_function_that_fails_is_tried_three_times_and_its_event_kept(make: Make) -> None:
    works = make(FAIL)
    works.permit(works.rule)
    works.put()
    (letter,) = until(lambda: drained(works.sqs, works.dlq), what="the dead letter")
    assert letter["requestPayload"]["detail"] == {"a": 1}
    assert len(works.sent(3)) == 3


def test_a_rule_needs_the_functions_permission(make: Make, aws: EmulatedAws) -> None:
    works = make(TELL)
    works.permit(works.rule.replace("rule/f", "rule/another"))
    works.put()
    refused = [one for one in aws.undelivered() if one["target_arn"] == works.arn]
    assert [one["error_code"] for one in refused] == ["NO_PERMISSIONS"]
    assert drained(works.sqs, works.out) == []
