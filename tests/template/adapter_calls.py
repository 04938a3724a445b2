"""The AWS calls in the product's adapters, read from their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.session import get_session

from tests.template.cfn import ROOT

WARDEN = ROOT / "layers" / "warden" / "ecr_warden"
SERVICES = (
    *("cloudformation", "cloudtrail", "dynamodb", "ecr", "events", "iam", "lambda", "s3"),
    *("secretsmanager", "sns", "sqs", "ssm", "sts"),
)
# Operations that IAM knows by another name, and those that ask for more than themselves.
ACTIONS = {
    "dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:GetBucketNotificationConfiguration": {"s3:GetBucketNotification"},
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
    # Of AWS Organizations one call is made; others have names of IAM's calls.
    found["describe_organization"] = {"organizations:DescribeOrganization"}
    return {method: operations.pop() for method, operations in found.items() if len(operations) == 1}


def _methods(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.Call(ast.Attribute(attr="get_paginator"), [ast.Constant(value=name)]):
                yield str(name)
            case ast.Attribute(attr=name):  # called, or handed to what calls it
                yield name


def operations_called() -> set[str]:
    """`service:Operation` of all calls in the adapters."""
    operations = _operations()
    adapters = (*(WARDEN / "aws").glob("*.py"), *WARDEN.rglob("aws_*.py"))
    methods = {method for source in adapters for method in _methods(source)}
    return {operations[method] for method in methods if method in operations}
