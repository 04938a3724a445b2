"""With which tool somebody writes a document, as CloudTrail shows it, and what to change in that tool.

A user agent is whatever the caller sends: it helps the owner of the tool, and proves nothing.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from ecr_warden.core.address import Address, AddressKind
from ecr_warden.core.job import Actor
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.notify.wording import who_wrote

_CLOUDFORMATION = "cloudformation.amazonaws.com"
_CDK_ROLE = re.compile(r"cdk-[a-z0-9]{1,10}-cfn-exec-role-.+")


class Tool(StrEnum):
    """What people call it."""

    TERRAFORM = "Terraform"
    PULUMI = "Pulumi"
    CLOUDFORMATION = "CloudFormation"
    CDK = "AWS CDK"
    ACK = "ACK (AWS Controllers for Kubernetes)"
    CONSOLE = "the AWS console"
    CLI = "the AWS CLI"
    OTHER = "a person or another program"
    UNKNOWN = "unknown"


# Pulumi's provider is made from Terraform's, and may name both. OpenTofu's calls are those of Terraform's provider.
_BY_AGENT = (
    ("pulumi", Tool.PULUMI),
    ("hashicorp/", Tool.TERRAFORM),
    ("terraform", Tool.TERRAFORM),
    ("opentofu", Tool.TERRAFORM),
    ("aws-controllers-k8s", Tool.ACK),
    ("aws-cdk", Tool.CDK),
    ("aws-cli/", Tool.CLI),
    ("console.amazonaws.com", Tool.CONSOLE),
    ("signin.amazonaws.com", Tool.CONSOLE),
    ("mozilla/", Tool.CONSOLE),
)


def tool_of(writer: Actor | None) -> Tool:
    """The tool that made a call.

    Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    (invokedBy, userAgent), https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html (the role through which
    CloudFormation deploys for the CDK)
    """
    if writer is None:
        return Tool.UNKNOWN
    if _CLOUDFORMATION in (writer.invoked_by, writer.user_agent, writer.source_ip):
        return Tool.CDK if _CDK_ROLE.fullmatch(writer.issuer.rpartition("/")[2]) else Tool.CLOUDFORMATION
    agent = writer.user_agent.casefold()
    return next((tool for part, tool in _BY_AGENT if part in agent), Tool.OTHER)


def advice(writer: Actor | None, address: Address, *, lets_in: bool) -> Iterator[str]:
    """What to do so that the writer stops, for each tool; and what stops ecr-warden instead, unless it lets them in."""
    tool = tool_of(writer)
    yield from [_REVOKE] if lets_in and tool in _OF_PEOPLE else in_tool(tool, address)
    if tool in (Tool.CLOUDFORMATION, Tool.CDK):
        yield f"which stack: {_which_stack(address)}"
    if not lets_in:
        pause = f"ecr-warden pause {address.target} --for 2h --reason fight"
        yield f"or take the target out of the spec, or pause it: {pause}"
    yield "how to live beside other tools: docs/beside-other-tools.md"


def in_tool(tool: Tool, address: Address) -> Iterator[str]:
    """What to change in a tool so that it leaves the document to ecr-warden."""
    match tool:
        case Tool.TERRAFORM:
            resource, argument = _TERRAFORM[_key(address)]
            if argument:
                yield f"in Terraform: lifecycle {{ ignore_changes = [{argument}] }} on the {resource}"
            yield f"or have Terraform forget the {resource}: a removed block with lifecycle {{ destroy = false }}"
        case Tool.PULUMI:
            yield "in Pulumi: the option ignoreChanges on the resource; or retainOnDelete, then remove the resource"
        case Tool.CLOUDFORMATION | Tool.CDK:
            yield f"in {tool}: {_CLOUDFORMATION_PROPERTIES[_key(address)]}"
        case Tool.ACK:
            yield f"in Kubernetes: {_ACK_FIELDS[_key(address)]}"
        case Tool.CONSOLE | Tool.CLI | Tool.OTHER:
            yield f"agree with whoever it is what the spec should say, or {_REVOKE}"
        case Tool.UNKNOWN:
            yield f"no event named a writer; find out who it is: {who_wrote(address)}"


_OF_PEOPLE = (Tool.CONSOLE, Tool.CLI, Tool.OTHER)
_REVOKE = "revoke their right to write the document"


def _key(address: Address) -> str:
    """The kind of document, with its identity where tools have one resource for users and one for roles."""
    if address.kind in (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY):
        return f"{address.kind} of a {'user' if isinstance(address.target, UserTarget) else 'role'}"
    return address.kind.value


_TERRAFORM = {
    "repository-policy": ("aws_ecr_repository_policy", "policy"),
    "trust-policy": ("aws_iam_role", "assume_role_policy"),
    "role": ("aws_iam_role", "max_session_duration, permissions_boundary"),
    "identity-policy of a role": ("aws_iam_role_policy", "policy"),
    "identity-policy of a user": ("aws_iam_user_policy", "policy"),
    "attached-policy of a role": ("aws_iam_role_policy_attachment", ""),
    "attached-policy of a user": ("aws_iam_user_policy_attachment", ""),
}
_CLOUDFORMATION_PROPERTIES = {
    "repository-policy": "remove RepositoryPolicyText from the AWS::ECR::Repository",
    "trust-policy": "AssumeRolePolicyDocument cannot be left out of an AWS::IAM::Role: write what the spec says, "
    "or let ecr-warden create the role",
    "role": "remove MaxSessionDuration and PermissionsBoundary from the AWS::IAM::Role, or let ecr-warden create it",
    "identity-policy of a role": "remove the entry from Policies of the AWS::IAM::Role, or the AWS::IAM::RolePolicy",
    "identity-policy of a user": "remove the entry from Policies of the AWS::IAM::User, or the AWS::IAM::UserPolicy",
    "attached-policy of a role": "remove the ARN from ManagedPolicyArns of the AWS::IAM::Role",
    "attached-policy of a user": "remove the ARN from ManagedPolicyArns of the AWS::IAM::User",
}
_ACK_FIELDS = {
    "repository-policy": "remove spec.policy from the Repository",
    "trust-policy": "spec.assumeRolePolicyDocument cannot be left out of a Role: write what the spec says, "
    "or let ecr-warden create the role",
    "role": "remove spec.maxSessionDuration and spec.permissionsBoundary from the Role",
    "identity-policy of a role": "remove the entry from spec.inlinePolicies of the Role",
    "identity-policy of a user": "remove the entry from spec.inlinePolicies of the User",
    "attached-policy of a role": "remove the ARN from spec.policies of the Role",
    "attached-policy of a user": "remove the ARN from spec.policies of the User",
}


def _which_stack(address: Address) -> str:
    """The command that finds the stack: by the name of a repository, a role or a user, in its stack's region."""
    target = address.target
    region = target.region if isinstance(target, RepositoryTarget) else "..."
    return (
        f"aws cloudformation describe-stack-resources --profile ... --region {region} "
        f"--physical-resource-id {target.name}"
    )
