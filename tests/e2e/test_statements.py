"""Each permission statement of each of our roles: a named step needs it.

Where a statement alone allows an action, that the step asks for it shows as much. The others are taken away in turn.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import ROOT
from local.demo import edits
from local.demo.places import CI, REGION, REGISTRY, REPOSITORY
from local.demo.tampers import lets_everybody_in
from local.testing.waiting import NeverCame, until
from tests.e2e.house import House
from tests.e2e.roles import DENIED, Statement, actions_of, asked, heal, push_session, refused, role_of, unseen, without
from tests.e2e.steps import ELSEWHERE, STEPS, UNASKED, Step
from tests.template.cfn import HUB, MEMBER, listed


def only_here(statement: Statement) -> set[str]:
    """The actions that the statement allows and no other one of its role: without it each of them is refused."""
    if statement.trust:
        return set()
    role = f"{statement.role.capitalize()}Role"
    template = HUB if role in HUB.body["Resources"] else MEMBER
    others = [one for one in template.policy(role) if one["Effect"] == "Allow"]
    [this] = [one for one in others if one.get("Sid") == statement.sid]
    return {*listed(this["Action"])} - {action for one in others if one is not this for action in listed(one["Action"])}


BOUNDARY = f"arn:aws:iam::{REGISTRY}:policy/ecr-warden/ecr-warden-boundary"


# Their steps ask for other actions than those that no other statement allows.
_SHARED = {
    Statement("accept", "ReadSpec"),
    Statement("alert", "GatherOutcomes"),
    Statement("write", "TakeAwayFromOwnRoles"),
}
ALONE = {statement: set() if statement in _SHARED else only_here(statement) for statement in STEPS}


@dataclass(frozen=True, slots=True)
class Done:
    """A step done with every statement: whether it came to its end, and what our roles asked for meanwhile."""

    works: bool
    refused: list[set[str]]
    made: set[tuple[str, str]]


@pytest.fixture(scope="module")
def steps(deployed: House) -> dict[str, Done]:
    """Each step, done once."""
    each = {step.name: step for step in STEPS.values()}
    return {name: _done(deployed, step) for name, step in each.items()}


def _done(house: House, step: Step) -> Done:
    house.settle()
    since, works = step.begin(house)
    has_come = False
    with suppress(NeverCame):
        has_come = bool(until(works, what=step.name))
    house.quiet.wait(since.mark)
    roles = {statement.role for statement in STEPS}
    calls = [(role, call) for call in house.stage.aws.calls(since.mark) if (role := role_of(call)) in roles]
    return Done(
        has_come,
        [asked(call) for _, call in calls if call.error in DENIED],
        {(role, action) for role, call in calls if not call.error for action in asked(call)},
    )


@pytest.mark.parametrize("name", dict.fromkeys(step.name for step in STEPS.values()))
def test_with_every_statement_a_step_completes_and_nothing_is_refused(steps: dict[str, Done], name: str) -> None:
    assert (steps[name].works, steps[name].refused) == (True, [])


@pytest.mark.parametrize("statement", [one for one, actions in ALONE.items() if actions], ids=str)
def test_a_step_asks_for_what_a_statement_alone_allows(steps: dict[str, Done], statement: Statement) -> None:
    made = steps[STEPS[statement].name].made
    assert {action for role, action in made if role == statement.role} & ALONE[statement]


@pytest.mark.parametrize("statement", [one for one, actions in ALONE.items() if not actions], ids=str)
def test_without_a_statement_its_step_fails_for_the_lack_of_it(house: House, statement: Statement) -> None:
    step, actions = STEPS[statement], actions_of(house, statement)
    who = "reconcile" if statement.trust else statement.role
    try:
        with without(house, statement):
            since, works = step.begin(house)
            until(
                lambda: [call for call in refused(house, since, who) if asked(call) & actions],
                what=f"a refusal of {actions} to {who}",
            )
            assert not works(), f"{step.name}, though {statement} was taken away"
    finally:
        heal(house)


def test_without_its_statement_the_forward_role_forwards_no_event(house: House) -> None:
    statement = Statement("forward", "HubBuses")
    known = len(house.stage.aws.undelivered())
    try:
        with without(house, statement):
            edits.edit_repository(house.stage.people.registry_admin, REPOSITORY, lets_everybody_in)
            until(lambda: house.stage.aws.undelivered()[known:], what="an event that is not delivered")
            assert house.stage.aws.undelivered()[-1]["error_code"] == "NO_PERMISSIONS"
            assert not house.is_right()
    finally:
        heal(house)


@pytest.fixture
def entering(house: House) -> Iterator[Any]:
    """IAM in the registry as the write role may use it whole, entered from reconcile's role."""
    iam, role = house.stage.aws.client(CI, "iam"), "ecr-warden-reconcile"
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    let_in = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CI}:root"}, "Action": "sts:AssumeRole"}
    opened = {**before, "Statement": [*before["Statement"], let_in]}
    with unseen(house):
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    sts = house.stage.aws.client(CI, "sts")
    hub = sts.assume_role(RoleArn=f"arn:aws:iam::{CI}:role/{role}", RoleSessionName="t1")
    entered = house.stage.aws.assumed_client(hub["Credentials"], "sts").assume_role(
        RoleArn=f"arn:aws:iam::{REGISTRY}:role/ecr-warden/ecr-warden-write",
        RoleSessionName="ecrw-t1",
        SourceIdentity="ecrw-t1",
        ExternalId="demo-external-id",
    )
    yield house.stage.aws.assumed_client(entered["Credentials"], "iam")
    with unseen(house):
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))


