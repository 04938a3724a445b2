"""A stack makes nothing whose name is taken, and says all that is in its way; what one left the next may import."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ecr_warden_cli.deployment.aws_cloudformation import AwsStacks
from ecr_warden_cli.deployment.ports import Proposal, StackFailed
from local.aws.launcher import ROOT, EmulatedAws
from tests.local.support import NewAccount, allow, policy, trust

REGION, HUB, NAME = "us-east-1", "111111111111", "theirs"
TRUST = policy(trust({"AWS": f"arn:aws:iam::{HUB}:root"}))
READ = policy(allow("iam:GetRole"))
PATTERN = '{"source": ["theirs"]}'
BUS = f"arn:aws:events:eu-central-1:{HUB}:event-bus/ecr-warden-trail"
GIVEN = {"HubAccount": HUB, "ExternalId": "external-id", "HubBusArns": BUS}
type Client = Callable[[str], Any]


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


THERE: Mapping[str, tuple[Callable[[Client], object], dict[str, Any]]] = {
    "a role": (
        lambda c: c("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=TRUST),
        resource("IAM::Role", RoleName=NAME, AssumeRolePolicyDocument=json.loads(TRUST)),
    ),
    "a policy, under another path": (
        lambda c: c("iam").create_policy(PolicyName=NAME, PolicyDocument=READ, Path="/other/"),
        resource("IAM::ManagedPolicy", ManagedPolicyName=NAME, PolicyDocument=json.loads(READ)),
    ),
    "a rule": (
        lambda c: c("events").put_rule(Name=NAME, EventPattern=PATTERN),
        resource("Events::Rule", Name=NAME, EventPattern=json.loads(PATTERN)),
    ),
    "a queue": (lambda c: c("sqs").create_queue(QueueName=NAME), resource("SQS::Queue", QueueName=NAME)),
    "a topic": (lambda c: c("sns").create_topic(Name=NAME), resource("SNS::Topic", TopicName=NAME)),
    "a log group": (
        lambda c: c("logs").create_log_group(logGroupName=NAME),
        resource("Logs::LogGroup", LogGroupName=NAME),
    ),
}
FREE = resource("SQS::Queue", QueueName="ours")


def stacks_of(aws: EmulatedAws, account: str) -> AwsStacks:
    client = aws.client(account, "cloudformation", REGION)
    return AwsStacks(client, f"{account}/{REGION}", lambda _: None)


def deploy(stacks: AwsStacks, proposal: Proposal) -> str:
    change_set = stacks.propose(proposal)
    assert stacks.changes(change_set)
    stacks.execute(change_set)
    return stacks.finished(change_set).status


@pytest.mark.parametrize("case", THERE)
def test_what_is_there_outside_the_stack_is_left_as_it_is_and_the_stack_fails(
    aws: EmulatedAws, new_account: NewAccount, case: str
) -> None:
    make, body = THERE[case]
    account = new_account()
    stacks, text = stacks_of(aws, account), json.dumps({"Resources": {"Free": FREE, "Taken": body}})
    make(lambda service: aws.client(account, service, REGION))
    with pytest.raises(StackFailed, match=rf"Taken \({body['Type']}\): .* with identifier '{NAME}' already exists"):
        deploy(stacks, Proposal("ours", text, {}))
    assert stacks.read("ours") is None
    assert not aws.client(account, "sqs", REGION).list_queues(QueueNamePrefix="ours").get("QueueUrls")
    assert deploy(stacks, Proposal("ours", json.dumps({"Resources": {"Free": FREE}}), {})) == "CREATE_COMPLETE"
    with pytest.raises(StackFailed, match="already exists"):
        deploy(stacks, Proposal("ours", text, {}))
    with pytest.raises(StackFailed, match="already exists"):
        deploy(stacks, Proposal("others", json.dumps({"Resources": {"Free": FREE}}), {}))


def test_all_that_is_in_the_way_is_named_with_what_a_person_does(aws: EmulatedAws, new_account: NewAccount) -> None:
    account, member = new_account(), "ecr-warden-member"
    for name in ("ecr-warden-read", "ecr-warden-forward"):
        aws.client(account, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    with pytest.raises(StackFailed) as failed:
        deploy(stacks_of(aws, account), Proposal(member, (ROOT / "stacks" / "member.yaml").read_text(), GIVEN))
    for name in ("ecr-warden-read", "ecr-warden-forward"):
        assert f"(AWS::IAM::Role): Resource of type 'AWS::IAM::Role' with identifier '{name}'" in failed.value.message
    assert "delete what has this name" in failed.value.remedy


def test_a_policy_that_a_stack_retained_is_imported_by_the_next(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    stacks, arn = stacks_of(aws, account), f"arn:aws:iam::{account}:policy/{NAME}"
    kept = {**THERE["a policy, under another path"][1], "DeletionPolicy": "Retain"}
    alone, whole = (json.dumps({"Resources": one}) for one in ({"Kept": kept}, {"Kept": kept, "Free": FREE}))
    assert deploy(stacks, Proposal("ours", whole, {})) == "CREATE_COMPLETE"
    stacks.deleted(stacks.delete("ours"))
    with pytest.raises(StackFailed, match=r"Kept \(AWS::IAM::ManagedPolicy\): .* already exists"):
        deploy(stacks, Proposal("ours", whole, {}))
    imported = {"ResourceType": kept["Type"], "LogicalResourceId": "Kept", "ResourceIdentifier": {"PolicyArn": arn}}
    assert deploy(stacks, Proposal("ours", alone, {}, takes=[imported])) == "IMPORT_COMPLETE"
    assert deploy(stacks, Proposal("ours", whole, {})) == "UPDATE_COMPLETE"


def test_two_change_sets_of_a_stack_that_is_to_come_are_of_one_stack_and_one_makes_it(
    aws: EmulatedAws, new_account: NewAccount
) -> None:
    account = new_account()
    stacks, text = stacks_of(aws, account), json.dumps({"Resources": {"Free": FREE}})
    first, second = (stacks.propose(Proposal("ours", text, {})) for _ in range(2))
    assert first.stack == second.stack
    stacks.execute(first)
    assert stacks.finished(first).status == "CREATE_COMPLETE"
    with pytest.raises(Exception, match="ChangeSetNotFound"):
        stacks.execute(second)
