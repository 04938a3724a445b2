"""`remove`: what goes, what stays, and whatever happens on the way; stacks are in memory, all else is moto's."""

import json
from collections.abc import Callable, Iterator
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import DOCUMENT_KINDS
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.run import RunEntry
from ecr_warden.core.sessions import Sessions, denial_of
from ecr_warden.hub.reply import HistoryReply
from ecr_warden.state.switch import Position
from ecr_warden_cli.deployment.aws_remains import AwsRemains
from ecr_warden_cli.deployment.ports import ChangeSet, LiveStack, StackFailed, StackPlace
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.deployment.removal import access_that_stays
from ecr_warden_cli.terminal.context import Hub, NotEntered
from local.testing.seed import SPEC_FILE, compiled
from tests.cli.command import Command, Ran
from tests.cli.test_hub import InProcess
from tests.clouds import MemoryCloud, MemoryEntered, MemoryStacks
from tests.contracts.aws import Call, Wire, moto, new_session
from tests.usecases.uploads import first
from tests.usecases.world import World

ACCOUNT, REGION = "123456789012", "eu-central-1"
FILE = f"""\
version: 1
hub: {{account: all, region: {REGION}}}
accounts:
  all: {{id: "{ACCOUNT}", regions: [{REGION}], writes: all}}
alerts: {{webhook: "ssm:/ecr-warden/webhook"}}
"""
BUCKETS = [f"ecr-warden-{which}-{ACCOUNT}-{REGION}" for which in ("code", "spec", "state")]
HUB = StackPlace(ACCOUNT, REGION, "ecr-warden")
EVENTS = [StackPlace(ACCOUNT, region, "ecr-warden-events") for region in (REGION, "us-east-1")]
MEMBER = StackPlace(ACCOUNT, "us-east-1", "ecr-warden-member")
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]})
IN, HERE = f"arn:aws:iam::{ACCOUNT}:policy", f"in {ACCOUNT}/{REGION}"
BOUNDARY = f"{IN}/ecr-warden/ecr-warden-boundary"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
MANY, STEPS = 1000, 19
"""Whoever interrupts never, or during one of all steps."""


def live(status: str, place: StackPlace, **given: Any) -> LiveStack:
    """A stack of ours."""
    kind = place.name.removeprefix("ecr-warden-") if place != HUB else "hub"
    return LiveStack(status, description=f"ecr-warden {kind} - what it does", **given)


