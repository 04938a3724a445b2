"""ecr-warden installed as its README says: hub and members from its own templates, the seed's spec accepted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.deploy import BUILT, Place, Stack, built_product, create, deploy
from local.aws.launcher import ROOT, EmulatedAws
from local.demo.quiet import queues_of
from local.testing.accepting import accept_version
from local.testing.forgetting import forget_messages, forget_repairs
from local.testing.runtime_api import BuiltFunction, layers_in
from local.testing.waiting import until

HUB, MEMBER, REGION, IAM_REGION = "111111111111", "222222222222", "eu-central-1", "us-east-1"
REPOSITORY, PUSH_ROLE, EXTERNAL_ID = "shop/checkout", "ecr-pusher", "bench-and-tests"
USERS = ("push-user", "pull-user-1", "pull-user-2")
SPEC = ROOT / "examples" / "seed" / "access.yaml"
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Installed:
    """A hub in account HUB with the members HUB and MEMBER; `built`: the folder of its `sam build`."""

    aws: EmulatedAws
    stack: Stack
    built: Path

    def settle(self, *, repairs_alone: bool = False) -> None:
        """Wait until no job is queued or running."""
        urls = [self.stack.outputs["JobsQueueUrl"]] if repairs_alone else queues_of(self.stack.outputs)
        sqs = self.aws.client(HUB, "sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def is_idle(url: str) -> bool:
            given = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return not any(int(given[name]) for name in names)

        # One may send to another just before the other is looked at.
        until(lambda: all(map(is_idle, (*urls, *urls))), _SETTLED_SECONDS, "empty queues of jobs")

    def forget_repairs(self) -> None:
        """As if all repairs were long ago."""
        forget_repairs(self.aws.client(HUB, "dynamodb"), self.stack.outputs["Table"])

    def forget_messages(self) -> None:
        """As if all messages were long ago."""
        forget_messages(self.aws.client(HUB, "dynamodb"), self.stack.outputs["Table"])

    def pause(self) -> None:
        """Leave all work to the caller: no event becomes a job, jobs stay queued, nothing is announced."""
        lambdas, events = self.aws.client(HUB, "lambda"), self.aws.client(HUB, "events")
        for mapping in lambdas.list_event_source_mappings()["EventSourceMappings"]:
            lambdas.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        events.disable_rule(Name="ecr-warden-sweep")
        for name in ("ecr-warden-trail", "ecr-warden-outcomes"):
            events.disable_rule(Name=name, EventBusName=name)

    def function(self, name: str, **variables: str) -> BuiltFunction:
        """The built function as Lambda would run it: its own role, the deployed stack's variables; not yet started.

        `variables`: others besides, or instead.
        """
        return BuiltFunction(
            f"ecr-warden-{name}",
            code=self.built / f"{name.capitalize()}Function",
            layers=layers_in(self.built),
            environment=self.environment(name) | variables,
        )

    def environment(self, function: str) -> dict[str, str]:
        """The deployed function's variables and fresh credentials of its role, for a process on this machine."""
        given = self.aws.client(HUB, "lambda").get_function_configuration(FunctionName=f"ecr-warden-{function}")
        variables: dict[str, str] = given["Environment"]["Variables"]
        credentials = self._role_session(f"ecr-warden-{function}")
        return {
            **variables,
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def _role_session(self, role: str) -> dict[str, str]:
        # Lambda alone may assume the role: a second statement lets the account's root in.
        iam = self.aws.client(HUB, "iam")
        document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
        if root not in document["Statement"]:
            document["Statement"].append(root)
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
        arn = f"arn:aws:iam::{HUB}:role/{role}"
        answer = self.aws.client(HUB, "sts").assume_role(RoleArn=arn, RoleSessionName=role)
        credentials: dict[str, str] = answer["Credentials"]
        return credentials


def install(aws: EmulatedAws, built: Path = BUILT) -> Installed:
    """Build and deploy everything, upload the seed's spec and wait until its documents are written."""
    _bare_accounts(aws)
    template = built_product(built)
    stack = deploy(
        aws,
        Place(HUB, REGION, "ecr-warden"),
        template,
        {"ExternalId": EXTERNAL_ID, "MemberAccounts": f"{HUB},{MEMBER}", "SessionCutoffMargin": "5"},
    )
    bus = stack.outputs["TrailBusArn"]
    owners = ",".join(f"arn:aws:iam::{HUB}:user/{user}" for user in USERS)
    for account in (HUB, MEMBER):
        parameters = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID, "HubBusArns": bus, "ManagedOwners": owners}
        create(aws, Place(account, REGION, "member"), ROOT / "stacks" / "member.yaml", parameters)
        for region in (REGION, IAM_REGION):
            create(aws, Place(account, region, "events"), ROOT / "stacks" / "events.yaml", {"HubBusArn": bus})
    installed = Installed(aws, stack, template.parent)
    bucket = stack.outputs["SpecBucket"]
    version = aws.client(HUB, "s3").put_object(Bucket=bucket, Key="access.yaml", Body=SPEC.read_bytes())["VersionId"]
    until(lambda: accept_version(aws, HUB, REGION, version), _SETTLED_SECONDS, "the first hold", pause=0.2)
    until(lambda: _stands(aws), _SETTLED_SECONDS, "the first repair")
    installed.settle()
    return installed


def _bare_accounts(aws: EmulatedAws) -> None:
    iam = aws.client(HUB, "iam")
    for user in USERS:
        iam.create_user(UserName=user)
    aws.client(MEMBER, "ecr").create_repository(repositoryName=REPOSITORY)


def _stands(aws: EmulatedAws) -> bool:
    iam: Any = aws.client(HUB, "iam")
    if not all(iam.list_user_policies(UserName=user)["PolicyNames"] for user in USERS):
        return False
    roles = {role["RoleName"] for role in aws.client(MEMBER, "iam").list_roles()["Roles"]}
    ecr = aws.client(MEMBER, "ecr")
    try:
        ecr.get_repository_policy(repositoryName=REPOSITORY)
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        return False
    return PUSH_ROLE in roles
