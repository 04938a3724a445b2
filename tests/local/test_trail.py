"""CloudTrail's records on the default bus."""

import json

import pytest
from botocore.exceptions import ClientError

from local.aws.faults import EventLate, Fault
from local.aws.launcher import EmulatedAws
from tests.local.support import REGION, REPOSITORY, Inbox, NewAccount, allow, code_of, policy, trust

ECR = {"source": ["aws.ecr"], "detail-type": ["AWS API Call via CloudTrail"]}
IAM = {"source": ["aws.iam"]}
ANYBODY = policy({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})


def test_a_repository_policy_is_recorded_as_aws_does(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    user = iam.create_user(UserName="dev", Path="/people/")["User"]
    iam.put_user_policy(UserName="dev", PolicyName="all", PolicyDocument=policy(allow("ecr:*")))
    ecr = aws.user_client(account, "dev", "ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    inbox = Inbox(aws, account, REGION, ECR)
    answer = ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=ANYBODY)
    (event,) = inbox.next()
    detail = event["detail"]
    assert (event["account"], event["region"], event["source"]) == (account, REGION, "aws.ecr")
    assert event["resources"] == []
    assert detail["eventName"] == "SetRepositoryPolicy"
    assert detail["eventSource"] == "ecr.amazonaws.com"
    assert detail["recipientAccountId"] == account
    assert detail["requestParameters"] == {"force": False, "repositoryName": REPOSITORY, "policyText": ANYBODY}
    assert detail["responseElements"]["policyText"] == answer["policyText"] != ANYBODY
    arn = f"arn:aws:ecr:{REGION}:{account}:repository/{REPOSITORY}"
    assert detail["resources"] == [{"accountId": account, "ARN": arn}]
    assert "errorCode" not in detail
    identity = detail["userIdentity"]
    assert (identity["type"], identity["arn"], identity["principalId"], identity["userName"]) == (
        *("IAMUser", user["Arn"], user["UserId"]),
        "dev",
    )


def test_iam_is_recorded_in_us_east_1_with_the_session_behind_it(aws: EmulatedAws, new_account: NewAccount) -> None:
    account, home = new_account(), new_account()
    user = aws.client(home, "iam").create_user(UserName="dev")["User"]["Arn"]
    enter = policy(allow(["sts:AssumeRole", "sts:SetSourceIdentity"]))
    aws.client(home, "iam").put_user_policy(UserName="dev", PolicyName="enter", PolicyDocument=enter)
    iam = aws.client(account, "iam")
    opened = policy(trust({"AWS": user}, ["sts:AssumeRole", "sts:SetSourceIdentity"]))
    role = iam.create_role(RoleName="admin", Path="/ecr-warden/", AssumeRolePolicyDocument=opened)["Role"]
    iam.put_role_policy(RoleName="admin", PolicyName="all", PolicyDocument=policy(allow("iam:*")))
    session = aws.user_client(home, "dev", "sts").assume_role(
        RoleArn=role["Arn"], RoleSessionName="ecrw-7", SourceIdentity="ecrw-7"
    )
    assert session["SourceIdentity"] == "ecrw-7"
    inbox = Inbox(aws, account, "us-east-1", IAM)
    elsewhere = Inbox(aws, account, REGION, IAM)
    tags = [{"Key": "a", "Value": "b"}]
    aws.assumed_client(session["Credentials"], "iam").create_role(
        RoleName="made", AssumeRolePolicyDocument=opened, MaxSessionDuration=7200, Tags=tags
    )
    (event,) = inbox.next()
    detail = event["detail"]
    assert (event["region"], detail["awsRegion"]) == ("us-east-1", "us-east-1")
    assert detail["requestParameters"]["assumeRolePolicyDocument"] == opened
    assert detail["requestParameters"]["maxSessionDuration"] == 7200
    assert detail["requestParameters"]["tags"] == [{"key": "a", "value": "b"}]
    assert detail["responseElements"]["role"]["roleName"] == "made"
    identity = detail["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == f"arn:aws:sts::{account}:assumed-role/admin/ecrw-7"
    assert identity["principalId"] == f"{role['RoleId']}:ecrw-7"
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["arn"], issuer["principalId"], issuer["userName"]) == (role["Arn"], role["RoleId"], "admin")
    assert identity["sessionContext"]["sourceIdentity"] == "ecrw-7"
    assert elsewhere.taken() == []


def test_an_iam_call_without_answer_has_null_elements(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    iam.create_user(UserName="dev")
    inbox = Inbox(aws, account, "us-east-1", IAM)
    iam.put_user_policy(UserName="dev", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))
    (event,) = inbox.next()
    expected = {"userName": "dev", "policyName": "p", "policyDocument": policy(allow("ecr:*"))}
    assert event["detail"]["requestParameters"] == expected
    assert event["detail"]["responseElements"] is None
    assert event["detail"]["userIdentity"]["type"] == "Root"


def test_a_denied_call_is_recorded_and_a_read_is_not(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    aws.client(account, "ecr").create_repository(repositoryName=REPOSITORY)
    aws.client(account, "iam").create_user(UserName="dev")
    ecr = aws.user_client(account, "dev", "ecr")
    inbox = Inbox(aws, account, REGION, ECR)
    with pytest.raises(ClientError) as error:
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=ANYBODY)
    assert code_of(error) == "AccessDeniedException"
    aws.client(account, "ecr").describe_repositories()
    (event,) = inbox.next()
    assert event["detail"]["errorCode"] == "AccessDenied"
    assert "not authorized to perform: ecr:SetRepositoryPolicy" in event["detail"]["errorMessage"]
    assert event["detail"]["responseElements"] is None
    assert event["detail"]["requestParameters"]["repositoryName"] == REPOSITORY
    assert inbox.taken() == []


def test_disabling_a_rule_is_recorded(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    inbox = Inbox(aws, account, REGION, {"source": ["aws.events"], "detail": {"eventName": ["DisableRule"]}})
    events = aws.client(account, "events")
    events.put_rule(Name="watch", EventPattern=json.dumps(ECR))
    events.disable_rule(Name="watch")
    (event,) = inbox.next()
    assert event["detail"]["requestParameters"] == {"name": "watch"}


def test_events_can_be_late(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    ecr = aws.client(account, "ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    inbox = Inbox(aws, account, REGION, ECR)
    aws.add_fault(Fault("ecr", "SetRepositoryPolicy", EventLate(300), account=account))
    for sid in ("late", "next"):
        text = policy({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "ecr:*"})
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=text)
    events = inbox.next(2)
    order = [json.loads(event["detail"]["requestParameters"]["policyText"])["Statement"][0]["Sid"] for event in events]
    assert order == ["next", "late"]