@dataclass
class House(MemoryEntered):
    """One account where all is deployed; somebody interrupts after so many `steps`."""

    cloud: MemoryCloud = field(default_factory=MemoryCloud)
    world: World = field(default_factory=first)
    wire: Wire = field(default_factory=Wire)
    steps: int = MANY
    has_switch: bool = True

    def __post_init__(self) -> None:
        self.cloud.stacks = {place: live("CREATE_COMPLETE", place) for place in (HUB, MEMBER, *EVENTS)}
        services: list[Any] = ["iam", "s3", "logs", "dynamodb", "ssm"]
        self.iam, self.s3, self.logs, self.tables, self.ssm = (new_session().client(one, REGION) for one in services)
        for name in (*BUCKETS, "theirs"):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            self.s3.put_object(Bucket=name, Key="access.yaml")
            self.s3.delete_object(Bucket=name, Key="access.yaml")
        self.tables.create_table(
            TableName="ecr-warden",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        if self.has_switch:
            self.ssm.put_parameter(Name="/ecr-warden/writes", Type="String", Value="enabled")
        self.logs.create_log_group(logGroupName="/aws/lambda/ecr-warden-collect")
        self.iam.create_policy(PolicyName="ecr-warden-boundary", Path="/ecr-warden/", PolicyDocument=ALLOW)
        self.iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=ALLOW, SetAsDefault=True)
        self.iam.create_user(UserName="alice")
        for name in ("ecr-warden-reader", "theirs"):
            self.iam.create_policy(PolicyName=name, PolicyDocument=ALLOW)
            self.iam.attach_user_policy(UserName="alice", PolicyArn=f"{IN}/{name}")
        role = {"Path": "/ecr-warden/", "AssumeRolePolicyDocument": "{}"}
        self.iam.create_role(RoleName="ecr-warden-read", **role)
        self.iam.create_role(RoleName="ecr-pusher", PermissionsBoundary=BOUNDARY, **role)
        self.wire.session.events.register("before-call", self._count)
        self.wire.answer("iam:ListEntitiesForPolicy", self._holders)

    def stacks(self, account: str, region: str) -> "Stacks":
        self.session(account)
        return Stacks(self.cloud, account, region, self)

    def remains(self, account: str, region: str) -> AwsRemains:
        self.session(account)
        return AwsRemains(self.wire.session, account, region)

    def hub(self, account: str, region: str) -> Hub:
        return Switching(self.world, has_switch=self.has_switch, house=self)

    def spend(self) -> None:
        if not self.steps:
            raise KeyboardInterrupt
        self.steps -= 1

    def _count(self, model: Any, **_: object) -> None:
        if model.name.startswith(("Delete", "Detach")):
            self.spend()

    def _holders(self, call: Call) -> dict[str, Any]:
        """moto does not say whose boundary a policy is."""
        roles = {one["RoleName"] for one in self.iam.list_roles()["Roles"]}
        if call.parameters["PolicyArn"] == BOUNDARY and "ecr-pusher" in roles:
            return {"PolicyRoles": [{"RoleName": "ecr-pusher"}]}
        return dict(self.iam.list_entities_for_policy(**call.parameters))

    def lose(self, place: StackPlace) -> None:
        """What goes with a stack. A function that still ran makes its log anew."""
        if place == HUB:
            self.iam.delete_policy(PolicyArn=f"{IN}/ecr-warden-reader")
        if place == MEMBER:
            self.iam.delete_role(RoleName="ecr-warden-read")

    def left(self) -> set[str]:
        """Everything that is there, but for users."""
        return {
            *(str(place) for place in self.cloud.stacks),
            *(one["Name"] for one in self.s3.list_buckets()["Buckets"]),
            *self.tables.list_tables()["TableNames"],
            *(one["Name"] for one in self.ssm.describe_parameters()["Parameters"]),
            *(one["logGroupName"] for one in self.logs.describe_log_groups()["logGroups"]),
            *(one["PolicyName"] for one in self.iam.list_policies(Scope="Local")["Policies"]),
            *(one["RoleName"] for one in self.iam.list_roles()["Roles"]),
        }


@dataclass
class Stacks(MemoryStacks):
    """Stacks that take with them what they made."""

    house: House

    def delete(self, name: str) -> ChangeSet:
        self.house.spend()
        return super().delete(name)

    def deleted(self, deletion: ChangeSet) -> None:
        self.house.spend()
        super().deleted(deletion)
        self.house.lose(self.place(deletion.stack))


@dataclass(slots=True)
class Switching(InProcess):
    """A hub whose switch takes a step."""

    house: House | None = None

    def switch_writes(self, position: Position) -> None:
        assert self.house is not None
        self.house.spend()
        InProcess.switch_writes(self, position)


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto(monkeypatch):
        yield


def remove(house: House, tmp_path: Path, *argv: str, typed: bytes | None = None, file: str = FILE) -> Ran:
    (tmp_path / "ecr-warden.yaml").write_text(file)
    command = Command(entered=house, clock=house.world.clock, terminal=typed is not None)
    return command("remove", str(tmp_path / "ecr-warden.yaml"), *argv, stdin=typed or b"yes\n")


