"""What an account's authorization details have of roles and of AWS's policies, and how the latter are read alone."""

from typing import Any

import boto3
import pytest

from local.aws.behaviour.of_aws import PUBLISHED
from local.aws.launcher import EmulatedAws
from local.aws.realistic_moto import RealisticMoto
from tests.contracts.aws import moto
from tests.local.support import NewAccount, allow, policy, trust

READ_ONLY, AUDIT, BOUNDARY = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "SecurityAudit", "PowerUserAccess")
)
TRUST = policy(trust({"Service": "ec2.amazonaws.com"}))


def test_a_role_is_listed_with_its_boundary_or_without_one(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=policy(allow("ecr:*")))["Policy"]["Arn"]
    document = policy(trust({"AWS": f"arn:aws:iam::{account}:root"}))
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=document, PermissionsBoundary=boundary)
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=document)
    roles = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    boundaries = {role["RoleName"]: role.get("PermissionsBoundary", {}) for role in roles}
    assert boundaries["bounded"]["PermissionsBoundaryArn"] == boundary
    assert boundaries["free"] == {}


@pytest.fixture(params=["emulator", "moto"])
def iam(request: pytest.FixtureRequest) -> Any:
    """IAM of a new account in each embedded AWS."""
    if request.param == "emulator":
        aws, new_account = (request.getfixturevalue(name) for name in ("aws", "new_account"))
        yield aws.client(new_account(), "iam")
    else:
        with moto(request.getfixturevalue("monkeypatch")):
            session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x")
            RealisticMoto().hook(session)
            yield session.client("iam")


def used(iam: Any) -> None:
    """A user with two policies of AWS's, a role with another one as its boundary."""
    iam.create_user(UserName="ann")
    for arn in (READ_ONLY, AUDIT):
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=BOUNDARY)
    iam.create_policy(PolicyName="own", PolicyDocument=policy(allow("ecr:*")))


def test_without_a_filter_every_version_of_each_attached_policy_of_aws_comes_along(iam: Any) -> None:
    """aws-facts 11."""
    used(iam)
    details = iam.get_account_authorization_details(MaxItems=1000)
    found = {one["Arn"]: one for one in details["Policies"]}
    assert {arn for arn in found if ":aws:policy/" in arn} == {READ_ONLY, AUDIT}
    versions = found[READ_ONLY]["PolicyVersionList"]
    assert len(versions) == PUBLISHED[READ_ONLY].versions == 190
    assert [one["VersionId"] for one in versions if one["IsDefaultVersion"]] == ["v190"]
    longest = max(len(str(one["Document"])) for one in versions)
    assert longest > 80_000


def test_with_the_filter_there_are_the_policies_of_the_account_alone(iam: Any) -> None:
    used(iam)
    details = iam.get_account_authorization_details(Filter=["User", "Role", "Group", "LocalManagedPolicy"])
    assert [one["Arn"].rpartition("/")[2] for one in details["Policies"]] == ["own"]
    assert [one["UserName"] for one in details["UserDetailList"]] == ["ann"]
    assert [one["RoleName"] for one in details["RoleDetailList"]] == ["bounded"]


@pytest.mark.parametrize(
    ("usage", "arns"), [("PermissionsPolicy", {READ_ONLY, AUDIT}), ("PermissionsBoundary", {BOUNDARY})]
)
def test_the_policies_of_aws_that_are_in_use_are_listed_by_their_use(iam: Any, usage: str, arns: set[str]) -> None:
    used(iam)
    listed = iam.list_policies(Scope="AWS", OnlyAttached=True, PolicyUsageFilter=usage)["Policies"]
    assert {one["Arn"]: one["DefaultVersionId"] for one in listed} == {arn: PUBLISHED[arn].default for arn in arns}


def test_each_version_is_read_alone(iam: Any) -> None:
    used(iam)

    def read(version: str) -> Any:
        return iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=version)

    actions = [len(read(version)["PolicyVersion"]["Document"]["Statement"][0]["Action"]) for version in ("v190", "v7")]
    assert actions[0] > actions[1] > 7
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        read("v191")
