"""What somebody changes beside CloudFormation is named by a change set that reverts drift, and ended by executing it.

The rows rest on the embedded AWS's reading of REVERT_DRIFT (local/aws/emulator/bridges/stack_drift.py), by
CloudFormation's documentation: nobody has tried it on an account.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ecr_warden_cli.deployment.aws_cloudformation import AwsStacks
from ecr_warden_cli.deployment.ports import Proposal
from local.aws.deploy import Place, create
from local.aws.launcher import ROOT, EmulatedAws
from tests.local.support import NewAccount

REGION, HUB = "us-east-1", "111111111111"
VERSION = {"Version": "2012-10-17"}
ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
OPEN = json.dumps({**VERSION, "Statement": [ANYBODY]})
WIDE = json.dumps({**VERSION, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
BUS = f"arn:aws:events:eu-central-1:{HUB}:event-bus/ecr-warden-trail"
STACKS = {
    "member": {"HubAccount": HUB, "ExternalId": "external-id", "HubBusArns": BUS},
    "events": {"HubBusArn": BUS},
}

type Client = Callable[[str], Any]


def boundary(client: Client) -> str:
    policies = client("iam").list_policies(Scope="Local")["Policies"]
    return next(str(one["Arn"]) for one in policies if one["PolicyName"] == "ecr-warden-boundary")


ROWS: Mapping[str, tuple[Callable[[Client], object], str, str]] = {
    "anybody may use a role": (
        lambda c: c("iam").update_assume_role_policy(RoleName="ecr-warden-read", PolicyDocument=OPEN),
        "member",
        "ReadRole",
    ),
    "a role has one policy more": (
        lambda c: c("iam").put_role_policy(RoleName="ecr-warden-forward", PolicyName="more", PolicyDocument=WIDE),
        "member",
        "ForwardRole",
    ),
    "a policy of AWS's is attached": (
        lambda c: c("iam").attach_role_policy(
            RoleName="ecr-warden-read", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "member",
        "ReadRole",
    ),
    "the boundary is wide": (
        lambda c: c("iam").create_policy_version(PolicyArn=boundary(c), PolicyDocument=WIDE, SetAsDefault=True),
        "member",
        "Boundary",
    ),
    "a rule is off": (lambda c: c("events").disable_rule(Name="ecr-warden-forward-iam"), "events", "ForwardIam"),
    "a rule leads nowhere": (
        lambda c: c("events").remove_targets(Rule="ecr-warden-forward-ecr", Ids=["hub"]),
        "events",
        "ForwardEcr",
    ),
    "a rule is gone": (
        lambda c: [
            c("events").remove_targets(Rule="ecr-warden-forward-own", Ids=["hub"]),
            c("events").delete_rule(Name="ecr-warden-forward-own"),
        ],
        "events",
        "ForwardOwn",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_drift_is_named_and_reverted(aws: EmulatedAws, new_account: NewAccount, name: str) -> None:
    breaks, stack, said = ROWS[name]
    account, place = new_account(), f"ecr-warden-{stack}"
    template = ROOT / "stacks" / f"{stack}.yaml"
    create(aws, Place(account, REGION, place), template, STACKS[stack])
    stacks = AwsStacks(aws.client(account, "cloudformation", REGION), account, lambda _: None)
    parameters = stacks.read(place)
    assert parameters is not None

    def proposed(*, repairs: bool) -> Any:
        proposal = Proposal(place, template.read_text(), parameters.parameters, repairs=repairs)
        return stacks.propose(proposal)

    assert stacks.changes(proposed(repairs=True)) is None, "nobody has changed anything"
    breaks(lambda service: aws.client(account, service, REGION))
    assert stacks.changes(proposed(repairs=False)) is None, "another change set does not see it"
    change_set = proposed(repairs=True)
    assert [one.logical_id for one in stacks.changes(change_set) or ()] == [said]
    stacks.execute(change_set)
    assert stacks.finished(change_set).status == "UPDATE_COMPLETE"
    assert stacks.changes(proposed(repairs=True)) is None