GOES = f"""\
goes, in this order:
  all writes of ecr-warden {HERE}
  attached policy {IN}/ecr-warden-reader of user/alice in all ({ACCOUNT})
  bucket for code {BUCKETS[0]} {HERE}
  stack ecr-warden {HERE}
  stack ecr-warden-events {HERE}
  stack ecr-warden-events in {ACCOUNT}/us-east-1
  stack ecr-warden-member in {ACCOUNT}/us-east-1
  stop switch /ecr-warden/writes {HERE}
  bucket {BUCKETS[1]} {HERE}
  bucket {BUCKETS[2]} {HERE}
  table ecr-warden {HERE}
all versions of the spec, what the hub remembers and its journal are lost; --keep-data keeps them
the functions' logs go with the hub's stack: export them first
to take access back first: take the grants out of the spec, ecr-warden apply SPEC --accept, and run this then
stays:
  boundary {BOUNDARY} of role/ecr-pusher in all ({ACCOUNT}): it limits what these can do, and IAM deletes no \
boundary that is in use
    ecr-warden remove
  role ecr-pusher in all ({ACCOUNT}): it gives access; its own policies have to go first
    aws iam delete-role --role-name ecr-pusher
  the key of the hub's topics: KMS deletes it after 7 days
  a backup of the table: DynamoDB deletes it after 35 days
  ssm:/ecr-warden/webhook: it was stored for the webhook, and not by ecr-warden
  repository-policy repository/222222222222/eu-central-1/shop/checkout: access stays as it is, \
and is not of ecr-warden's making as far as its history goes: a year
    aws ecr delete-repository-policy --region eu-central-1 --repository-name shop/checkout
"""
STAYS = {"ecr-warden-boundary", "ecr-pusher", "theirs"}


def test_what_goes_and_what_stays_is_shown_and_a_plan_does_nothing(tmp_path: Path) -> None:
    house = House()
    before = house.left()
    ran = remove(house, tmp_path, "--plan")
    assert ran.out[: len(GOES)] == GOES
    assert (ran.code, house.left()) == (2, before)
    assert "aws iam delete-user-policy --user-name push-user --policy-name ecr-warden-" in ran.out
    for argv, typed in (((), None), ((), b"no\n")):
        ran = remove(house, tmp_path, *argv, typed=typed)
        assert (ran.code, house.left()) == (2, before)
        assert "nothing was removed: answer yes, or add --yes" in ran.err
    shown = remove(house, tmp_path, "--json").json
    assert (shown["done"], len(shown["goes"]), shown["goes"][1]["holders"]) == (False, 11, ["user/alice"])
    assert {"what": "a backup of the table", "why": "DynamoDB deletes it after 35 days", "command": ""} in shown[
        "stays"
    ]


def test_afterwards_nothing_is_left_but_what_was_named_and_run_again_it_says_so(tmp_path: Path) -> None:
    house = House()
    ran = remove(house, tmp_path, typed=b"yes\n")
    assert (ran.code, house.left(), house.world.switch.enabled) == (0, STAYS, False)
    assert house.steps == MANY - STEPS
    assert "gone: log group /aws/lambda/ecr-warden-collect" in ran.err
    attached = house.iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["theirs"]
    again = remove(house, tmp_path, "--yes")
    assert (again.code, again.out.splitlines()[0]) == (0, "there is nothing to remove")
    house.iam.delete_role(RoleName="ecr-pusher")
    assert remove(house, tmp_path, "--yes", "--json").json["left"] == []
    assert house.left() == {"theirs"}


def cutoff(*statements: dict[str, Any], hours: int) -> str:
    """What a repair wrote so many hours ago, with statements that somebody added."""
    before = World().clock.now() - timedelta(hours=hours)
    own = json.loads(denial_of(Sessions(before)).text)["Statement"]
    return json.dumps({"Version": "2012-10-17", "Statement": [*own, *statements]})


ADDED = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
CUTOFFS = {
    "whose sessions have expired": (
        cutoff(hours=13),
        False,
        "  denial of older sessions ecr-warden-deny-older-sessions",
    ),
    "whose sessions may last": (cutoff(hours=11), True, "what it denies may last until 2026-"),
    "that somebody edited": (
        cutoff(ADDED, hours=13),
        True,
        "somebody changed it, so that it is not as ecr-warden writes it\n"
        "    aws iam delete-role-policy --role-name ecr-pusher --policy-name ecr-warden-deny-older-sessions",
    ),
}


