"""What the hub compares with: the content of the templates, and what CloudFormation makes of it."""

import json
from typing import Any

import pytest

from ecr_warden.collect.stacks import UnknownReference, content_of
from tests.template.cfn import EVENTS, HUB, MEMBER
from tools.make_stacks import TARGET, TEMPLATES, compared, with_digest, written

KNOWN = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "222222222222",
    "AWS::Region": "eu-central-1",
    "HubAccount": "111111111111",
    "ExternalId": "id",
    "HubBusArns": "arn:one,arn:two",
    "HubBusArn": "arn:bus",
    "ManagedOwners": "arn:aws:iam::222222222222:user/a,arn:aws:iam::222222222222:user/b",
    "OwnersPolicy": "arn:owners",
    "Boundary": "arn:boundary",
    **dict.fromkeys(("ManagedOwners2", "ManagedOwners3", "ManagedRoles"), ""),
}


def test_the_file_has_what_the_templates_say_and_the_outputs_have_its_digests() -> None:
    assert TARGET.read_text() == written(), "run: python tools/make_stacks.py"
    for name, template in (("member", MEMBER), ("events", EVENTS)):
        assert template.body["Outputs"]["Content"]["Value"] == content_of(name).digest
    assert {*json.loads(TARGET.read_text())} == {*TEMPLATES}


def test_the_digest_is_of_what_is_compared_and_of_nothing_else() -> None:
    text = "Outputs:\n  Content:\n    Description: d\n    Value: old\n  Other:\n    Value: old\n"
    assert with_digest(text, "new").count("new") == 1
    assert "Description" not in json.dumps(compared("events"))


def test_every_role_rule_and_policy_that_the_hub_looks_at_is_in_the_file() -> None:
    assert {*content_of("events").resources} == {*EVENTS.resources("AWS::Events::Rule")}
    kinds = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    assert {*content_of("member").resources} == {name for kind in kinds for name in MEMBER.resources(kind)}
    assert {*HUB.resources("AWS::Events::Rule")} <= {*content_of("hub").resources}


def test_functions_are_worked_out_as_cloudformation_does() -> None:
    member = content_of("member")
    write = member.properties("WriteRole", KNOWN)
    assert write["ManagedPolicyArns"] == ["arn:owners"]
    [statement, naming] = write["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": "id"}
    assert naming["Action"] == "sts:SetSourceIdentity"
    [owners] = member.properties("OwnersPolicy", KNOWN)["PolicyDocument"]["Statement"]
    assert owners["Resource"] == KNOWN["ManagedOwners"].split(",")
    assert member.properties("OwnersPolicy2", KNOWN) is None
    [forward] = member.properties("ForwardRole", KNOWN)["Policies"]
    assert forward["PolicyDocument"]["Statement"][0]["Resource"] == ["arn:one", "arn:two"]
    assert "Policies" not in member.properties("ForwardRole", KNOWN | {"HubBusArns": ""})


@pytest.mark.parametrize("missing", ["HubAccount", "ExternalId", "Boundary", "ManagedOwners"])
def test_what_refers_to_something_unknown_stays_open(missing: str) -> None:
    known: dict[str, Any] = {name: value for name, value in KNOWN.items() if name != missing}
    with pytest.raises(UnknownReference, match=missing):
        content_of("member").properties("WriteRole", known)
