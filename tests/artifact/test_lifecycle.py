"""Upgrading with jobs in the queue, and removing in the order of docs/deploy.md: access stays, what stays is known.

The tests of this file follow one another on one installation.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.deploy import Place, delete, deploy
from local.aws.launcher import ROOT, EmulatedAws
from local.testing.accepting import accept_version
from local.testing.installed import (
    EXTERNAL_ID,
    HUB,
    IAM_REGION,
    MEMBER,
    PUSH_ROLE,
    REGION,
    REPOSITORY,
    SPEC,
    USERS,
    Installed,
    install,
)
from local.testing.messages import reconcile
from local.testing.waiting import until

pytestmark = pytest.mark.thorough

OURS = "ecr-warden"
REPOSITORY_TARGET = f"repository/{MEMBER}/{REGION}/{REPOSITORY}"
# What waits in the queue while the functions are replaced.
WAITING = [reconcile(target).body for target in (REPOSITORY_TARGET, f"role/{MEMBER}/{PUSH_ROLE}")]


@pytest.fixture(scope="module")
def leaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """An installation that nobody else needs."""
    with EmulatedAws() as aws:
        yield install(aws, tmp_path_factory.mktemp("leaving") / "built")


def documents(aws: EmulatedAws) -> dict[str, str]:
    """All that lets somebody push or pull, as AWS gives it."""
    iam, users = aws.client(MEMBER, "iam"), aws.client(HUB, "iam")
    role = iam.get_role(RoleName=PUSH_ROLE)["Role"]
    registry = aws.client(MEMBER, "ecr")
    found = {
        "trust": json.dumps(role["AssumeRolePolicyDocument"]),
        "boundary": role["PermissionsBoundary"]["PermissionsBoundaryArn"],
    }
    try:
        found["repository"] = registry.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    except registry.exceptions.RepositoryPolicyNotFoundException:
        found["repository"] = "none"
    for name in iam.list_role_policies(RoleName=PUSH_ROLE)["PolicyNames"]:
        answer = iam.get_role_policy(RoleName=PUSH_ROLE, PolicyName=name)
        found[f"role {name}"] = json.dumps(answer["PolicyDocument"])
    for user in USERS:
        for name in users.list_user_policies(UserName=user)["PolicyNames"]:
            answer = users.get_user_policy(UserName=user, PolicyName=name)
            found[f"{user} {name}"] = json.dumps(answer["PolicyDocument"])
    return found


def policies(aws: EmulatedAws, account: str) -> set[str]:
    """The managed policies of ours in an account."""
    return {one["PolicyName"] for one in aws.client(account, "iam").list_policies(Scope="Local")["Policies"]}


def roles(aws: EmulatedAws, account: str) -> set[str]:
    """The roles in an account."""
    return {role["RoleName"] for role in aws.client(account, "iam").list_roles()["Roles"]}


def rules(aws: EmulatedAws) -> list[str]:
    """The rules of ours in both accounts and regions."""
    return [
        rule["Name"]
        for account in (HUB, MEMBER)
        for region in (REGION, IAM_REGION)
        for rule in aws.client(account, "events", region).list_rules()["Rules"]
        if rule["Name"].startswith(OURS)
    ]


def test_jobs_that_wait_while_the_functions_are_replaced_are_done_by_the_new_ones(leaving: Installed) -> None:
    aws, before = leaving.aws, documents(leaving.aws)
    lambdas, sqs = aws.client(HUB, "lambda"), aws.client(HUB, "sqs")
    [jobs] = lambdas.list_event_source_mappings(FunctionName="ecr-warden-reconcile")["EventSourceMappings"]
    aws.client(HUB, "events").disable_rule(Name="ecr-warden-trail", EventBusName="ecr-warden-trail")
    lambdas.update_event_source_mapping(UUID=jobs["UUID"], Enabled=False)
    aws.client(MEMBER, "ecr").delete_repository_policy(repositoryName=REPOSITORY)
    for body in WAITING:
        sqs.send_message(QueueUrl=leaving.stack.outputs["JobsQueueUrl"], MessageBody=body)

    deploy(
        aws,
        Place(HUB, REGION, "ecr-warden"),
        leaving.built / "template.yaml",
        {"ExternalId": EXTERNAL_ID, "MemberAccounts": f"{HUB},{MEMBER}", "LogLevel": "DEBUG"},
    )
    variables = lambdas.get_function_configuration(FunctionName="ecr-warden-reconcile")["Environment"]["Variables"]
    assert variables["LOG_LEVEL"] == "DEBUG"
    lambdas.update_event_source_mapping(UUID=jobs["UUID"], Enabled=True)

    leaving.settle()
    until(lambda: documents(aws) == before, what="the repair that a waiting job asked for")
    dead = sqs.get_queue_url(QueueName="ecr-warden-jobs-dlq")["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert counts == {"ApproximateNumberOfMessages": "0"}


def test_the_accepted_version_can_be_forgotten_and_the_next_one_waits_as_the_first_did(leaving: Installed) -> None:
    aws, hub = leaving.aws, leaving.stack.outputs
    table, key = aws.client(HUB, "dynamodb"), {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
    table.delete_item(TableName=hub["Table"], Key=key)
    before = documents(aws)
    answer = aws.client(HUB, "s3").put_object(Bucket=hub["SpecBucket"], Key="access.yaml", Body=SPEC.read_bytes())

    version = answer["VersionId"]
    until(lambda: accept_version(aws, HUB, REGION, version), what="the hold on a version that comes first again")
    leaving.settle()
    assert documents(aws) == before


def test_it_is_removed_and_the_access_stays(leaving: Installed) -> None:
    aws = leaving.aws
    before = documents(aws)
    assert len(before) == 7
    mark = aws.mark()

    aws.client(HUB, "ssm").put_parameter(Name="/ecr-warden/writes", Value="stopped", Type="String", Overwrite=True)
    leaving.settle()
    delete(aws, Place(HUB, REGION, "ecr-warden"))
    for account in (HUB, MEMBER):
        for region in (REGION, IAM_REGION):
            delete(aws, Place(account, region, "events"))
        delete(aws, Place(account, REGION, "member"))

    assert documents(aws) == before
    assert [call.action for call in aws.calls(mark) if call.write and "ecrw-" in call.principal] == []
    assert rules(aws) == []
    assert aws.client(HUB, "lambda").list_functions()["Functions"] == []
    assert {name for name in roles(aws, HUB) if name.startswith(OURS)} == set()
    assert roles(aws, MEMBER) == {PUSH_ROLE}


def test_the_spec_its_history_the_journal_and_the_boundary_are_retained(leaving: Installed) -> None:
    aws, hub = leaving.aws, leaving.stack.outputs
    file = aws.client(HUB, "s3").get_object(Bucket=hub["SpecBucket"], Key="access.yaml")
    assert file["Body"].read() == SPEC.read_bytes()
    assert aws.client(HUB, "s3").list_objects_v2(Bucket=hub["StateBucket"])["KeyCount"] > 0
    runs = aws.client(HUB, "dynamodb").scan(TableName=hub["Table"])["Items"]
    assert any(item["sk"]["S"].startswith("RUN#") for item in runs)
    assert policies(aws, MEMBER) == {"ecr-warden-boundary"}
    boundary = aws.client(MEMBER, "iam").get_role(RoleName=PUSH_ROLE)["Role"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"].endswith("policy/ecr-warden/ecr-warden-boundary")


def test_cloudformation_takes_the_change_set_by_which_a_new_member_stack_owns_the_boundary(leaving: Installed) -> None:
    """The embedded CloudFormation checks an import of a policy and cannot carry it out."""
    cloudformation = leaving.aws.client(MEMBER, "cloudformation")
    text = (ROOT / "stacks" / "member.yaml").read_text()
    parameters = text[text.index("Parameters:") : text.index("Conditions:")]
    boundary = text[text.index("  Boundary:\n") : text.index("  # Used by stacks/events.yaml")]
    given = [
        {"ParameterKey": "HubAccount", "ParameterValue": HUB},
        {"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID},
    ]
    stack: Any = {"StackName": "member", "Parameters": given, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    arn = f"arn:aws:iam::{MEMBER}:policy/ecr-warden/ecr-warden-boundary"
    taken = {"ResourceType": "AWS::IAM::ManagedPolicy", "LogicalResourceId": "Boundary"}
    cloudformation.create_change_set(
        **stack,
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=f"{parameters}Resources:\n{boundary}",
        ResourcesToImport=[taken | {"ResourceIdentifier": {"PolicyArn": arn}}],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName="member", ChangeSetName="import", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    described = cloudformation.describe_change_set(StackName="member", ChangeSetName="import")
    [change] = described["Changes"]
    assert described["Status"] == "CREATE_COMPLETE"
    assert change["ResourceChange"]["Action"] == "Import"
