"""Pages, lags, rates and switches as a client meets them in the emulator."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.behaviour.switches import Switches
from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REPOSITORY, NewAccount, allow, code_of, policy, said, trust


@pytest.fixture(autouse=True)
def as_last_seen(aws: EmulatedAws) -> Iterator[None]:
    """No switch outlives its test."""
    yield
    aws.set_switches(Switches())


def named(pages: Any, of: str, key: str) -> list[list[str]]:
    """The names on each page."""
    return [[one[key] for one in page.get(of, ())] for page in pages]


def test_account_details_and_lists_come_in_short_pages(aws: EmulatedAws, new_account: NewAccount) -> None:
    iam = aws.client(new_account(), "iam")
    for name in ("u1", "u2", "u3"):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(allow("ecr:*", "<&>")))
    for name in ("r1", "r2"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust({"Service": "ec2.amazonaws.com"})))
        for inline in ("a", "b", "c"):
            iam.put_role_policy(RoleName=name, PolicyName=inline, PolicyDocument=policy(allow("ecr:*")))
    whole = iam.get_account_authorization_details(Filter=["User", "Role"])
    assert not whole["IsTruncated"]
    aws.set_switches(Switches(short_pages=2))
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(Filter=["User", "Role"]))
    assert [(len(page["UserDetailList"]), len(page["RoleDetailList"])) for page in pages] == [(2, 0), (1, 1), (0, 1)]
    users = [user for page in pages for user in page["UserDetailList"]]
    assert users == whole["UserDetailList"]
    assert [role for page in pages for role in page["RoleDetailList"]] == whole["RoleDetailList"]
    listed = named(iam.get_paginator("list_roles").paginate(), "Roles", "RoleName")
    assert sorted(name for page in listed for name in page) == ["r1", "r2"]
    found = [page["PolicyNames"] for page in iam.get_paginator("list_role_policies").paginate(RoleName="r1")]
    assert found == [["a", "b"], ["c"]]
    with pytest.raises(ClientError) as error:
        iam.list_roles(MaxItems=1001)
    assert code_of(error) == "ValidationError"


def test_a_read_lags_a_write(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    ecr, iam = aws.client(account, "ecr"), aws.client(account, "iam")
    ecr.create_repository(repositoryName=REPOSITORY)
    iam.create_user(UserName="u")
    aws.set_switches(Switches(read_lag=1.0))
    text = policy({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=text)
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))
    with pytest.raises(ClientError) as error:
        ecr.get_repository_policy(repositoryName=REPOSITORY)
    assert code_of(error) == "RepositoryPolicyNotFoundException"
    with pytest.raises(ClientError) as error:
        iam.get_user_policy(UserName="u", PolicyName="p")
    assert said(error) == "The user policy with name p cannot be found."
    until(lambda: iam.list_user_policies(UserName="u")["PolicyNames"] == ["p"], what="the policy")
    until(lambda: policy_of(ecr), what="the repository's policy")


def policy_of(ecr: Any) -> Any:
    try:
        return json.loads(ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"])
    except ClientError:
        return None
