"""The behaviour rules as a client meets them in the emulator."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REPOSITORY, NewAccount, allow, code_of, policy, said, trust


def pull(*principals: str) -> str:
    return policy({"Effect": "Allow", "Principal": {"AWS": [*principals]}, "Action": "ecr:BatchGetImage"})


def aws_principals(text: str) -> list[str]:
    found = json.loads(text)["Statement"][0]["Principal"]["AWS"]
    return [found] if isinstance(found, str) else list(found)


def test_ecr_answers_and_keeps_its_own_spelling(aws: EmulatedAws, new_account: NewAccount) -> None:
    account, home = new_account(), new_account()
    user = aws.client(home, "iam").create_user(UserName="ci")["User"]["Arn"]
    ecr = aws.client(account, "ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    answer = ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=pull(user, account))
    read = ecr.get_repository_policy(registryId=account, repositoryName=REPOSITORY)
    assert read["policyText"] == answer["policyText"]
    assert read["policyText"].startswith('{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n')
    assert sorted(aws_principals(read["policyText"])) == sorted([user, f"arn:aws:iam::{account}:root"])


def test_ecr_refuses_principals_until_they_exist_and_are_visible(aws: EmulatedAws, new_account: NewAccount) -> None:
    account, home = new_account(), new_account()
    ecr, iam = aws.client(account, "ecr"), aws.client(home, "iam")
    ecr.create_repository(repositoryName=REPOSITORY)
    ghost = f"arn:aws:iam::{home}:user/ci"
    with pytest.raises(ClientError) as error:
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=pull(ghost))
    assert code_of(error) == "InvalidParameterException"
    assert said(error) == "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"
    aws.set_propagation(3600)
    try:
        iam.create_user(UserName="ci")
        with pytest.raises(ClientError):
            ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=pull(ghost))
        aws.set_propagation(1)
        until(lambda: taken(ecr, ghost), what="the new user")
    finally:
        aws.set_propagation(0)


def taken(ecr: Any, principal: str) -> bool:
    try:
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=pull(principal))
    except ClientError:
        return False
    return True


def test_a_deleted_user_is_shown_by_id_and_its_namesake_has_no_access(
    aws: EmulatedAws, new_account: NewAccount
) -> None:
    account, home = new_account(), new_account()
    iam, users, ecr = aws.client(account, "iam"), aws.client(home, "iam"), aws.client(account, "ecr")
    user = users.create_user(UserName="ci")["User"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust({"AWS": user["Arn"]})))["Role"]["Arn"]
    ecr.create_repository(repositoryName=REPOSITORY)
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=pull(user["Arn"]))
    users.delete_user(UserName="ci")
    again = users.create_user(UserName="ci")["User"]
    users.put_user_policy(UserName="ci", PolicyName="p", PolicyDocument=policy(allow("sts:AssumeRole")))
    assert again["UserId"] != user["UserId"]

    trusted = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]
    assert trusted["Statement"][0]["Principal"]["AWS"] == user["UserId"]
    text = ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    assert aws_principals(text) == [user["UserId"]]
    sts = aws.user_client(home, "ci", "sts")
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=role, RoleSessionName="x1")
    assert code_of(error) == "AccessDenied"
    with pytest.raises(ClientError):  # what was read cannot be sent back
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=text)
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=policy(trust({"AWS": again["Arn"]})))
    sts.assume_role(RoleArn=role, RoleSessionName="x1")


def test_a_user_with_policies_cannot_be_deleted(aws: EmulatedAws, new_account: NewAccount) -> None:
    iam = aws.client(new_account(), "iam")
    iam.create_user(UserName="ci")
    iam.put_user_policy(UserName="ci", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))
    with pytest.raises(ClientError) as error:
        iam.delete_user(UserName="ci")
    assert code_of(error) == "DeleteConflict"
    iam.delete_user_policy(UserName="ci", PolicyName="p")
    iam.delete_user(UserName="ci")
