"""Counting and steering: what was called, faults, schedules, forged events."""

import json

import pytest
from botocore.exceptions import ClientError

from local.aws.calls import Count, counted
from local.aws.faults import Delay, Fail, Fault
from local.aws.launcher import ControlRefused, EmulatedAws
from tests.local.support import REGION, REPOSITORY, Inbox, NewAccount, allow, code_of, drained, policy, said, trust


def test_calls_are_counted_by_who_where_and_what(aws: EmulatedAws, new_account: NewAccount) -> None:
    account, home = new_account(), new_account()
    user = aws.client(home, "iam").create_user(UserName="ci")["User"]["Arn"]
    aws.client(home, "iam").put_user_policy(UserName="ci", PolicyName="a", PolicyDocument=policy(allow("sts:*")))
    iam = aws.client(account, "iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust({"AWS": user})))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=policy(allow("ecr:*")))
    sts = aws.user_client(home, "ci", "sts")
    mark = aws.mark()
    ecr = aws.assumed_client(sts.assume_role(RoleArn=role, RoleSessionName="x1")["Credentials"], "ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    for _ in range(2):
        ecr.describe_repositories()
    with pytest.raises(ClientError):
        ecr.delete_repository_policy(repositoryName=REPOSITORY)

    session = f"arn:aws:sts::{account}:assumed-role/r/x1"
    mine = [call for call in aws.calls(mark) if call.account in (account, home)]
    assert counted(mine) == {
        Count(home, "sts", "AssumeRole", user): 1,
        Count(account, "ecr", "CreateRepository", session): 1,
        Count(account, "ecr", "DescribeRepositories", session): 2,
        Count(account, "ecr", "DeleteRepositoryPolicy", session): 1,
    }
    assert mine[0].owner == account
    assert [call.sequence for call in mine] == sorted(call.sequence for call in mine)
    assert mine[-1].error == "RepositoryPolicyNotFoundException"
    # A read, and a write that failed, are no writes.
    assert [call.action for call in aws.writes_since(mark, account=account)] == ["CreateRepository"]
    assert aws.writes_since(mark, service="iam", account=account) == ()


def test_a_mark_outlives_a_reset(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    iam.create_user(UserName="a")
    mark = aws.mark()
    aws.reset_counts()
    assert aws.calls() == ()
    iam.create_user(UserName="b")
    assert [call.parameters for call in aws.calls(mark)] == [{"userName": "b"}]
    assert aws.mark() == mark + 1


def test_the_nth_call_fails_and_the_others_do_not(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    ecr = aws.client(account, "ecr")
    aws.add_fault(Fault("ecr", "CreateRepository", Fail("ServerException", "out of order"), account=account, nth=2))
    ecr.create_repository(repositoryName="a1")
    with pytest.raises(ClientError) as error:
        ecr.create_repository(repositoryName="a2")
    assert (code_of(error), said(error)) == ("ServerException", "out of order")
    ecr.create_repository(repositoryName="a3")
    names = [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]
    assert names == ["a1", "a3"]
    assert [(one.matched, one.reached) for one in aws.faults()] == [(3, 1)]


def test_an_answer_can_be_lost_after_the_call_took_effect(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    lost = Fail("ServiceUnavailable", "no answer", status=400, after=True)
    aws.add_fault(Fault("iam", "CreateUser", lost, account=account))
    with pytest.raises(ClientError) as error:
        iam.create_user(UserName="ci")
    assert code_of(error) == "ServiceUnavailable"
    assert iam.get_user(UserName="ci")["User"]["UserName"] == "ci"


def test_a_fault_can_be_for_one_principal_alone_and_says_if_it_was_never_reached(
    aws: EmulatedAws, new_account: NewAccount
) -> None:
    account = new_account()
    nobody = Fault("ecr", "*", Fail("X"), account=account, principal="arn:aws:sts::*:assumed-role/ecr-warden-write/*")
    fault_id = aws.add_fault(nobody)
    aws.client(account, "ecr").describe_repositories()
    (state,) = aws.faults()
    assert (state.fault_id, state.fault, state.matched, state.reached) == (fault_id, nobody, 0, 0)
    aws.clear_faults()
    assert aws.faults() == ()


def test_calls_can_be_slow(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    aws.add_fault(Fault("ecr", "Describe*", Delay(150), account=account))
    mark = aws.mark()
    for _ in range(2):
        aws.client(account, "ecr").describe_repositories()
    slow, fast = (call.milliseconds for call in aws.calls(mark))
    assert slow >= 150 > fast


def test_a_schedule_can_be_fired(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    events, sqs = aws.client(account, "events"), aws.client(account, "sqs")
    url = sqs.create_queue(QueueName="sweep")["QueueUrl"]
    rule = events.put_rule(Name="sweep", ScheduleExpression="rate(15 minutes)")["RuleArn"]
    events.put_targets(Rule="sweep", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{account}:sweep"}])
    aws.fire_schedule(account, REGION, "sweep")
    (event,) = drained(sqs, url)
    assert (event["source"], event["detail-type"], event["resources"]) == ("aws.events", "Scheduled Event", [rule])
    events.disable_rule(Name="sweep")
    with pytest.raises(ControlRefused, match="no enabled schedule sweep"):
        aws.fire_schedule(account, REGION, "sweep")


def test_an_event_of_aws_can_be_forged_here_and_by_no_client(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    inbox = Inbox(aws, account, REGION, {"source": ["aws.health"]})
    aws.put_aws_event(account, REGION, "aws.health", "AWS Health Event", {"service": "ECR"})
    (event,) = inbox.next()
    assert event["detail"] == {"service": "ECR"}
    entry = {"Source": "aws.health", "DetailType": "AWS Health Event", "Detail": json.dumps({})}
    answer = aws.client(account, "events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
