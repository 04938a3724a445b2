"""stacks/deployer-policy.json: what the stacks' resources take, and no more."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.tables import load
from tests.template.cfn import ALL, ROOT
from tests.template.cfn import load as template

POLICY = json.loads((ROOT / "stacks" / "deployer-policy.json").read_text())
BY_SID = {statement["Sid"]: statement for statement in POLICY["Statement"]}
TAKEN: dict[str, list[str]] = load((ROOT / "tests" / "cases" / "deployer.yaml").read_text())
# What sam makes of its types.
MADE = {
    "AWS::Serverless::Function": {
        *("AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig")
    },
    "AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion"},
}


def test_it_has_what_every_type_of_resource_takes_and_nothing_else_that_changes_one() -> None:
    templates = (*ALL, template("stacks/organization.yaml"))
    kinds = {body["Type"] for one in templates for body in one.body["Resources"].values()}
    assert {*TAKEN} == {kind for given in kinds for kind in MADE.get(given, {given})}
    given = {action for sid in ("WhatStacksMake", "WhatHasNoName", "StackSets") for action in BY_SID[sid]["Action"]}
    changing = {one for one in given if not one.split(":")[1].startswith(("Get", "List", "Describe"))}
    assert changing == {action for actions in TAKEN.values() for action in actions}


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


_ANYBODYS = (":changeSet/*", "::type/resource/*")


def test_it_fits_into_a_managed_policy() -> None:
    # IAM counts no white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 6144


# What `deploy` and `remove` call themselves: the operations that their adapters name, by the service of each.
CALLED = {
    "cloudformation": "aws_cloudformation.py",
    "organizations": "aws_sessions.py",
    "iam": "aws_remains.py",
    "dynamodb": "aws_remains.py",
    "logs": "aws_remains.py",
    "s3": "aws_remains.py",
}
OTHERWISE = {"s3:ListBuckets": "s3:ListAllMyBuckets"}


@pytest.mark.parametrize("service", CALLED)
def test_it_has_what_deploy_and_remove_call_themselves(service: str) -> None:
    source = (ROOT / "cli" / "ecr_warden_cli" / "deployment" / CALLED[service]).read_text()
    operations = get_session().get_service_model(service).operation_names
    words = {*re.findall(r"[a-z]+(?:_[a-z]+)+", source)}
    words |= {f"detach_{kind}_policy" for kind in ("user", "group", "role") if "detach_{kind}_policy" in source}
    called = {
        OTHERWISE.get(one, one) for name in operations if xform_name(name) in words for one in [f"{service}:{name}"]
    }
    direct = [one for one in POLICY["Statement"] if "aws:CalledVia" not in str(one.get("Condition"))]
    allowed = [action for statement in direct for action in statement["Action"]]
    assert called
    assert {one for one in called if not any(fnmatchcase(one, given) for given in allowed)} == set()
