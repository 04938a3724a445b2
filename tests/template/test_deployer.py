"""stacks/deployer-policy*.json: what the stacks' resources take and what the command calls, and no more."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.tables import load
from tests.template.cfn import ALL, ROOT
from tests.template.cfn import load as template

POLICIES = {path.name: json.loads(path.read_text()) for path in (ROOT / "stacks").glob("deployer-policy*.json")}
BY_SID = {one["Sid"]: one for policy in POLICIES.values() for one in policy["Statement"]}
CASES: Any = load((ROOT / "tests" / "cases" / "deployer.yaml").read_text())
TAKEN: dict[str, dict[str, list[str]]] = CASES["types"]
# What sam makes of its types.
MADE = {
    "AWS::Serverless::Function": {
        *("AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig")
    },
    "AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion"},
}


def test_it_has_nothing_that_changes_what_no_type_of_resource_takes() -> None:
    templates = (*ALL, template("stacks/organization.yaml"))
    kinds = {body["Type"] for one in templates for body in one.body["Resources"].values()}
    assert {*TAKEN} == {kind for given in kinds for kind in MADE.get(given, {given})}
    given = {action for sid in ("WhatStacksMake", "WhatHasNoName", "StackSets") for action in BY_SID[sid]["Action"]}
    changing = {one for one in given if not one.split(":")[1].startswith(("Get", "List", "Describe"))}
    assert changing - {action for kind in TAKEN for action in _actions(kind, "changes")} == set()


@pytest.mark.parametrize("kind", TAKEN)
def test_what_a_type_of_resource_takes_is_allowed_on_what_it_acts_on(kind: str) -> None:
    wanted = [one for part in ("changes", "reads") for action in _actions(kind, part) for one in _on(kind, action)]
    assert [one for one in wanted if not _allows(*one)] == []


def _actions(kind: str, part: str) -> list[str]:
    """As IAM has them; those of the type's own service stand without it."""
    service = TAKEN[kind]["of"][0].split(":")[2]
    return [one if ":" in one else f"{service}:{one}" for one in TAKEN[kind][part]]


def _on(kind: str, action: str) -> Iterator[tuple[str, str]]:
    """The action with each resource of its service, or with none."""
    if action in CASES["without_resource"]:
        yield action, "*"
        return
    yield from ((action, arn) for arn in TAKEN[kind]["of"] if arn.split(":")[2] == action.split(":", maxsplit=1)[0])


def _allows(action: str, arn: str) -> bool:
    """Whether a statement does; the other side of its condition is that CloudFormation calls."""
    return any(
        any(fnmatchcase(action, one) for one in statement["Action"])
        and any(one == "*" or (arn != "*" and fnmatchcase(arn, one)) for one in _several(statement["Resource"]))
        for sid, statement in BY_SID.items()
        if sid != "DetachOurPolicies"
    )


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_what_stacks_make_is_made_by_stacks_alone_and_is_ours() -> None:
    called_via = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    assert {sid for sid, one in BY_SID.items() if one.get("Condition") == called_via} == {
        *("WhatStacksMake", "WhatHasNoName")
    }
    for sid, statement in BY_SID.items():
        if statement["Resource"] != "*":
            assert all("ecr-warden" in one or one.endswith(_ANYBODYS) for one in statement["Resource"]), sid
    assert {sid for sid, statement in BY_SID.items() if statement["Resource"] == "*"} == {
        *("WhatHasNoName", "DetachOurPolicies", "Lists")
    }


_ANYBODYS = (":changeSet/*", "::type/resource/*", ":event-source-mapping:*")


@pytest.mark.parametrize("name", POLICIES)
def test_each_fits_into_a_managed_policy(name: str) -> None:
    # IAM counts no white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert len(json.dumps(POLICIES[name], separators=(",", ":"))) <= 6144


# What `deploy`, `remove` and the end of `deploy` call themselves: the operations that these name, by service and file.
CALLED = [
    ("cloudformation", "deployment/aws_cloudformation.py"),
    ("s3", "deployment/aws_cloudformation.py"),
    ("lambda", "deployment/aws_accounts.py"),
    ("organizations", "deployment/aws_accounts.py"),
    ("ssm", "deployment/aws_accounts.py"),
    ("secretsmanager", "deployment/aws_accounts.py"),
    ("iam", "deployment/aws_remains.py"),
    ("dynamodb", "deployment/aws_remains.py"),
    ("logs", "deployment/aws_remains.py"),
    ("s3", "deployment/aws_remains.py"),
    ("s3", "terminal/aws_hub.py"),
    ("ssm", "terminal/aws_hub.py"),
    ("lambda", "terminal/aws_hub.py"),
]
OTHERWISE = {
    "s3:ListBuckets": ["s3:ListAllMyBuckets"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:GetObject": ["s3:GetObject", "s3:GetObjectVersion"],  # of a version
    "lambda:GetLayerVersionByArn": ["lambda:GetLayerVersion"],
    "lambda:Invoke": ["lambda:InvokeFunction"],
}


@pytest.mark.parametrize(("service", "file"), CALLED)
def test_it_has_what_deploy_and_remove_call_themselves(service: str, file: str) -> None:
    source = (ROOT / "cli" / "ecr_warden_cli" / file).read_text()
    operations = get_session().get_service_model(service).operation_names
    words = {*re.findall(r"[a-z]+(?:_[a-z0-9]+)*", source)}
    words |= {f"detach_{kind}_policy" for kind in ("user", "group", "role") if "detach_{kind}_policy" in source}
    named = [f"{service}:{name}" for name in operations if xform_name(name) in words]
    called = {action for one in named for action in OTHERWISE.get(one, [one])}
    direct = [one for one in BY_SID.values() if "aws:CalledVia" not in str(one.get("Condition"))]
    allowed = [action for statement in direct for action in statement["Action"]]
    assert called
    assert {one for one in called if not any(fnmatchcase(one, given) for given in allowed)} == set()