@pytest.mark.parametrize("case", CUTOFFS)
def test_a_denial_of_older_sessions_goes_when_it_is_ours_and_denies_nobody_any_more(case: str, tmp_path: Path) -> None:
    document, stays, said = CUTOFFS[case]
    house = House()
    name = "ecr-warden-deny-older-sessions"
    house.iam.put_role_policy(RoleName="ecr-pusher", PolicyName=name, PolicyDocument=document)
    house.iam.put_role_policy(RoleName="ecr-pusher", PolicyName="theirs", PolicyDocument=ALLOW)
    ran = remove(house, tmp_path, "--yes")
    left = house.iam.list_role_policies(RoleName="ecr-pusher")["PolicyNames"]
    assert (ran.code, name in left, "theirs" in left) == (0, stays, True)
    assert said in ran.out


def test_each_document_that_stays_has_what_the_journal_says_of_who_made_it() -> None:
    accepted = compiled(SPEC_FILE.read_bytes())
    written, *others = accepted.targets.values()
    run = RunEntry("20261124T145000Z1f2e3d4c5b6a", str(written.target), Cause(CauseKind.SWEEP, "s"), NOW, written=1)
    reply = HistoryReply((run,), NOW, NOW)
    stays = {one.what: one.why for one in access_that_stays(accepted, reply)}
    for target in accepted.targets.values():
        for address in target.documents:
            if address.kind in DOCUMENT_KINDS:
                is_written = "ecr-warden wrote it" in stays[str(address)]
                assert is_written == (target == written)
    assert len(others) > 2
    unknown = access_that_stays(accepted, replace(reply, omitted=1))
    assert sum("is unknown" in one.why for one in unknown) == sum("not of ecr-warden" in why for why in stays.values())


def test_the_data_can_be_kept_for_later(tmp_path: Path) -> None:
    house = House()
    assert remove(house, tmp_path, "--yes", "--keep-data").code == 0
    assert house.left() == {*STAYS, *BUCKETS[1:], "ecr-warden"}
    assert remove(house, tmp_path, "--yes").code == 0
    assert house.left() == STAYS


# Each takes a second: `make prove` walks through all of them.
EACH_STEP = [pytest.param(step, marks=[] if step % 6 == 0 else [pytest.mark.thorough]) for step in range(STEPS)]


@pytest.mark.parametrize("steps", EACH_STEP)
def test_interrupted_at_any_step_it_says_where_it_stands_and_goes_on(steps: int, tmp_path: Path) -> None:
    house = House(steps=steps)
    ran = remove(house, tmp_path, "--yes")
    last = ran.err.splitlines()[-1]
    assert (ran.code, last.startswith("ecr-warden: interrupted; ")) == (130, True)
    assert " are gone" in last
    assert last.endswith("run the same command again: it goes on where it stands")
    house.steps = MANY
    assert (remove(house, tmp_path, "--yes").code, house.left()) == (0, STAYS)


LOOKS = {"the first look": (0, "interrupted"), "the second": (1, "11 of 11 are gone"), "the last": (2, "11 of 11")}


@pytest.mark.parametrize("case", LOOKS)
def test_interrupted_while_it_looks_it_says_how_far_it_got(case: str, tmp_path: Path) -> None:
    before, said = LOOKS[case]
    house, looks = House(), iter(range(MANY))
    house.wire.faults["s3:ListBuckets"] = lambda _: interrupt() if next(looks) == before else None
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, said in ran.err) == (130, True)
    assert ("this command has written no policy" in ran.err) is (before == 0)
    house.wire.faults.clear()
    assert (remove(house, tmp_path, "--yes").code, house.left()) == (0, STAYS)


def interrupt() -> None:
    raise KeyboardInterrupt


DENIED = (
    f"User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: ACTION with an explicit deny in a service \
control policy: arn:aws:organizations::111111111111:policy/o-a/service_control_policy/p-b"
)


def denied(action: str) -> Callable[[House], None]:
    return lambda house: house.wire.fail(action, "AccessDenied", DENIED.replace("ACTION", action))


def fails_to_delete(reason: str) -> Callable[[House], None]:
    error = StackFailed(f"{HUB} failed: Reader (AWS::IAM::ManagedPolicy): {reason}", remedy=remedy_for(reason))
    return lambda house: house.cloud.refusing.update(deleted=error)


def not_entered(house: House) -> None:
    house.cloud.refused = {ACCOUNT: NotEntered("the profile x does not work", "")}


