"""Whole accounts read for a snapshot: AWS's answers joined, and what is denied noted with its call."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

import boto3
import pytest
from botocore.exceptions import ClientError
from ecr_warden.adapters.aws.accounts import SessionClients
from ecr_warden.adapters.aws.deadline import Patience
from ecr_warden.adapters.aws.estate import read_account
from ecr_warden.model.codec.snapshot import estate_from_text
from ecr_warden.model.estate import Account
from moto import mock_aws

REGION = "eu-central-1"
ACCOUNT = "123456789012"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}


class _Clients:
    """Moto's clients; calls in `denied` are refused, and GetAccountSetting, which moto lacks, is answered."""

    def __init__(self, *denied: str) -> None:
        self._clients = SessionClients(boto3.Session())
        self._denied = denied

    @property
    def iam(self) -> Any:
        return _Client(self._clients.iam, self._denied)

    def ecr(self, region: str) -> Any:
        return _Client(self._clients.ecr(region), self._denied)


class _Client:
    def __init__(self, client: Any, denied: tuple[str, ...]) -> None:
        self._client = client
        self._denied = denied

    def __getattr__(self, name: str) -> Any:
        if name in self._denied:
            return partial(_refuse, name)
        return getattr(self._client, name)

    def get_account_setting(self, name: str) -> dict[str, str]:
        if "get_account_setting" in self._denied:
            _refuse("get_account_setting")
        return {"name": name, "value": "V2"}


def _refuse(operation: str, **_: object) -> NoReturn:
    message = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: ecr:{operation}"
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)


def _read(*denied: str) -> dict[str, Any]:
    return read_account(_Clients(*denied), ACCOUNT, (REGION,), Patience())


def _account(*denied: str) -> Account:
    text = json.dumps({"schema": 1, "accounts": {ACCOUNT: _read(*denied)}})
    return estate_from_text(text, at=NOW).accounts[ACCOUNT]


@pytest.fixture
def made() -> Any:
    with mock_aws():
        iam, ecr = boto3.client("iam"), boto3.client("ecr", region_name=REGION)
        iam.create_user(UserName="ann", Path="/ci/")
        iam.create_group(GroupName="team")
        iam.put_group_policy(GroupName="team", PolicyName="own", PolicyDocument=json.dumps(_allow("ecr:*")))
        iam.add_user_to_group(GroupName="team", UserName="ann")
        iam.create_role(RoleName="push", AssumeRolePolicyDocument=json.dumps(_trust()))
        for name in ("app", "bare"):
            ecr.create_repository(repositoryName=name)
        ecr.set_repository_policy(repositoryName="app", policyText=json.dumps(PULL))
        yield


def _allow(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def _trust() -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.usefixtures("made")
def test_an_account_is_read_into_an_estate() -> None:
    account = _account()
    user = account.identities[f"arn:aws:iam::{ACCOUNT}:user/ci/ann"]
    assert [policy.name for policy in user.policies] == ["identity policy own of group team"]
    assert account.identities[f"arn:aws:iam::{ACCOUNT}:role/push"].trust is not None
    repositories = account.registries[REGION].repositories
    assert repositories["app"].policy is not None
    assert repositories["bare"].policy is None
    assert account.registries[REGION].policy is None
    assert account.unread == ()


DENIED = {
    "get_account_authorization_details": "iam:GetAccountAuthorizationDetails",
    "get_registry_policy": "ecr:GetRegistryPolicy",
    "get_repository_policy": "ecr:GetRepositoryPolicy",
    "get_account_setting": "ecr:GetAccountSetting",
}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("operation", DENIED)
def test_a_call_that_is_denied_is_named_and_stops_no_other(operation: str) -> None:
    account = _account(operation)
    assert {one.what.partition(" in ")[0] for one in account.unread} >= {DENIED[operation]}
    registry = account.registries[REGION]
    assert set(registry.repositories) == {"app", "bare"}
    assert account.is_listed is (operation != "get_account_authorization_details")
    unread = {
        name for name, one in registry.repositories.items() if one.policy and not hasattr(one.policy.document, "text")
    }
    assert unread == ({"app", "bare"} if operation == "get_repository_policy" else set())
    assert (registry.policy is not None) is (operation == "get_registry_policy")
