"""What the emulator's authorization knows beyond ministack's: each refusal beside what is allowed."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import deploy
from local.aws.launcher import EmulatedAws
from tests.local.support import REGION, NewAccount, allow, code_of, policy, said, trust

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


def test_a_topic_of_a_template_takes_messages_of_nobody_but_whom_a_policy_allows_it(
    aws: EmulatedAws, visitor: Visitor, tmp_path: Path
) -> None:
    template = tmp_path / "topic.yaml"
    template.write_text("Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: alerts}}}")
    deploy.create(aws, deploy.Place(visitor.account, REGION, "topic"), template, {})
    sns, topic = visitor.client("sns"), f"arn:aws:sns:{REGION}:{visitor.account}:alerts"
    with pytest.raises(ClientError) as error:
        sns.publish(TopicArn=topic, Message="x")
    assert code_of(error) == "AuthorizationError"
    visitor.may(visitor.name, allow("sns:Publish"))
    sns.publish(TopicArn=topic, Message="x")


@pytest.mark.parametrize(
    ("action", "made"), [("logs:CreateLogStream", []), ("logs:CreateLogGroup", ["/aws/lambda/writer"])]
)
def test_a_log_group_is_made_by_a_role_that_may_make_it(
    aws: EmulatedAws, new_account: NewAccount, action: str, made: list[str]
) -> None:
    account = new_account()
    role = open_role(aws, account, "/", trust({"Service": "lambda.amazonaws.com"}))
    iam, lambdas = aws.client(account, "iam"), aws.client(account, "lambda", REGION)
    iam.put_role_policy(RoleName="target", PolicyName="logs", PolicyDocument=policy(allow(action)))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    print('called')\n")
    lambdas.create_function(
        FunctionName="writer",
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    lambdas.get_waiter("function_active_v2").wait(FunctionName="writer")
    assert lambdas.invoke(FunctionName="writer")["StatusCode"] == 200
    groups = aws.client(account, "logs", REGION).describe_log_groups()["logGroups"]
    assert [one["logGroupName"] for one in groups] == made


@pytest.mark.parametrize(("action", "reads"), [("lambda:GetLayerVersion", True), ("lambda:ListLayers", False)])
def test_a_version_of_a_layer_is_read_by_whoever_may_get_it(
    aws: EmulatedAws, visitor: Visitor, action: str, *, reads: bool
) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("python/one.py", "")
    lambdas = aws.client(visitor.account, "lambda", REGION)
    made = lambdas.publish_layer_version(LayerName="shared", Content={"ZipFile": code.getvalue()})
    visitor.may(visitor.name, allow(action))
    named = {"LayerName": "shared", "VersionNumber": made["Version"]}
    if reads:
        found = visitor.client("lambda").get_layer_version(**named)
        assert found["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    else:
        with pytest.raises(ClientError) as error:
            visitor.client("lambda").get_layer_version(**named)
        assert code_of(error) in DENIED