# name: what is the matter, words of the error, whether anything was done
WRONG: dict[str, tuple[Callable[[House], None], str, bool]] = {
    "a list that is denied": (denied("iam:ListPolicies"), "service_control_policy/p-b", False),
    "a call that is denied": (denied("iam:DetachUserPolicy"), "service_control_policy/p-b", True),
    "a stack that cannot be deleted": (
        fails_to_delete("Cannot delete a policy attached to entities"),
        "Cannot delete a policy attached to entities; detach it, or take away what was added to it by hand; then run",
        True,
    ),
    "a stack that is protected": (
        fails_to_delete("Stack [ecr-warden] cannot be deleted while TerminationProtection is enabled"),
        "aws cloudformation update-termination-protection --no-enable-termination-protection",
        True,
    ),
    "an account that cannot be entered": (not_entered, "the profile x does not work", False),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_in_the_way_is_said_with_a_remedy_and_then_it_goes_on(case: str, tmp_path: Path) -> None:
    trouble, words, has_begun = WRONG[case]
    house = House()
    before = house.left()
    trouble(house)
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, house.world.switch.enabled) == (1, not has_begun)
    assert has_begun or house.left() == before
    assert words in ran.err
    house.wire.faults.clear()
    house.cloud.refusing.clear()
    house.cloud.refused = {}
    assert (remove(house, tmp_path, "--yes").code, house.left()) == (0, STAYS)


def test_a_member_that_nobody_enters_is_named_and_keeps_nothing_else_from_going(tmp_path: Path) -> None:
    house, other = House(), "222222222222"
    house.cloud.refused = {other: NotEntered("the profile x does not work", "")}
    file = FILE.replace("accounts:\n", f'accounts:\n  registry: {{id: "{other}", writes: none}}\n')
    ran = remove(house, tmp_path, "--yes", file=file)
    assert (ran.code, house.left()) == (2, STAYS)
    assert f"all of account registry ({other}): not entered: the profile x does not work" in ran.unfolded


def test_a_hub_that_is_nothing_but_its_bucket_has_no_writes_to_stop(tmp_path: Path) -> None:
    house = House()
    house.cloud.stacks[HUB] = live("UPDATE_ROLLBACK_COMPLETE", HUB, outputs={"CodeBucket": BUCKETS[0]})
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, house.left(), house.world.switch.enabled) == (0, STAYS, True)


def test_a_hub_whose_stop_switch_somebody_deleted_is_stopped_and_removed_all_the_same(tmp_path: Path) -> None:
    house = House(has_switch=False)
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, house.left(), house.world.switch.enabled) == (0, STAYS, False)


def test_a_hub_that_does_not_answer_is_removed_all_the_same(tmp_path: Path) -> None:
    house = House()
    house.world.specs.compiled = house.world.specs.file = None
    house.cloud.stacks[HUB] = live("DELETE_FAILED", HUB)
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, house.left(), house.world.switch.enabled) == (0, STAYS, True)


def test_a_file_that_lost_its_organization_removes_nothing(tmp_path: Path) -> None:
    """Its stacks in the units would stay, and with the hub goes the last that names them."""
    house = House()
    house.cloud.stacks[HUB] = live("CREATE_COMPLETE", HUB, parameters={"OrganizationId": "o-a1b2c3d4e5"})
    before = house.left()
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, house.left(), house.world.switch.enabled) == (1, before, True)
    assert "write organization: {id: o-a1b2c3d4e5, units: [...]} into the file" in ran.err


@pytest.mark.parametrize("place", [HUB, MEMBER, EVENTS[0]], ids=str)
def test_a_stack_of_somebody_else_with_a_name_of_ours_stays_and_is_named(place: StackPlace, tmp_path: Path) -> None:
    house = House()
    house.cloud.stacks[place] = LiveStack("CREATE_COMPLETE", description="Events of the shop")
    ran = remove(house, tmp_path, "--yes")
    assert (ran.code, str(place) in house.left(), house.world.switch.enabled) == (0, True, place == HUB)
    assert f"  stack {place}: it is somebody else's: its description does not begin with 'ecr-warden " in ran.out
