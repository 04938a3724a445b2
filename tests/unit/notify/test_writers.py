"""The tool behind a call, as CloudTrail shows it, and what to change in it."""

import pytest

from ecr_warden.core.address import AddressKind, attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.job import Actor
from ecr_warden.notify.writers import Tool, advice, tool_of
from tests.unit.notify.reports import HOME, REPOSITORY, ROLE, USER

CDK_ROLE = f"arn:aws:iam::{HOME}:role/cdk-hnb659fds-cfn-exec-role-{HOME}-eu-central-1"


def agent(text: str, **more: str) -> Actor:
    return Actor("AssumedRole", session_name="s", user_agent=text, **more)


CASES: dict[str, tuple[Actor | None, Tool]] = {
    "Terraform": (
        agent("APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.75.0"),
        Tool.TERRAFORM,
    ),
    "Terraform in brackets": (agent("[APN/1.0 HashiCorp/1.0 Terraform/1.5.7]"), Tool.TERRAFORM),
    "OpenTofu": (agent("APN/1.0 OpenTofu/1.0 OpenTofu/1.8.5"), Tool.TERRAFORM),
    "Pulumi's provider": (agent("APN/1.0 Pulumi/1.0 PulumiAws/6.0 terraform-provider-aws/dev"), Tool.PULUMI),
    "Pulumi's native provider": (agent("APN/1.0 Pulumi/1.0 PulumiAwsNative/1.12"), Tool.PULUMI),
    "CloudFormation on somebody's behalf": (
        agent("cloudformation.amazonaws.com", invoked_by="cloudformation.amazonaws.com"),
        Tool.CLOUDFORMATION,
    ),
    "CloudFormation by its address alone": (
        agent("", source_ip="cloudformation.amazonaws.com"),
        Tool.CLOUDFORMATION,
    ),
    "CloudFormation for the CDK": (
        agent("", invoked_by="cloudformation.amazonaws.com", issuer=CDK_ROLE),
        Tool.CDK,
    ),
    "a role that is only named like the CDK's": (agent("curl/8", issuer=CDK_ROLE), Tool.OTHER),
    "the CDK by itself": (agent("aws-sdk-js/3.6 aws-cdk/2.160.0"), Tool.CDK),
    "ACK": (agent("aws-controllers-k8s/ecr.services.k8s.aws-v1.0.21 (GitCommit/0ab)"), Tool.ACK),
    "the CLI": (
        agent("aws-cli/2.22.0 md/awscrt#0.23.8 exec-env/CloudShell command/ecr.set-repository-policy"),
        Tool.CLI,
    ),
    "the console": (agent("console.amazonaws.com"), Tool.CONSOLE),
    "a browser": (agent("Mozilla/5.0 (X11; Linux x86_64)"), Tool.CONSOLE),
    "an SDK": (agent("Boto3/1.35.0 md/Botocore#1.35.0"), Tool.OTHER),
    "no user agent": (agent(""), Tool.OTHER),
    "nobody is known": (None, Tool.UNKNOWN),
}


@pytest.mark.parametrize("name", CASES)
def test_tool(name: str) -> None:
    writer, tool = CASES[name]
    assert tool_of(writer) is tool


ADDRESSES = (
    repository_policy(REPOSITORY),
    role(ROLE),
    trust_policy(ROLE),
    *(identity_policy(one, "p") for one in (ROLE, USER)),
    *(attached_policy(one, "arn:aws:iam::aws:policy/P") for one in (ROLE, USER)),
)
WRITERS = {tool: writer for writer, tool in CASES.values()}


@pytest.mark.parametrize("tool", Tool)
def test_each_tool_has_advice_on_each_document(tool: Tool) -> None:
    assert {address.kind for address in ADDRESSES} == {*AddressKind}
    for address in ADDRESSES:
        *_, other, page = advice(WRITERS[tool], address)
        assert f"ecr-warden pause {address.target} " in other
        assert "docs/beside-other-tools.md" in page
