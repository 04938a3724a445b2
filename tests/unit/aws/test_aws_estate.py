"""Whole accounts read for a snapshot: AWS's answers joined, and what is denied noted with its call."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from ecr_warden.aws.accounts import SessionClients
from ecr_warden.collect.aws_estate import OVER_ALL, AwsEstateReader
from ecr_warden.collect.estate import Needed, with_tags
from ecr_warden.core.codec.accounts import LIST_CALL, POLICY_CALL, REGISTRY_CALL, joined
from ecr_warden.core.estate import EcrAccount
from ecr_warden.core.failures import AccountUnreachable, Unanswered
from ecr_warden.core.target import RepositoryTarget
from iam_access.inventory.accounts import (
    AUDIENCES_CALL,
    IAM_CALL,
    OF_AWS_CALL,
    ORGANIZATION_CALL,
    PROVIDERS_CALL,
    ROLES_CALL,
    SAML_CALL,
    TEXT_CALL,
)
from iam_access.inventory.inventory import NO_ORGANIZATION, Organization, PolicyOfAws, Unread
from iam_access.inventory.printed import with_texts
from local.aws.behaviour.of_aws import PUBLISHED
from local.aws.behaviour.registries import Registries
from local.aws.realistic_moto import RealisticMoto
from tests.contracts.aws import Call, Wire, moto, new_session
from tests.snapshots import estate_from_text

MOTO = RealisticMoto()
COPIES: Any = {"rules": [{"destinations": [{"region": "us-east-1", "registryId": "999999999999"}]}]}
REGION = "eu-central-1"
ACCOUNT = "123456789012"
PART = f"{ACCOUNT}/{REGION}"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PROVIDERS: dict[str, tuple[str, ...]] = {
    f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example.com": ("a", "b"),
    f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com": ("sts.amazonaws.com",),
}
GONE = [*[*PROVIDERS][1:], f"arn:aws:iam::{ACCOUNT}:oidc-provider/gone.example.com"]
READ_ONLY, POWER_USER = (f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "PowerUserAccess"))
BOB, PUSH = f"arn:aws:iam::{ACCOUNT}:user/bob", f"arn:aws:iam::{ACCOUNT}:role/push"
PULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}


class _Accounts:
    """One account on moto; calls in `denied` are refused, those in `throttled` too, but may pass."""

    def __init__(self, *denied: str, throttled: bool = False, closed: bool = False) -> None:
        session = new_session()
        self.wire = Wire(session)
        MOTO.hook(session)
        for call in denied:
            if throttled:
                self.wire.fail(call, "ThrottlingException", "Rate exceeded")
            else:
                self.wire.fail(call, "AccessDeniedException", _DENIED.format(call))
        self._clients = SessionClients(session)
        self._closed = closed

    def reader(self, account: str) -> SessionClients:
        if self._closed:
            raise AccountUnreachable(f"no way into {account}")
        return self._clients

    def writer(self, account: str, run_id: str, session_policy: str) -> SessionClients:
        raise AssertionError((account, run_id, session_policy))


_DENIED = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {{}}"


def _read(accounts: _Accounts) -> dict[str, Any]:
    reader = AwsEstateReader(accounts, sleep=lambda _: None)
    reading = reader.identities(ACCOUNT, {})
    pieces = {
        ACCOUNT: with_texts(reading.entry, reading.texts.get),
        f"{ACCOUNT}/{REGION}": reader.registry(ACCOUNT, REGION, {}).entry,
    }
    return joined(pieces)[ACCOUNT]


def _account(*denied: str) -> EcrAccount:
    text = json.dumps({"schema": 1, "accounts": {ACCOUNT: _read(_Accounts(*denied))}})
    return estate_from_text(text, at=NOW).accounts[ACCOUNT]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto(monkeypatch):
        session = new_session()
        MOTO.registries = Registries()
        MOTO.hook(session)
        iam, ecr = session.client("iam"), session.client("ecr", region_name=REGION)
        iam.create_user(UserName="ann", Path="/ci/")
        iam.create_group(GroupName="team")
        iam.put_group_policy(GroupName="team", PolicyName="own", PolicyDocument=json.dumps(_allow("ecr:*")))
        iam.add_user_to_group(GroupName="team", UserName="ann")
        iam.create_user(UserName="bob")
        iam.attach_user_policy(UserName="bob", PolicyArn=READ_ONLY)
        iam.create_role(RoleName="push", AssumeRolePolicyDocument=json.dumps(_trust()), PermissionsBoundary=POWER_USER)
        for arn, audiences in PROVIDERS.items():
            url = f"https://{arn.partition(':oidc-provider/')[2]}"
            iam.create_open_id_connect_provider(Url=url, ClientIDList=audiences, ThumbprintList=["0" * 40])
        for name in ("app", "bare"):
            ecr.create_repository(repositoryName=name)
        ecr.set_repository_policy(repositoryName="app", policyText=json.dumps(PULL))
        tags: Any = [{"Key": "team", "Value": "shop"}, {"Key": "ManagedBy", "Value": "Terraform"}]
        ecr.tag_resource(resourceArn=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app", tags=tags)
        ecr.put_replication_configuration(replicationConfiguration=COPIES)
        ecr.create_repository_creation_template(prefix="ROOT", appliedFor=["REPLICATION"])
        ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="hub", upstreamRegistryUrl="registry-1.docker.io")
        yield


def _role(name: str, day: int) -> dict[str, Any]:
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "RoleLastUsed": {"LastUsedDate": datetime(2026, 1, day, tzinfo=UTC), "Region": REGION},
    }


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


@pytest.mark.usefixtures("made")
def test_what_holds_for_a_whole_registry_is_read_as_aws_prints_it() -> None:
    registry = _read(_Accounts())["ecr"][REGION]
    assert registry["registryPolicy"] is None
    assert registry["accountSettings"] == {"REGISTRY_POLICY_SCOPE": "V2"}
    assert registry["replicationConfiguration"] == COPIES
    assert [one["prefix"] for one in registry["creationTemplates"]] == ["ROOT"]
    assert [one["ecrRepositoryPrefix"] for one in registry["pullThroughCacheRules"]] == ["hub"]


@pytest.mark.usefixtures("made")
def test_a_registry_takes_six_calls_and_one_for_each_policy_that_is_not_known() -> None:
    accounts = _Accounts()
    reader = AwsEstateReader(accounts)
    reading = reader.registry(ACCOUNT, REGION, {"app": "known", "gone": None})
    assert reading.entry["repositories"] == [
        {"repositoryName": "app", "policy": "known"},
        {"repositoryName": "bare", "policy": None},
    ]
    assert Counter(accounts.wire.actions) == Counter({*OVER_ALL, "ecr:DescribeRepositories", "ecr:GetRepositoryPolicy"})
    assert len(OVER_ALL) == 5


@pytest.mark.usefixtures("made")
def test_tags_take_a_call_for_each_repository() -> None:
    accounts = _Accounts()
    reader = AwsEstateReader(accounts)
    reading = with_tags(reader, PART, reader.registry(ACCOUNT, REGION, {}))
    assert [(one["repositoryName"], one["tags"]) for one in reading.entry["repositories"]] == [
        ("app", [{"Key": "ManagedBy", "Value": "Terraform"}, {"Key": "team", "Value": "shop"}]),
        ("bare", []),
    ]
    assert Counter(accounts.wire.actions)["ecr:ListTagsForResource"] == 2


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("throttled", [True, False])
def test_tags_that_cannot_be_read_leave_nothing_else_unread(throttled: bool) -> None:
    accounts = _Accounts("ecr:ListTagsForResource", throttled=throttled)
    reader = AwsEstateReader(accounts, sleep=lambda _: None)
    reading = with_tags(reader, PART, reader.registry(ACCOUNT, REGION, {}))
    assert reading.passing is None
    assert "unread" not in reading.entry
    assert [one.keys() for one in reading.entry["repositories"]] == [{"repositoryName", "policy"}] * 2


@pytest.mark.usefixtures("made")
def test_identities_take_one_call_per_thousand_and_one_for_each_policy_of_aws_that_is_not_known() -> None:
    accounts = _Accounts()
    reading = AwsEstateReader(accounts).identities(ACCOUNT, {})
    iam = reading.entry["iam"]
    first = [IAM_CALL, ROLES_CALL, *[OF_AWS_CALL] * 2]
    last = [PROVIDERS_CALL, *[AUDIENCES_CALL] * len(PROVIDERS), SAML_CALL, ORGANIZATION_CALL]
    assert accounts.wire.actions == [*first, *[TEXT_CALL] * 2, *last]
    assert accounts.wire.calls[0].parameters["Filter"] == ("User", "Role", "Group", "LocalManagedPolicy")
    accounts = _Accounts()
    again = AwsEstateReader(accounts).identities(ACCOUNT, {(one.arn, one.version): one.digest for one in reading.texts})
    assert accounts.wire.actions == [*first, *last]
    assert (again.entry, again.texts) == (reading.entry, {})
    assert [user["UserName"] for user in iam["UserDetailList"]] == ["bob", "ann"], "by ARN, with the path"
    assert json.loads(json.dumps(iam)) == iam


@pytest.mark.usefixtures("made")
def test_policies_of_aws_are_read_in_the_version_in_effect_and_apart_from_the_account() -> None:
    reading = AwsEstateReader(_Accounts()).identities(ACCOUNT, {})
    assert {one.arn: one.version for one in reading.texts} == {READ_ONLY: "v190", POWER_USER: "v8"}
    for policy, text in reading.texts.items():
        assert json.loads(text) == json.loads(PUBLISHED[policy.arn].text(policy.version))
        assert policy == PolicyOfAws.of(policy.arn, policy.version, text)
    assert len(json.dumps(reading.entry)) < 10_000, "and not with the account"
    account = _account()
    [attached] = account.identities[BOB].policies
    boundary = account.identities[PUSH].boundary
    assert [len(one.statements) for one in (attached, boundary) if one] == [1, 1]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("denied", [OF_AWS_CALL, TEXT_CALL])
def test_policies_of_aws_that_cannot_be_read_are_unread_where_they_apply_and_nothing_else_is(denied: str) -> None:
    account = _account(denied)
    assert [one.what for one in account.unread] == [f"{denied} in account {ACCOUNT}"]
    assert account.is_listed
    policies = [*account.identities[BOB].policies, account.identities[PUSH].boundary]
    documents = [one.document for one in policies if one]
    assert [one.why for one in documents if isinstance(one, Unread)] == ["permission-missing"] * 2
    assert all(one.statements for one in account.identities[f"arn:aws:iam::{ACCOUNT}:user/ci/ann"].policies)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("call", [OF_AWS_CALL, TEXT_CALL, PROVIDERS_CALL, AUDIENCES_CALL])
def test_policies_of_aws_and_providers_that_cannot_be_read_for_a_moment_are_tried_again(call: str) -> None:
    reader = AwsEstateReader(_Accounts(call, throttled=True), sleep=lambda _: None)
    assert reader.identities(ACCOUNT, {}).passing is not None


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(("is_attached", "versions"), [(True, ["v1", "v2"]), (False, ["v2"])])
def test_of_a_policy_that_nobody_has_only_the_version_in_effect_is_read(is_attached: bool, versions: list[str]) -> None:
    iam = new_session().client("iam")
    arn = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(_allow("ecr:*")))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(_allow("s3:*")), SetAsDefault=True)
    if is_attached:
        iam.attach_role_policy(RoleName="push", PolicyArn=arn)
    policies = AwsEstateReader(_Accounts()).identities(ACCOUNT, {}).entry["iam"]["Policies"]
    [own] = (one for one in policies if one["Arn"] == arn)
    assert sorted(one["VersionId"] for one in own["PolicyVersionList"]) == versions


@pytest.mark.usefixtures("made")
def test_identity_providers_are_read_with_their_audiences() -> None:
    assert _account().providers == PROVIDERS


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("denied", [PROVIDERS_CALL, AUDIENCES_CALL])
def test_identity_providers_that_cannot_be_read_are_unknown_and_nothing_else_is(denied: str) -> None:
    account = _account(denied)
    assert account.providers == Unread("identity providers", "permission-missing")
    assert account.unread == ()
    assert account.is_listed


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("master", "denied", "found"),
    [
        ("999999999999", (), Organization("o-a1b2c3d4e5")),
        (ACCOUNT, (), Organization("o-a1b2c3d4e5", management=True)),
        (None, (), NO_ORGANIZATION),
        (None, (ORGANIZATION_CALL,), None),
    ],
)
def test_the_organization_is_read_and_one_that_is_not_is_no_other_than_none(
    master: str | None, denied: tuple[str, ...], found: Organization | None
) -> None:
    accounts = _Accounts(*denied)
    if master is not None:
        answer = {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": master}}
        accounts.wire.answer(ORGANIZATION_CALL, lambda _: answer)
    text = json.dumps({"schema": 1, "accounts": {ACCOUNT: _read(accounts)}})
    account = estate_from_text(text, at=NOW).accounts[ACCOUNT]
    assert account.organization == found
    assert (account.unread, account.service_control) == ((), None)


@pytest.mark.usefixtures("made")
def test_an_identity_provider_that_is_deleted_meanwhile_is_none() -> None:
    accounts = _Accounts()
    accounts.wire.answer(PROVIDERS_CALL, lambda _: {"OpenIDConnectProviderList": [{"Arn": one} for one in GONE]})
    assert AwsEstateReader(accounts).identities(ACCOUNT, {}).entry["oidcProviders"] == [
        {"Arn": GONE[0], "ClientIDList": ["sts.amazonaws.com"]}
    ]


@pytest.mark.usefixtures("made")
def test_the_same_account_is_read_alike_in_any_order_and_at_any_usage() -> None:
    answers = [
        {"RoleDetailList": [_role("a", day), _role("b", day)][::order], "IsTruncated": False}
        for day, order in ((1, 1), (2, -1))
    ]
    accounts = _Accounts()
    accounts.wire.answer("iam:GetAccountAuthorizationDetails", lambda _: answers.pop())
    reader = AwsEstateReader(accounts)
    assert reader.identities(ACCOUNT, {}) == reader.identities(ACCOUNT, {})
    assert not answers


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("most", "asked"),
    [
        (1000, [(1000, None), (1000, "1")]),
        (250, [(1000, None), (250, None), (250, "1")]),
        (60, [(1000, None), (250, None), (60, None), (60, "1")]),
        (59, [(1000, None), (250, None), (60, None)]),
    ],
)
def test_a_page_of_an_account_that_is_not_answered_is_asked_for_again_smaller(
    most: int, asked: list[tuple[int, str | None]]
) -> None:
    def answer(call: Call) -> dict[str, Any]:
        if call.parameters["MaxItems"] > most:
            raise ReadTimeoutError(endpoint_url="https://iam.invalid")
        if "Marker" in call.parameters:
            return {"RoleDetailList": [_role("b", 1)], "IsTruncated": False}
        return {"RoleDetailList": [_role("a", 1)], "IsTruncated": True, "Marker": "1"}

    accounts = _Accounts()
    accounts.wire.answer(IAM_CALL, answer)
    reading = AwsEstateReader(accounts).identities(ACCOUNT, {})
    pages = [call.parameters for call in accounts.wire.calls if call.action == IAM_CALL]
    assert [(page["MaxItems"], page.get("Marker")) for page in pages] == asked
    if most >= 60:
        assert [one["Arn"].rpartition("/")[2] for one in reading.entry["iam"]["RoleDetailList"]] == ["a", "b"]
        assert "unread" not in reading.entry
    else:
        assert reading.entry["unread"] == [{"what": IAM_CALL, "code": Unanswered.code}]
        assert reading.passing is not None
        assert SAML_CALL in accounts.wire.actions, "and nothing else is lost"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(("name", "policies"), [("app", [PULL]), ("bare", [None]), ("gone", [])])
def test_one_repository_takes_one_call(name: str, policies: list[object]) -> None:
    accounts = _Accounts()
    [(_, reading)] = AwsEstateReader(accounts).some(Needed(repositories=[RepositoryTarget(ACCOUNT, REGION, name)]))
    assert accounts.wire.actions == ["ecr:GetRepositoryPolicy"]
    found = [one["policy"] for one in reading.entry["repositories"]]
    assert [json.loads(text) if text else None for text in found] == policies
    assert reading.passing is None


@pytest.mark.usefixtures("made")
def test_an_account_that_cannot_be_entered_is_unread_in_every_part() -> None:
    entry = _read(_Accounts(closed=True))
    assert entry["ecr"] == {REGION: {"repositories": []}}
    assert {(one["what"], one["code"]) for one in entry["unread"]} == {
        (call, "account-unreachable")
        for call in (IAM_CALL, PROVIDERS_CALL, SAML_CALL, ORGANIZATION_CALL, LIST_CALL, *OVER_ALL)
    }


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("throttled", [True, False])
def test_transient_errors_are_distinguished_from_lasting_ones(throttled: bool) -> None:
    reading = AwsEstateReader(_Accounts(REGISTRY_CALL, throttled=throttled), sleep=lambda _: None).registry(
        ACCOUNT, REGION, {}
    )
    assert [one["what"] for one in reading.entry["unread"]] == [REGISTRY_CALL]
    assert (reading.passing is not None) is throttled


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("denied", [IAM_CALL, LIST_CALL, POLICY_CALL, *OVER_ALL])
def test_a_call_that_is_denied_is_named_and_stops_no_other(denied: str) -> None:
    account = _account(denied)
    assert {one.what.partition(" in ")[0] for one in account.unread} >= {denied}
    registry = account.registries[REGION]
    assert set(registry.repositories) == (set() if denied == LIST_CALL else {"app", "bare"})
    assert account.is_listed is (denied != IAM_CALL)
    assert registry.is_listed is (denied != LIST_CALL)
    unread = {
        name for name, one in registry.repositories.items() if one.policy and isinstance(one.policy.document, Unread)
    }
    assert unread == ({"app", "bare"} if denied == POLICY_CALL else set())
    assert (registry.policy is not None) is (denied == REGISTRY_CALL)
