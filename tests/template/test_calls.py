"""Every AWS call in the product's adapters is permitted by a role, and no role may write what is never called."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.template.cfn import HUB, MEMBER, ROOT, says

ADAPTERS = ROOT / "layers" / "warden" / "ecr_warden" / "adapters"
SERVICES = ("ecr", "iam", "sts", "dynamodb", "events", "s3", "sns", "sqs", "ssm")
# Operations that IAM knows by another name, and those that ask for more than themselves.
ACTIONS = {
    "dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "iam:CreateRole": {"iam:CreateRole", "iam:TagRole"},  # it is made with our tag
    "sts:AssumeRole": {"sts:AssumeRole", "sts:SetSourceIdentity"},
}


def _operations() -> dict[str, str]:
    """The methods of boto3's clients: name -> service:Operation. A name that two services share belongs to neither."""
    session = get_session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), set()).add(f"{service}:{operation}")
    return {method: operations.pop() for method, operations in found.items() if len(operations) == 1}


def _methods(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
            yield node.func.attr


@pytest.fixture(scope="module")
def called() -> set[str]:
    """The IAM actions of all calls in the adapters."""
    operations = _operations()
    methods = {method for source in ADAPTERS.rglob("*.py") for method in _methods(source)}
    actions = {operations[method] for method in methods if method in operations}
    return {action for operation in actions for action in ACTIONS.get(operation, {operation})}


def _allowed(*statements: object) -> set[str]:
    return {
        action
        for group in statements
        for statement in (group if isinstance(group, list) else [])
        if statement["Effect"] == "Allow"
        for action in says(statement["Action"])
    }


def test_every_call_of_the_adapters_is_permitted_somewhere(called: set[str]) -> None:
    roles = [HUB.policy(f"{name}Role") for name in ("Dispatch", "Reconcile", "Alert", "Answer", "Control")]
    assert called <= _allowed(*roles, MEMBER.policy("ReadRole"), MEMBER.policy("WriteRole"))
    assert "ecr:SetRepositoryPolicy" in called


def test_every_permission_in_member_accounts_is_used(called: set[str]) -> None:
    assert _allowed(MEMBER.policy("WriteRole"), MEMBER.policy("ReadRole")) <= called


def test_every_permission_on_the_hubs_table_and_switch_is_used(called: set[str]) -> None:
    kept = {
        action
        for action in _allowed(*(HUB.policy(f"{name}Role") for name in ("Reconcile", "Alert", "Answer", "Control")))
        if action.split(":")[0] in ("dynamodb", "ssm", "events", "sns")
    }
    assert kept <= called
