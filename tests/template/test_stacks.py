"""What the hub compares with: the content of the templates, and what CloudFormation makes of it."""

import json
from typing import Any

import pytest
from botocore.session import get_session

from ecr_warden.collect.stacks import UnknownReference, content_of
from tests.template.cfn import EVENTS, HUB, MEMBER
from tools.make_stacks import TARGET, TEMPLATES, compared, organization, read, with_digest, written

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
    "Writes": "all",
    **dict.fromkeys(("ManagedOwners2", "ManagedOwners3", "ManagedRoles", "RoleBoundary"), ""),
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
    assert member.properties("ForwardRole", KNOWN | {"HubBusArns": ""})["Policies"] == []
    assert "PermissionsBoundary" not in write
    bounded = member.properties("ReadRole", KNOWN | {"RoleBoundary": "company/all"})
    assert bounded["PermissionsBoundary"] == "arn:aws:iam::222222222222:policy/company/all"


@pytest.mark.parametrize(
    ("writes", "made", "policies"),
    [
        ("none", set[str](), []),
        ("identities", {"WriteRole", "OwnersPolicy"}, ["never-itself"]),
        ("all", {"WriteRole", "OwnersPolicy"}, ["never-itself", "registry"]),
    ],
)
def test_what_writes_says_is_all_that_can_be_written(writes: str, made: set[str], policies: list[str]) -> None:
    member, known = content_of("member"), KNOWN | {"Writes": writes}
    found = {name: member.properties(name, known) for name in ("WriteRole", "OwnersPolicy", "OwnersPolicy2")}
    assert {name for name, properties in found.items() if properties} == made
    assert [one["PolicyName"] for one in (found["WriteRole"] or {}).get("Policies", ())] == policies


def test_the_organizations_stack_has_the_templates_in_it_and_fits_where_no_bucket_is_needed() -> None:
    """Bodies and parameters by the models of botocore; what CloudFormation makes of them nobody has tried."""
    template, model = organization(), get_session().get_service_model("cloudformation")
    assert len(json.dumps(template, separators=(",", ":"))) <= 51_200
    bodies = {name: json.loads(one["Properties"]["TemplateBody"]) for name, one in template["Resources"].items()}
    assert (bodies["Members"], bodies["Events"]) == (MEMBER.body, EVENTS.body)
    boundary = MEMBER.body["Resources"]["Boundary"]
    assert bodies["Boundary"]["Resources"] == {"Boundary": {k: v for k, v in boundary.items() if k != "Condition"}}
    members: Any = {name: {*model.shape_for(name).members} for name in _SHAPES}  # type: ignore[attr-defined]
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        assert properties.keys() <= members["CreateStackSetInput"] | {"OperationPreferences", "StackInstancesGroup"}
        assert properties["OperationPreferences"].keys() <= members["StackSetOperationPreferences"]
        assert properties["AutoDeployment"].keys() <= members["AutoDeployment"]
        for group in properties["StackInstancesGroup"]:
            assert group["DeploymentTargets"].keys() <= members["DeploymentTargets"]
        given = {one["ParameterKey"] for one in properties.get("Parameters", ())}
        assert given == bodies[name].get("Parameters", {}).keys(), "every parameter is passed on"


_SHAPES = ("CreateStackSetInput", "StackSetOperationPreferences", "AutoDeployment", "DeploymentTargets")


@pytest.mark.parametrize("path", [*TEMPLATES.values(), "stacks/organization.yaml"])
def test_a_partition_that_is_not_supported_is_refused_by_name(path: str) -> None:
    [rule] = read(path)["Rules"].values()
    [one] = rule["Assertions"]
    assert {"cn-north-1", "us-gov-west-1"} <= {*one["Assert"]["Fn::Not"][0]["Fn::Contains"][0]}
    assert "GovCloud" in one["AssertDescription"]


@pytest.mark.parametrize("missing", ["HubAccount", "ExternalId", "Writes", "ManagedOwners"])
def test_what_refers_to_something_unknown_stays_open(missing: str) -> None:
    known: dict[str, Any] = {name: value for name, value in KNOWN.items() if name != missing}
    with pytest.raises(UnknownReference, match=missing):
        content_of("member").properties("WriteRole", known)
