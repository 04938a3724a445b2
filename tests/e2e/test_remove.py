"""`remove` on the embedded AWS: of two accounts that the product was deployed to, all goes but what its plan names."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from local.aws.launcher import EmulatedAws
from local.demo.places import CI, REGION, REGISTRY, TRAIL_REGION
from local.demo.quiet import Quiet
from local.demo.stage import standing
from tests.cli.command import Command, Ran
from tests.e2e.house import SEED, House

FILE = f"""\
version: 1
hub: {{account: ci, region: {REGION}}}
accounts:
  ci: {{id: "{CI}", regions: [{REGION}], writes: identities}}
  registry: {{id: "{REGISTRY}", regions: [{REGION}], writes: all}}
alerts: {{webhook: "ssm:/ecr-warden/webhook"}}
"""
# Service and call, the field of its answer, and what names each of them; in both regions but for IAM's and S3's.
LISTS = (
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_users", "Users", "UserName"),
    ("iam", "list_groups", "Groups", "GroupName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("cloudformation", "list_stacks", "StackSummaries", "StackName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("events", "list_event_buses", "EventBuses", "Name"),
    ("events", "list_rules", "Rules", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
)


OTHERS = {
    *(f"{CI} iam {name}" for name in ("Platform", "alice", "carol", "pull-user-1", "pull-user-2", "push-user")),
    *(f"{CI} {one}" for one in ("events default", f"s3 trail-{CI}", "ssm /ecr-warden/webhook")),
    *(f"{REGISTRY} {one}" for one in ("events default", f"s3 trail-{REGISTRY}", "iam mallory")),
}


def everything(aws: EmulatedAws) -> set[str]:
    """What is in both accounts, by account, service and name, but for what others have there."""
    found = {f"{account} {one}" for account in (CI, REGISTRY) for one in _of(aws, account)}
    assert found >= OTHERS
    return found - OTHERS


def _of(aws: EmulatedAws, account: str) -> Iterator[str]:
    for service, call, field, name in LISTS:
        for region in (REGION, TRAIL_REGION):
            for one in getattr(aws.client(account, service, region), call)().get(field, ()):
                if not name or one.get("StackStatus") != "DELETE_COMPLETE":
                    yield f"{service} {one[name] if name else one}"
    for policy in aws.client(account, "iam").list_policies(Scope="Local")["Policies"]:
        yield f"iam {policy['Arn'].partition(':policy')[2]}"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two accounts with the seed's file accepted, and alice who may ask."""
    with standing(lambda _: None) as stage:
        house = House(stage, Quiet.of(stage), {})
        house.upload(SEED)
        iam = stage.aws.client(CI, "iam")
        iam.create_user(UserName="alice")
        iam.attach_user_policy(UserName="alice", PolicyArn=stage.hub["ReaderPolicyArn"])
        yield House(stage, house.quiet, house.documents())


def remove(house: House, folder: Path, *argv: str) -> Ran:
    aws = house.stage.aws
    opened = {account: AccountSession(aws.session(account, REGION), account, "") for account in (CI, REGISTRY)}
    (folder / "ecr-warden.yaml").write_text(FILE)
    command = Command(entered=AwsEntered(opened, lambda _: time.sleep(0.05)))
    return command("remove", str(folder / "ecr-warden.yaml"), *argv)


def do(aws: EmulatedAws, stays: dict[str, str]) -> None:
    """Run a command of the AWS CLI in the account that it is about."""
    _, service, operation, *options = stays["command"].split()
    client: Any = aws.client(REGISTRY if REGISTRY in stays["what"] else CI, service, REGION)
    call = operation.replace("-", "_")
    given = dict(zip(options[::2], options[1::2], strict=True))
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[call]).input_shape
    named = {member: given.pop(f"--{xform_name(member, '-')}", None) for member in shape.members}
    assert given.keys() <= {"--region"}
    getattr(client, call)(**{member: value for member, value in named.items() if value is not None})


def test_all_goes_but_what_the_plan_names(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = house.stage.aws
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    ran = remove(house, tmp_path, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert house.is_right(), "access stays as it is"
    left = {f"{REGISTRY} iam ecr-pusher", f"{REGISTRY} iam /ecr-warden/ecr-warden-boundary"}
    assert everything(aws) == left
    assert aws.client(CI, "iam").list_attached_user_policies(UserName="alice")["AttachedPolicies"] == []
    again = remove(house, tmp_path, "--yes")
    assert (again.code, again.out.splitlines()[0], everything(aws)) == (0, "there is nothing to remove", left)
    # The commands that it prints take back the rest; what is of a role goes before the role.
    commands = [one for one in ran.json["stays"] if one["command"].startswith("aws ")]
    for one in sorted(commands, key=lambda one: "delete-role " in one["command"]):
        do(aws, one)
    assert house.documents() == {}
    assert (remove(house, tmp_path, "--yes").code, everything(aws)) == (0, set())
