"""What AWS takes at most, of what the templates make: filled with as much as a deployment can have.

Sources: the quotas of EventBridge, IAM, Lambda and CloudFormation in their user guides.
"""

import json

import pytest

from ecr_warden_cli.deployment.file import MAX_ACCOUNTS
from tests.template.cfn import ALL, HUB, MEMBER, Node, Template, load

# Those of ecr-warden.yaml, and the hub's own.
ACCOUNTS = [f"{number:012}" for number in range(MAX_ACCOUNTS + 1)]
NAMES = {"AWS::StackName": "n" * 128, "AWS::Partition": "aws", "AWS::AccountId": ACCOUNTS[0], "AWS::Region": "r" * 14}
LONG = "a" * 120
"""More than any ARN, URL or parameter that stands in a pattern, policy or variable, but for lists."""


def _filled(value: Node) -> Node:
    """The value with all references at their longest; without an organization."""
    match value:
        case {"Ref": "MemberAccounts"}:
            return ACCOUNTS
        case {"Ref": str(name)} | {"Fn::Sub": [str(name), dict()]}:
            return NAMES.get(name, LONG)
        case {"Fn::GetAtt": _}:
            return LONG
        case {"Fn::Sub": str(text)}:
            for name, filled in NAMES.items():
                text = text.replace(f"${{{name}}}", filled)
            return text
        case {"Fn::If": ["HasOrganization", _, other]}:
            return _filled(other)
        case {"Fn::If": [_, given, _]}:
            return _filled(given)
        case dict():
            return {key: _filled(one) for key, one in value.items()}
        case list():
            return [_filled(one) for one in value]
    return value


def _size(value: Node) -> int:
    return len(json.dumps(_filled(value), separators=(",", ":")))


RULES = [(template, name) for template in ALL for name in template.resources("AWS::Events::Rule")]
ROLES = [(template, name) for template in (HUB, MEMBER) for name in template.resources("AWS::IAM::Role")]


@pytest.mark.parametrize(("template", "rule"), RULES, ids=[name for _, name in RULES])
def test_the_pattern_of_a_rule_fits(template: Template, rule: str) -> None:
    assert _size(template.properties(rule).get("EventPattern", {})) <= 2048


def test_the_policy_of_the_bus_fits_with_every_account() -> None:
    # As it is kept, each account is its root's ARN.
    of_account = len("arn:aws:iam:::root")
    assert _size(HUB.properties("TrailBusPolicy")["Statement"]) + len(ACCOUNTS) * of_account <= 10_240


@pytest.mark.parametrize(("template", "role"), ROLES, ids=[name for _, name in ROLES])
def test_the_policies_of_a_role_fit(template: Template, role: str) -> None:
    properties = template.properties(role)
    assert _size(properties["Policies"]) <= 10_240
    assert _size(properties["AssumeRolePolicyDocument"]) <= 2048


@pytest.mark.parametrize("function", HUB.resources("AWS::Serverless::Function"))
def test_the_variables_of_a_function_fit(function: str) -> None:
    # The ExternalId alone may have 1,224 characters.
    assert _size(HUB.properties(function)["Environment"]["Variables"]) + 1224 <= 4096


@pytest.mark.parametrize("template", [*ALL, load("stacks/organization.yaml")], ids=lambda one: one.name)
def test_a_template_has_no_more_parts_than_cloudformation_takes(template: Template) -> None:
    most = {"Parameters": 200, "Outputs": 200, "Resources": 500}
    assert {
        part: len(template.body.get(part, ())) for part, many in most.items() if len(template.body[part]) > many
    } == {}


def test_a_list_of_every_account_is_a_parameter() -> None:
    assert len(",".join(ACCOUNTS)) <= 4096
