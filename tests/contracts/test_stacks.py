"""`Stacks` in memory and on the embedded AWS: what becomes of a stack, whoever holds it."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.deployment.aws_cloudformation import AwsStacks
from ecr_warden_cli.deployment.ports import ChangeSet, Entered, LiveStack, Proposal, StackFailed
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from ecr_warden_cli.terminal.context import Failure
from local.aws.launcher import EmulatedAws
from tests.clouds import MemoryCloud, MemoryEntered
from tests.contracts.aws import Wire

ACCOUNT, REGION = "111111111111", "eu-central-1"
NO_BOUNDARY = "Scope ARN: arn:aws:iam::111111111111:policy/none does not exist or is not attachable."


@pytest.fixture(scope="module", params=["memory", pytest.param("embedded", marks=pytest.mark.thorough)])
def entered(request: pytest.FixtureRequest) -> Iterator[Entered]:
    """An account with a bucket `code`."""
    if request.param == "memory":
        yield MemoryEntered(MemoryCloud(failing={"Role": NO_BOUNDARY}))
        return
    with EmulatedAws() as aws, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
        where: Any = {"LocationConstraint": REGION}
        aws.client(ACCOUNT, "s3").create_bucket(Bucket="code", CreateBucketConfiguration=where)
        yield AwsEntered(
            {ACCOUNT: AccountSession(aws.session(ACCOUNT, REGION), ACCOUNT, "")}, lambda _: time.sleep(0.02)
        )


def template(**resources: Any) -> str:
    return json.dumps({"Description": "of a test", "Resources": resources})


def queue(delay: int) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "one", "DelaySeconds": delay}}


FAILS = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "role",
        "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/none",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
    },
}

type Deploy = Callable[..., LiveStack | None]


def deploying(entered: Entered, name: str) -> Deploy:
    """To make a stack what a template says; None if there was nothing to do."""
    stacks = entered.stacks(ACCOUNT, REGION)

    def deploy(text: str, *, url: str = "", repairs: bool = False, **tags: str) -> LiveStack | None:
        change_set = stacks.propose(Proposal(name, text, {}, tags, url, repairs=repairs))
        if stacks.changes(change_set) is None:
            return None
        stacks.execute(change_set)
        return stacks.finished(change_set)

    return deploy


def test_the_life_of_a_stack(entered: Entered) -> None:
    stacks, deploy = entered.stacks(ACCOUNT, REGION), deploying(entered, "life")
    assert stacks.read("life") is None
    made = deploy(template(One=queue(0)), team="platform")
    assert made is not None and (made.status, made.tags) == ("CREATE_COMPLETE", {"team": "platform"})
    assert (made.description, made) == ("of a test", stacks.read("life"))
    assert deploy(template(One=queue(0)), team="platform") is None
    changed = deploy(template(One=queue(3)), repairs=True, team="platform")
    assert changed is not None and changed.status == "UPDATE_COMPLETE"
    assert json.loads(stacks.template("life")) == json.loads(template(One=queue(3)))
    stacks.deleted(stacks.delete("life"))
    assert stacks.read("life") is None


def test_a_change_set_says_what_changes(entered: Entered) -> None:
    stacks, deploy = entered.stacks(ACCOUNT, REGION), deploying(entered, "changes")
    deploy(template(One=queue(0)))
    proposal = Proposal("changes", template(One=queue(3), Two={"Type": "AWS::SNS::Topic"}), {})
    change_set = stacks.propose(proposal)
    found = {one.logical_id: (one.action, one.type) for one in stacks.changes(change_set) or ()}
    assert found == {"One": ("Modify", "AWS::SQS::Queue"), "Two": ("Add", "AWS::SNS::Topic")}
    stacks.discard(proposal)
    stacks.deleted(stacks.delete("changes"))


def test_a_new_stack_that_fails_is_gone_and_its_first_failure_is_said(entered: Entered) -> None:
    with pytest.raises(StackFailed, match=r"fails in 111111111111/eu-central-1 failed: Role \(AWS::IAM::Role\): Scope"):
        deploying(entered, "fails")(template(Role=FAILS))
    assert entered.stacks(ACCOUNT, REGION).read("fails") is None


def test_a_change_set_that_nobody_executed_is_no_stack_and_in_nobodys_way(entered: Entered) -> None:
    stacks = entered.stacks(ACCOUNT, REGION)
    proposal = Proposal("review", template(One=queue(0)), {})
    stacks.propose(proposal)
    stacks.discard(proposal)
    left: ChangeSet = stacks.propose(Proposal("review", template(One=queue(0)), {}))
    assert left.id and stacks.read("review") is None
    assert deploying(entered, "review")(template(One=queue(0))) is not None
    stacks.deleted(stacks.delete("review"))


def test_a_template_may_come_from_the_bucket(entered: Entered) -> None:
    bucket, text = entered.bucket(ACCOUNT, REGION, "code"), template(One=queue(0))
    assert [bucket.put({"one.json": text.encode(), "two": b""}), bucket.put({"one.json": text.encode()})] == [2, 0]
    assert deploying(entered, "large")("", url=bucket.url("one.json")) is not None
    stacks = entered.stacks(ACCOUNT, REGION)
    stacks.deleted(stacks.delete("large"))


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_change_set_is_discarded_once_it_is_worked_out_with_a_stack_that_was_never_made(status: str) -> None:
    wire, states = Wire(), iter(["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    wire.answer("cloudformation:DescribeChangeSet", lambda _: {"Status": next(states)})
    for operation in ("DeleteChangeSet", "DeleteStack"):
        wire.answer(f"cloudformation:{operation}", lambda _: {})
    there = {"StackName": "one", "CreationTime": datetime.now(UTC), "StackStatus": status}
    wire.answer("cloudformation:DescribeStacks", lambda _: {"Stacks": [there]})
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), REGION, lambda _: None)
    stacks.discard(Proposal("one", "", {}, id="its-name"))
    calls = {call.operation: call.parameters for call in wire.calls}
    assert calls["DeleteChangeSet"] == {"ChangeSetName": "its-name", "StackName": "one"}
    done = [call.operation for call in wire.calls if call.operation != "DescribeStacks"]
    never_made = ["DeleteStack"] if status == "REVIEW_IN_PROGRESS" else []
    assert done == [*["DescribeChangeSet"] * 2, "DeleteChangeSet", *never_made]


def test_the_values_of_what_drifted_are_asked_for_and_what_says_the_same_is_no_change() -> None:
    wire = Wire()

    def changed(name: str, actual: str) -> Any:
        values = {"Drift": {"ActualValue": actual}, "AfterValue": "ENABLED", "Name": "State", "Attribute": "Properties"}
        change = {"LogicalResourceId": name, "ResourceType": "AWS::Events::Rule", "Action": "Modify"}
        return {"Type": "Resource", "ResourceChange": {**change, "Details": [{"Target": values}]}}

    changes = [changed("One", "ENABLED"), changed("Two", "DISABLED")]
    wire.answer("cloudformation:DescribeChangeSet", lambda _: {"Status": "CREATE_COMPLETE", "Changes": changes})
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), REGION, lambda _: None)
    found = stacks.changes(ChangeSet("its-id", "one"))
    assert [one.logical_id for one in found or ()] == ["Two"]
    assert wire.calls[-1].parameters["IncludePropertyValues"] is True
    del changes[1]
    assert stacks.changes(ChangeSet("its-id", "one")) is None, "there is nothing to do"
    del changes[0]
    assert stacks.changes(ChangeSet("its-id", "one")) == [], "outputs alone"


def test_a_change_set_that_may_not_read_what_is_there_says_whose_rights_are_missing() -> None:
    wire, user = Wire(), "User: arn:aws:iam::111111111111:user/a"
    reason = f"{user} is not authorized to perform: iam:GetRole (Service: Iam, Status Code: 403)"
    wire.answer("cloudformation:DescribeChangeSet", lambda _: {"Status": "FAILED", "StatusReason": reason})
    wire.answer("cloudformation:DescribeEvents", lambda _: {"OperationEvents": []})
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), REGION, lambda _: None)
    with pytest.raises(StackFailed) as failed:
        stacks.changes(ChangeSet("its-id", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/one/2c1"))
    assert failed.value.message == f"one in {REGION} failed: the change set: {reason}"
    assert failed.value.remedy.startswith("give these credentials both deployer-policy*.json")


@pytest.mark.parametrize(
    ("reason", "is_nothing"),
    [
        ("The submitted information didn't contain changes. Submit different information to create it.", True),
        ("No updates are to be performed.", True),
        ("There is no drift to revert.", True),
        ("Resource handler returned: no changes are allowed by the policy of this account", False),
        ("User: a is not authorized to perform: iam:GetRole; no updates", False),
        ("", False),
    ],
)
def test_a_change_set_that_failed_has_nothing_to_do_where_aws_begins_by_saying_so(
    reason: str, *, is_nothing: bool
) -> None:
    wire = Wire()
    wire.answer("cloudformation:DescribeChangeSet", lambda _: {"Status": "FAILED", "StatusReason": reason})
    wire.answer("cloudformation:DescribeEvents", lambda _: {"OperationEvents": []})
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), REGION, lambda _: None)
    change_set = ChangeSet("its-id", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/one/2c1")
    if is_nothing:
        assert stacks.changes(change_set) is None
    else:
        with pytest.raises(StackFailed):
            stacks.changes(change_set)


def test_what_somebody_else_put_under_a_key_of_ours_is_replaced(entered: Entered) -> None:
    bucket = entered.bucket(ACCOUNT, REGION, "code")
    assert [bucket.put({"three": data}) for data in (b"theirs", b"ours", b"ours")] == [1, 1, 0]


def test_what_aws_refuses_is_a_failure(entered: Entered) -> None:
    with pytest.raises(Failure, match="does not exist"):
        entered.stacks(ACCOUNT, REGION).template("nothing")


def test_the_instances_of_sets_that_have_not_succeeded_are_listed_with_their_reasons() -> None:
    wire = Wire()
    one = {"Account": "222222222222", "Region": "us-east-1", "Status": "OUTDATED", "StatusReason": "it is there"}
    pages: dict[str, dict[str, Any]] = {
        "": {"Summaries": [{**one, "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"}}], "NextToken": "next"},
        "next": {"Summaries": [{**one, "StackInstanceStatus": {"DetailedStatus": "FAILED"}}, one]},
    }
    wire.answer("cloudformation:ListStackInstances", lambda call: pages[call.parameters.get("NextToken", "")])
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), f"{ACCOUNT}/{REGION}", lambda _: None)
    found = stacks.unfinished(["ecr-warden-member"], "DELEGATED_ADMIN")
    assert [(instance.account, instance.status, instance.reason) for instance in found] == [
        ("222222222222", "FAILED", "it is there"),
        ("222222222222", "OUTDATED", "it is there"),
    ]


def test_a_stack_under_way_is_awaited_however_long_it_takes() -> None:
    wire, looks = Wire(), iter(["UPDATE_IN_PROGRESS"] * 1500 + ["UPDATE_COMPLETE"])
    described = {"StackName": "one", "StackId": "stack/one/1"}
    wire.answer("cloudformation:DescribeStacks", lambda _: {"Stacks": [{**described, "StackStatus": next(looks)}]})
    stacks = AwsStacks(wire.session.client("cloudformation", REGION), f"{ACCOUNT}/{REGION}", lambda _: None)
    settled = stacks.settled("one")
    assert settled is not None
    assert settled.status == "UPDATE_COMPLETE"
