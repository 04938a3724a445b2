"""The stacks that a deployment stands for, and the ways into its accounts."""

from copy import replace

import pytest

from ecr_warden.core.own_access import Writes
from ecr_warden_cli.deployment.ports import StackPlace
from ecr_warden_cli.deployment.sessions import Ways, find_ways
from ecr_warden_cli.deployment.stacks import doubts, read_only, stacks_of
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount, Organization
from ecr_warden_cli.terminal.context import UsageError

CI, REGISTRY, REGION = "111111111111", "222222222222", "eu-central-1"
BUS = f"arn:aws:events:{REGION}:{CI}:event-bus/ecr-warden-trail"
TWO = Deployment(
    CI,
    REGION,
    (
        MemberAccount("ci", CI, owners=("user/push-user", "user/ci/*")),
        MemberAccount("registry", REGISTRY, (REGION, "us-east-1"), roles=("role/build",)),
    ),
    email="team@example.com",
)
UNITS = Organization("o-a1", REGISTRY, ("ou-1", "ou-2"), (REGION,), Writes.IDENTITIES, ("user/ci/*",))


def parameters(deployment: Deployment, name: str, account: str) -> dict[str, str]:
    [found] = [one for one in stacks_of(deployment, "x") if one.template == name and one.place.account == account]
    return {key: value for key, value in found.parameters.items() if value}


def test_where_the_stacks_of_two_accounts_are() -> None:
    assert [str(stack.place) for stack in stacks_of(TWO, "x")] == [
        f"ecr-warden in {CI}/{REGION}",
        f"ecr-warden-member in {CI}/us-east-1",
        f"ecr-warden-member in {REGISTRY}/us-east-1",
        f"ecr-warden-events in {CI}/{REGION}",
        f"ecr-warden-events in {CI}/us-east-1",
        f"ecr-warden-events in {REGISTRY}/{REGION}",
        f"ecr-warden-events in {REGISTRY}/us-east-1",
    ]


def test_what_the_stacks_are_given() -> None:
    hub = {"ExternalId": "x", "MemberAccounts": f"{CI},{REGISTRY}", "AlertEmail": "team@example.com"}
    often = {"SweepSchedule": "rate(15 minutes)", "SweepAlarmHours": "1"}
    assert parameters(TWO, "hub", CI) == {**hub, **often, "OwnSwitch": "false"}
    shared = {"HubAccount": CI, "ExternalId": "x", "HubBusArns": BUS, "Writes": "all", "OwnBoundary": "true"}
    owners = f"arn:aws:iam::{CI}:user/push-user,arn:aws:iam::{CI}:user/ci/*"
    assert parameters(TWO, "member", CI) == {**shared, "ManagedOwners": owners}
    assert parameters(TWO, "member", REGISTRY) == {**shared, "ManagedRoles": f"arn:aws:iam::{REGISTRY}:role/build"}


def test_an_organization_gets_one_stack_and_the_hubs_account_its_own() -> None:
    deployment = Deployment(CI, REGION, (), UNITS, role_boundary="path/limit")
    *own, organization = stacks_of(deployment, "x", ("999999999999", "r-1"))
    assert [str(stack.place) for stack in own] == [
        f"ecr-warden in {CI}/{REGION}",
        f"ecr-warden-member in {CI}/us-east-1",
        f"ecr-warden-events in {CI}/{REGION}",
        f"ecr-warden-events in {CI}/us-east-1",
    ]
    hub = parameters(deployment, "hub", CI)
    assert (hub["OrganizationId"], hub["SweepSchedule"], "MemberAccounts" in hub) == ("o-a1", "rate(1 hour)", False)
    assert parameters(deployment, "member", CI)["OwnBoundary"] == "false"
    skipped = [one for one in stacks_of(deployment, "x", (CI, "r-1")) if one.template == "member"]
    assert [one.parameters["OwnBoundary"] for one in skipped] == ["true"], "StackSets skip the management account"
    assert parameters(deployment, "member", CI)["Writes"] == "none"
    assert organization.place == StackPlace(REGISTRY, REGION, "ecr-warden-organization")
    assert {name: value for name, value in organization.parameters.items() if value} == {
        "CallAs": "DELEGATED_ADMIN",
        "ManagementAccount": "999999999999",
        "OrganizationRoot": "r-1",
        "MemberUnits": "ou-1,ou-2",
        "OwnStacks": CI,
        "EventRegions": f"us-east-1,{REGION}",
        "HubAccount": CI,
        "ExternalId": "x",
        "HubBusArn": BUS,
        "Writes": "identities",
        "RoleBoundary": "path/limit",
        "ManagedOwners": "arn:aws:iam::*:user/ci/*",
    }


