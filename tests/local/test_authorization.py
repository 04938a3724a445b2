"""What the emulator's authorization knows beyond ministack's: each refusal beside what is allowed."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import deploy
from local.aws.launcher import EmulatedAws
from tests.local.support import REGION, REPOSITORY, NewAccount, allow, code_of, policy, said, trust

DENIED = ("AccessDenied", "AccessDeniedException")


class Visitor:
    """A role in one account that may do anything there, and a session of it."""

    def __init__(self, aws: EmulatedAws, account: str, name: str, path: str = "/") -> None:
        self.aws, self.account = aws, account
        iam = aws.client(account, "iam")
        anybody = policy(trust({"AWS": account}))
        self.arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=anybody)["Role"]["Arn"]
        self.may(name, allow("sts:*"))
        self.name = name

    def may(self, name: str, *statements: dict[str, Any]) -> None:
        iam = self.aws.client(self.account, "iam")
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(*statements))

    def client(self, service: str) -> Any:
        sts = self.aws.client(self.account, "sts")
        session = sts.assume_role(RoleArn=self.arn, RoleSessionName="visit")
        return self.aws.assumed_client(session["Credentials"], service)


@pytest.fixture
def visitor(aws: EmulatedAws, new_account: NewAccount) -> Visitor:
    return Visitor(aws, new_account(), "reconcile", path="/hub/")


def open_role(aws: EmulatedAws, account: str, path: str, *statements: dict[str, Any]) -> str:
    role = aws.client(account, "iam").create_role(
        RoleName="target", Path=path, AssumeRolePolicyDocument=policy(*statements)
    )
    return str(role["Role"]["Arn"])


def test_principal_arn_of_a_session_is_its_role_with_the_path(
    aws: EmulatedAws, visitor: Visitor, new_account: NewAccount
) -> None:
    for pattern, enters in ((visitor.arn, True), (visitor.arn.replace("/hub/", "/"), False)):
        condition = {"ArnEquals": {"aws:PrincipalArn": pattern}}
        role = open_role(aws, new_account(), "/", trust({"AWS": visitor.account}, Condition=condition))
        if enters:
            visitor.client("sts").assume_role(RoleArn=role, RoleSessionName="x1")
        else:
            with pytest.raises(ClientError) as error:
                visitor.client("sts").assume_role(RoleArn=role, RoleSessionName="x1")
            assert code_of(error) == "AccessDenied"


def test_source_identity_needs_both_sides_and_fits_the_condition(
    aws: EmulatedAws, visitor: Visitor, new_account: NewAccount
) -> None:
    run = {"StringLike": {"sts:SourceIdentity": "ecrw-*"}}
    both = trust({"AWS": visitor.account}, ["sts:AssumeRole", "sts:SetSourceIdentity"], Condition=run)
    ready = open_role(aws, new_account(), "/", both)
    closed = open_role(aws, new_account(), "/", trust({"AWS": visitor.account}))
    sts = visitor.client("sts")
    sts.assume_role(RoleArn=ready, RoleSessionName="x1", SourceIdentity="ecrw-1")
    sts.assume_role(RoleArn=closed, RoleSessionName="x1")
    for role, identity in ((ready, "other"), (closed, "ecrw-1")):
        with pytest.raises(ClientError) as error:
            sts.assume_role(RoleArn=role, RoleSessionName="x1", SourceIdentity=identity)
        assert "sts:SetSourceIdentity" in said(error)
    with pytest.raises(ClientError):
        sts.assume_role(RoleArn=ready, RoleSessionName="x1")  # no run, no way in
    visitor.may(visitor.name, allow("sts:AssumeRole"))
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=ready, RoleSessionName="x1", SourceIdentity="ecrw-1")
    assert "sts:SetSourceIdentity" in said(error)


def test_tags_need_both_sides_and_those_that_are_handed_on_need_them_again(
    aws: EmulatedAws, visitor: Visitor, new_account: NewAccount
) -> None:
    tagged = ["sts:AssumeRole", "sts:TagSession"]
    first = open_role(aws, new_account(), "/", trust({"AWS": visitor.account}, tagged))
    closed = open_role(aws, new_account(), "/", trust({"AWS": visitor.account}))
    sts, tags = visitor.client("sts"), [{"Key": "Repository", "Value": "acme/shop"}]
    sts.assume_role(RoleArn=closed, RoleSessionName="x1")
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=closed, RoleSessionName="x1", Tags=tags)
    assert f"not authorized to perform: sts:TagSession on resource: {closed}" in said(error)

    home, name = first.split(":")[4], first.rpartition("/")[2]
    aws.client(home, "iam").put_role_policy(RoleName=name, PolicyName="on", PolicyDocument=policy(allow(tagged)))
    plain, both = (open_role(aws, new_account(), "/", trust({"AWS": home}, one)) for one in ("sts:AssumeRole", tagged))
    handing_on = sts.assume_role(RoleArn=first, RoleSessionName="x1", Tags=tags, TransitiveTagKeys=["Repository"])
    keeping = sts.assume_role(RoleArn=first, RoleSessionName="x1", Tags=tags)
    aws.assumed_client(keeping["Credentials"], "sts").assume_role(RoleArn=plain, RoleSessionName="x2")
    chained = aws.assumed_client(handing_on["Credentials"], "sts")
    chained.assume_role(RoleArn=both, RoleSessionName="x2")
    with pytest.raises(ClientError) as error:
        chained.assume_role(RoleArn=plain, RoleSessionName="x2")
    assert "sts:TagSession" in said(error)

    visitor.may(visitor.name, allow("sts:AssumeRole"))
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=first, RoleSessionName="x1", Tags=tags)
    assert "sts:TagSession" in said(error)


def test_a_session_policy_narrows_and_the_source_identity_goes_on(
    aws: EmulatedAws, visitor: Visitor, new_account: NewAccount
) -> None:
    account = new_account()
    both = trust({"AWS": visitor.account}, ["sts:AssumeRole", "sts:SetSourceIdentity"])
    role = open_role(aws, account, "/", both)
    aws.client(account, "iam").put_role_policy(
        RoleName="target", PolicyName="all", PolicyDocument=policy(allow("ecr:*"), allow("iam:*"))
    )
    session = visitor.client("sts").assume_role(
        RoleArn=role, RoleSessionName="x1", SourceIdentity="ecrw-1", Policy=policy(allow("ecr:CreateRepository"))
    )
    ecr = aws.assumed_client(session["Credentials"], "ecr")
    mark = aws.mark()
    ecr.create_repository(repositoryName=REPOSITORY)
    with pytest.raises(ClientError) as error:
        ecr.delete_repository(repositoryName=REPOSITORY)
    assert code_of(error) in DENIED
    done = [call for call in aws.calls(mark) if call.service == "ecr"]
    assert [(call.action, call.error, call.source_identity) for call in done] == [
        ("CreateRepository", "", "ecrw-1"),
        ("DeleteRepository", "AccessDeniedException", "ecrw-1"),
    ]


def test_a_policy_on_a_path_reaches_the_roles_on_it_alone(aws: EmulatedAws, visitor: Visitor) -> None:
    account = visitor.account
    visitor.may(visitor.name, allow("iam:*", f"arn:aws:iam::{account}:role/ecr-warden/*"))
    iam = visitor.client("iam")
    nobody = policy(trust({"AWS": account}))
    iam.create_role(RoleName="inside", Path="/ecr-warden/", AssumeRolePolicyDocument=nobody)
    iam.put_role_policy(RoleName="inside", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))
    iam.get_role(RoleName="inside")
    aws.client(account, "iam").create_role(RoleName="outside", AssumeRolePolicyDocument=nobody)
    with pytest.raises(ClientError) as error:
        iam.create_role(RoleName="beside", AssumeRolePolicyDocument=nobody)
    assert code_of(error) == "AccessDenied"
    with pytest.raises(ClientError):
        iam.put_role_policy(RoleName="outside", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))


def test_writes_can_be_limited_to_a_boundary(aws: EmulatedAws, visitor: Visitor) -> None:
    account, admin = visitor.account, aws.client(visitor.account, "iam")
    boundary, other = (
        admin.create_policy(PolicyName=name, PolicyDocument=policy(allow("ecr:*")))["Policy"]["Arn"]
        for name in ("boundary", "other")
    )
    bound = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    visitor.may(visitor.name, allow("iam:*", Condition=bound), allow("iam:DeleteRolePolicy"))
    iam, nobody = visitor.client("iam"), policy(trust({"AWS": account}))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=nobody, PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(allow("ecr:*")))
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=nobody)
    for refused in (None, other):
        more = {"PermissionsBoundary": refused} if refused else {}
        with pytest.raises(ClientError):
            iam.create_role(RoleName="s", AssumeRolePolicyDocument=nobody, **more)
    admin.delete_role_permissions_boundary(RoleName="r")
    with pytest.raises(ClientError):
        iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(allow("iam:*")))
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(allow("iam:*")))


ROLE = """
Resources:
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: boundary
      Path: /ecr-warden/
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "ecr:*", Resource: "*"}]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: made
      Path: /ecr-warden/
      PermissionsBoundary: %s
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: "sts:AssumeRole"}]
"""


def test_a_role_in_a_template_has_its_boundary(aws: EmulatedAws, new_account: NewAccount, tmp_path: Path) -> None:
    account, template = new_account(), tmp_path / "role.yaml"
    place = deploy.Place(account, REGION, "role")
    template.write_text(ROLE % "!Ref Boundary")
    deploy.create(aws, place, template, {})
    role = aws.client(account, "iam").get_role(RoleName="made")["Role"]
    arn = f"arn:aws:iam::{account}:policy/ecr-warden/boundary"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert role["Arn"] == f"arn:aws:iam::{account}:role/ecr-warden/made"

    another = deploy.Place(new_account(), REGION, "role")
    template.write_text(ROLE % "arn:aws:iam::aws:policy/NoSuchPolicy")
    with pytest.raises(deploy.DeploymentFailed, match="does not exist or is not attachable"):
        deploy.create(aws, another, template, {})


def test_a_bucket_may_refuse_plain_http(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    s3, bucket = aws.client(account, "s3"), f"spec-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny))
    aws.client(account, "iam").create_user(UserName="writer")
    aws.client(account, "iam").put_user_policy(UserName="writer", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
    writer = aws.user_client(account, "writer", "s3")
    writer.put_object(Bucket=bucket, Key="access.yaml", Body=b"version: 1")

    def plainly(request: Any, **_: Any) -> None:
        request.headers["x-forwarded-proto"] = "http"

    writer.meta.events.register("before-send.s3", plainly)
    with pytest.raises(ClientError) as error:
        writer.put_object(Bucket=bucket, Key="access.yaml", Body=b"version: 1")
    assert code_of(error) == "AccessDenied"


def test_pulling_from_another_account_needs_both_sides(aws: EmulatedAws, new_account: NewAccount) -> None:
    home, registry = new_account(), new_account()
    iam, ecr = aws.client(home, "iam"), aws.client(registry, "ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=json.dumps({"schemaVersion": 2}), imageTag="v1")
    pull, arn = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], f"arn:aws:ecr:{REGION}:{registry}:repository/*"
    for name in ("puller", "unnamed", "bare"):
        iam.create_user(UserName=name)
        if name != "bare":
            iam.put_user_policy(UserName=name, PolicyName="pull", PolicyDocument=policy(allow(pull, arn)))
    named = [f"arn:aws:iam::{home}:user/{name}" for name in ("puller", "bare")]
    text = policy({"Effect": "Allow", "Principal": {"AWS": named}, "Action": pull})
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=text)

    wanted: dict[str, Any] = {"registryId": registry, "repositoryName": REPOSITORY, "imageIds": [{"imageTag": "v1"}]}
    got = aws.user_client(home, "puller", "ecr").batch_get_image(**wanted)
    assert got["images"][0]["registryId"] == registry
    for name in ("unnamed", "bare"):
        with pytest.raises(ClientError) as error:
            aws.user_client(home, name, "ecr").batch_get_image(**wanted)
        assert code_of(error) in DENIED
    for call in ("describe_repositories", "get_repository_policy"):
        more = {"repositoryName": REPOSITORY} if call == "get_repository_policy" else {}
        with pytest.raises(ClientError) as error:
            getattr(aws.client(home, "ecr"), call)(registryId=registry, **more)
        assert code_of(error) in DENIED


@pytest.mark.parametrize("bus", ["default", "other"])
def test_a_rule_is_authorized_by_its_own_arn(aws: EmulatedAws, visitor: Visitor, bus: str) -> None:
    events = aws.client(visitor.account, "events")
    if bus != "default":
        events.create_event_bus(Name=bus)
    arns = {
        name: events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["x"]}')["RuleArn"]
        for name in ("mine", "another")
    }
    visitor.may(visitor.name, allow(["events:DescribeRule", "events:ListTargetsByRule"], Resource=arns["mine"]))
    client = visitor.client("events")
    assert client.describe_rule(Name="mine", EventBusName=bus)["Arn"] == arns["mine"]
    assert client.list_targets_by_rule(Rule="mine", EventBusName=bus)["Targets"] == []
    with pytest.raises(ClientError) as error:
        client.describe_rule(Name="another", EventBusName=bus)
    assert code_of(error) in DENIED
    with pytest.raises(ClientError) as error:
        client.list_targets_by_rule(Rule="another", EventBusName=bus)
    assert code_of(error) in DENIED
