"""stacks/deployer-policy.json: what the stacks' resources take, and no more."""

import json

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