DOUBTS = {
    "neither": (TWO, []),
    "a region that has to be enabled": (
        replace(TWO, hub_region="eu-south-2"),
        ["eu-south-2 has to be enabled in each"],
    ),
    "a region that nobody knows yet": (replace(TWO, hub_region="eu-west-9"), ["eu-west-9 has to be enabled in each"]),
    "a boundary that a company demands": (
        replace(TWO, role_boundary="company/limit"),
        ["a policy that demands company/limit on every role has to leave role/ecr-warden/* out"],
    ),
    "one, where only the accounts of units have push roles": (
        replace(TWO, members=(), organization=replace(UNITS, writes=Writes.ALL), role_boundary="company/limit"),
        ["has to leave role/ecr-warden/* out"],
    ),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_what_may_be_in_the_way_is_said_before(case: str) -> None:
    deployment, said = DOUBTS[case]
    found = [*doubts(deployment)]
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


def test_read_only_writes_nowhere() -> None:
    found = [stack.parameters.get("Writes") for stack in stacks_of(read_only(replace(TWO, organization=UNITS)), "x")]
    assert {one for one in found if one is not None} == {Writes.NONE}


SCHEDULES = {
    "up to twenty accounts": (20, "", ("rate(15 minutes)", "1")),
    "more": (21, "", ("rate(1 hour)", "3")),
    "as the file says": (2, "rate(2 hours)", ("rate(2 hours)", "6")),
    "longer than the alarm can wait": (2, "rate(1 day)", ("rate(1 day)", "24")),
    "no rate": (2, "cron(0 * * * ? *)", ("cron(0 * * * ? *)", "24")),
}


@pytest.mark.parametrize("case", SCHEDULES)
def test_schedule(case: str) -> None:
    many, schedule, wanted = SCHEDULES[case]
    members = tuple(MemberAccount(f"a{number}", f"{number + int(CI):012}") for number in range(many))
    found = parameters(replace(TWO, members=members, schedule=schedule), "hub", CI)
    assert (found["SweepSchedule"], found["SweepAlarmHours"]) == wanted


def test_many_owners_take_further_lists() -> None:
    names = tuple(f"user/pull-user-{number:04}" for number in range(200))
    found = parameters(Deployment(CI, REGION, (MemberAccount("ci", CI, owners=names),)), "member", CI)
    lists = [found[name] for name in ("ManagedOwners", "ManagedOwners2", "ManagedOwners3")]
    assert sum(len(one.split(",")) for one in lists) == 200
    assert all(len(one) <= 4096 for one in lists)


WAYS: dict[str, tuple[list[str], Ways | str]] = {
    "none": ([], Ways({}, "", None)),
    "one for all": (["admin"], Ways({}, "", "admin")),
    "by name and by ID": (["ci=a", f"{REGISTRY}=b"], Ways({CI: "a", REGISTRY: "b"}, "", None)),
    "no such account": (["registri=b"], "did you mean registry?"),
    "an account twice": (["ci=a", f"{CI}=b"], "write each account once"),
    "an account twice by its name": (["ci=a", "ci=b"], "write each account once"),
    "an account that the file does not name": (
        ["old=a"],
        "--profile old=a names no account of the file: old; write each",
    ),
    "no profile": (["ci="], "write each account once"),
    "two alone": (["a", "b"], "write ACCOUNT=PROFILE"),
}


@pytest.mark.parametrize("case", WAYS)
def test_ways(case: str) -> None:
    profiles, wanted = WAYS[case]
    if isinstance(wanted, Ways):
        assert find_ways(profiles, "", TWO, None) == wanted
        assert find_ways(profiles, "role", TWO, "otherwise") == replace(
            wanted, role="role", source=wanted.source or "otherwise"
        )
    else:
        with pytest.raises(UsageError) as caught:
            find_ways(profiles, "", TWO, None)
        assert wanted in f"{caught.value.message}; {caught.value.remedy}"