def test_without_the_denial_the_write_role_could_destroy_its_own_access(house: House, entering: Any) -> None:
    def code() -> str:
        with pytest.raises(ClientError) as error:
            entering.delete_role_policy(RoleName="ecr-warden-forward", PolicyName="none-such")
        return str(error.value.response["Error"]["Code"])

    assert code() == "AccessDenied"
    with without(house, Statement("write", "NeverItself")):
        assert code() == "NoSuchEntity"
    assert code() == "AccessDenied"


@pytest.mark.parametrize("sid", ["LogIn", "PushAndPull"])
def test_without_a_statement_of_the_boundary_a_push_role_cannot_do_what_it_bounds(house: House, sid: str) -> None:
    keys, aws = push_session(house), house.stage.aws
    ecr, iam = aws.client_with(keys.key, keys.secret, keys.token, "ecr", REGION), aws.client(REGISTRY, "iam")

    def done() -> dict[str, bool]:
        where = {"registryId": REGISTRY, "repositoryName": REPOSITORY}
        return {
            "LogIn": _allowed(ecr.get_authorization_token),
            "PushAndPull": _allowed(ecr.initiate_layer_upload, **where),
        }

    assert done() == {"LogIn": True, "PushAndPull": True}
    version = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["DefaultVersionId"]
    whole = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId=version)["PolicyVersion"]["Document"]
    less = {**whole, "Statement": [one for one in whole["Statement"] if one["Sid"] != sid]}
    made = iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=json.dumps(less), SetAsDefault=True)
    try:
        assert done() == {"LogIn": True, "PushAndPull": True} | {sid: False}
    finally:
        iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=json.dumps(whole), SetAsDefault=True)
        for old in (version, made["PolicyVersion"]["VersionId"]):
            iam.delete_policy_version(PolicyArn=BOUNDARY, VersionId=old)
    assert done() == {"LogIn": True, "PushAndPull": True}


def _allowed(call: Any, **given: Any) -> bool:
    try:
        call(**given)
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), error
        return False
    return True


def test_no_statement_of_ours_is_left_out() -> None:
    found = set()
    taken = {given["Fn::If"][1]["Ref"] for given in MEMBER.properties("WriteRole")["ManagedPolicyArns"]}
    for place in (*HUB.statements(), *MEMBER.statements()):
        if place.resource_type not in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy") or "Sid" not in place.body:
            continue
        name = place.place.split()[1]
        if name in taken:
            managed = MEMBER.properties(name)["ManagedPolicyName"]
            found.add(Statement("write", place.body["Sid"], managed=managed))
            continue
        role = name.removesuffix("Role").removesuffix("Policy").lower()
        found.add(Statement(role, place.body["Sid"], trust="Principal" in place.body))
    assert found == {*STEPS, *ELSEWHERE, *UNASKED}


def test_what_is_left_to_the_templates_is_stated() -> None:
    page = (ROOT / "docs" / "supported.md").read_text()
    assert {one.sid for one in UNASKED if f"`{one.sid}`" not in page} == set()
