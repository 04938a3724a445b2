"""`sam build` and `sam deploy` of a template with each resource type in use, and the way that runs through them."""

from pathlib import Path

import pytest

from local.aws import deploy
from local.aws.launcher import EmulatedAws
from local.testing.waiting import until
from tests.local.support import REGION, NewAccount

pytestmark = pytest.mark.thorough

STACK = Path(__file__).parent / "stack" / "template.yaml"


def test_a_stack_of_every_type_in_use_is_built_deployed_and_works(
    aws: EmulatedAws, new_account: NewAccount, tmp_path: Path
) -> None:
    account = new_account()
    built = deploy.build(STACK, tmp_path / "built")
    stack = deploy.deploy(aws, deploy.Place(account, REGION, "stack"), built, {})
    role = aws.client(account, "iam").get_role(RoleName="stack-function")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{account}:role/made/stack-function"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"arn:aws:iam::{account}:policy/made/stack-boundary"

    # bucket -> default bus -> function -> FIFO queue -> function (fails once) -> table
    aws.client(account, "s3").put_object(Bucket=stack.outputs["Bucket"], Key="access.yaml", Body=b"version: 1")
    table = aws.client(account, "dynamodb")
    key = {"pk": {"S": "Object Created"}, "sk": {"S": "1"}}
    item = until(
        lambda: table.get_item(TableName=stack.outputs["Table"], Key=key).get("Item"), what="the item in the table"
    )
    assert item["switch"] == {"S": "enabled"}
    assert aws.undelivered() == () or account not in str(aws.undelivered())


def test_a_stack_that_fails_says_which_resource(aws: EmulatedAws, new_account: NewAccount, tmp_path: Path) -> None:
    template = tmp_path / "bad.yaml"
    policy = "{Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: nowhere, StatementId: s, Principal: '*'}}"
    template.write_text(f"Resources: {{Members: {policy}}}")
    with pytest.raises(deploy.DeploymentFailed, match=r"Members: .*nowhere does not exist"):
        deploy.create(aws, deploy.Place(new_account(), REGION, "bad"), template, {})
