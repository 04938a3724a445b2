"""`doctor`, over a hub in this process and accounts in memory: a row for each thing that is wrong."""

import json
import re
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring import SeenWire
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing, PortError, RegionDisabled
from ecr_warden.hub.status import troubles_of
from ecr_warden_cli.deployment.checkup import CODES
from ecr_warden_cli.deployment.ports import LiveStack, StackPlace
from ecr_warden_cli.terminal.context import Failure, NotEntered
from local.testing.memory.wiring import HUB, OF_MEMBER, TRAIL, MemoryWiring, account_of, region_of
from local.testing.seed import CI, HOME
from tests.cli.command import Command, Ran
from tests.cli.test_hub import InProcess
from tests.clouds import MemoryCloud, MemoryEntered
from tests.template.cfn import ROOT
from tests.usecases.test_holds import held
from tests.usecases.uploads import first
from tests.usecases.world import World, bare_world, world_in_sync

TEXT = f"""
version: 1
hub: {{account: ci, region: eu-central-1}}
accounts:
  ci: {{id: "{CI}", writes: identities}}
  registry: {{id: "{HOME}", regions: [eu-central-1], writes: all}}
alerts: {{email: Team@example.com, webhook: ssm:/ecr-warden/webhook}}
"""
READ_ONLY = TEXT.replace("writes: identities", "writes: none").replace("writes: all", "writes: none")
RESERVING = f"{TEXT}parameters: {{ReservedForRepairs: 10}}\n"
LEFT = "\n".join(line for line in READ_ONLY.splitlines() if "registry" not in line) + "\n"
UNITS = f'organization: {{id: o-a1b2c3d4e5, account: "{CI}", units: [ou-a1b2-11111111], writes: none}}\n'
IN_UNITS = "\n".join(line for line in TEXT.splitlines() if "registry" not in line) + "\n" + UNITS
DEPLOYED = LiveStack(
    "CREATE_COMPLETE",
    {"AlertEmail": HUB.email},
    {"ExternalId": HUB.external_id, "SpecBucket": HUB.bucket},
    {},
    HUB.stack,
)
OFF = timedelta(minutes=15)
PLACE = f"{HOME} in eu-central-1"


class NothingDeployed(MemoryWiring):
    """No stack is there; trails are, and what a test has put."""

    def _edited(self, seen: Any) -> list[SeenWire]:
        return [
            self.edits.get(wire.name, wire if wire.name.startswith("trail ") else replace(wire, found=None))
            for wire in seen
        ]


@dataclass(slots=True)
class Answering(InProcess):
    """A hub that answers, unless it is `broken`."""

    broken: Failure | None = None
    says: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: str) -> dict[str, Any]:
        if self.broken is not None:
            raise self.broken
        # super() finds no class here: a dataclass with slots is made anew.
        return InProcess.answer(self, request) | self.says


@dataclass
class House:
    """A deployment in which all is well, until a row changes something.

    `world`: the hub's; `seen`: what a person's own credentials show; `broken`: why the hub does not answer.
    """

    world: World = field(default_factory=world_in_sync)
    seen: MemoryWiring = field(default_factory=MemoryWiring)
    cloud: MemoryCloud = field(default_factory=MemoryCloud)
    deployed: LiveStack | None = DEPLOYED
    text: str | None = TEXT
    off: timedelta | Failure = timedelta(seconds=1)
    broken: Failure | None = None
    says: dict[str, Any] = field(default_factory=dict)
    holding: bool | Failure = True
    entry: Mapping[str, Any] = field(default_factory=dict)

    def sweep(self) -> None:
        """The hub looks at everything, a quarter of an hour before the doctor is asked."""
        self.world.sweep()
        self.world.clock.advance(timedelta(minutes=15))

    def command(self) -> Command:
        hub = Answering(self.world, broken=self.broken, says=self.says)
        self.cloud.hubs = lambda: hub
        if self.deployed is not None:
            self.cloud.stacks[StackPlace(CI, "eu-central-1", "ecr-warden")] = self.deployed
        entered = MemoryEntered(self.cloud, self.seen, self.off, self.holding, self.entry)
        return Command(hub=hub, clock=self.world.clock, entered=entered)

    @classmethod
    def without_schedule(cls) -> "House":
        """A house in which nothing is swept any more, and of which one account is entered by nobody."""
        house = cls()
        house.sweep()
        house.world.wiring.edit("rule ecr-warden-sweep", state="DISABLED")
        house.sweep()
        house.lose(HOME)
        return house

    def lose(self, account: str) -> None:
        """Nobody enters an account."""
        why = NotEntered(f"the default credentials belong to account {CI}", "pass --profile registry=PROFILE")
        self.cloud.refused[account] = why


def doctor(house: House, folder: Path, *words: str) -> Ran:
    """The command; whatever it prints for people, its last line counts what stands above it."""
    file = folder / "ecr-warden.yaml"
    if house.text is not None:
        file.write_text(house.text)
    ran = house.command()("doctor", str(file), *words)
    if "--json" not in words and ran.out:
        assert ran.last_line == counted(ran)
    return ran


def counted(ran: Ran) -> str:
    """How many lines above the last one are not fine, in its words."""
    wrong, warnings, unknown = (
        len(re.findall(rf"^.{{10}}  {verdict} ", ran.out, re.MULTILINE)) for verdict in ("wrong", "warning", "unknown")
    )
    if not wrong + warnings + unknown:
        return "all is well"
    return f"{wrong} wrong, {warnings} warning{'s' * (warnings != 1)}, {unknown} unknown"


type Row = tuple[Callable[[House], object], dict[str, str], int]
"""What is changed, the verdict by the code of each diagnosis, and the exit code."""


def cut(wire: str, **facts: Any) -> Callable[[House], None]:
    """The hub finds a part of the wiring off, or missing."""

    def change(house: House) -> None:
        if facts:
            house.world.wiring.edit(wire, **facts)
        else:
            house.world.wiring.remove(wire)
        house.sweep()

    return change


def setting(**values: Any) -> Callable[[House], None]:
    def change(house: House) -> None:
        for name, value in values.items():
            setattr(house, name, value() if callable(value) else value)

    return change


def both(*changes: Callable[[House], object]) -> Callable[[House], None]:
    def change(house: House) -> None:
        for each in changes:
            each(house)

    return change


def all_but_the_boundary(house: House) -> None:
    """The member's stack is deleted."""
    for wire in account_of(HOME):
        if "boundary" not in wire.name:
            cut(wire.name)(house)


def nobody_may_write(*accounts: str) -> Callable[[House], None]:
    """The member stacks of these accounts are deployed without the right to write, and the hub has looked since."""

    def change(house: House) -> None:
        for account in accounts:
            house.world.wiring.edit(f"stack of the member {account}", parameters={**OF_MEMBER, "Writes": "none"})
        house.sweep()

    return change


def hidden(house: House, error: PortError, *names: str) -> None:
    for name in names:
        house.world.wiring.hide(name, error)
    house.sweep()


def suspended(house: House) -> None:
    parts = [*account_of(HOME), *region_of(HOME, "us-east-1"), *region_of(HOME, "eu-central-1")]
    hidden(house, AccountUnreachable(f"the role of {HOME} cannot be assumed"), *(wire.name for wire in parts))


def off_region(house: House) -> None:
    for wire in region_of(HOME, "eu-central-1"):
        house.seen.hide(wire.name, RegionDisabled("the region is not enabled in the account"))


def stopped(house: House) -> None:
    house.world.switch.enabled = False


def without_spec() -> World:
    world = bare_world()
    world.specs.compiled = None
    return world


NEW = setting(seen=NothingDeployed, deployed=None, broken=Failure("there is no function", code="hub-unreachable"))
DENIED = "User: arn:aws:iam::1:user/a is not authorized to perform: lambda:InvokeFunction on resource: x"
ROWS: Mapping[str, Row] = {
    "all is well": (lambda _: None, {}, 0),
    "a clock that is a little off": (setting(off=timedelta(minutes=-2)), {"clock-wrong": "warning"}, 0),
    "a wrong clock": (setting(off=timedelta(minutes=6)), {"clock-wrong": "wrong"}, 2),
    "AWS is not reached": (setting(off=Failure("no answer")), {"clock-unread": "unknown"}, 1),
    "no file": (setting(text=None), {"deployment-unreadable": "wrong"}, 1),
    "a file edited into nonsense": (setting(text="version: 1\nhub: 7"), {"deployment-invalid": "wrong"}, 1),
    "an account that nobody enters, and that the hub looks at": (lambda house: house.lose(HOME), {}, 0),
    "an account that the hub has not looked at yet": (
        both(lambda house: house.lose(HOME), lambda house: house.world.watch_records.noted.clear()),
        {"not-entered": "unknown"},
        1,
    ),
    "no trail": (cut(f"trail of {PLACE}"), {"wiring-cut": "wrong"}, 2),
    "a rule of the hub that is off": (cut("rule ecr-warden-sweep", state="DISABLED"), {"wiring-cut": "wrong"}, 2),
    "a member's role changed by hand": (cut(f"role ecr-warden-read in {HOME}", inline={}), {"wiring-cut": "wrong"}, 2),
    "a stack of another version": (
        cut(f"stack of the member {HOME}", content="older"),
        {"wiring-outdated": "warning"},
        0,
    ),
    "an e-mail address that nobody confirmed": (
        cut("e-mail subscription of ecr-warden-alerts", subscriptions=["PendingConfirmation"]),
        {"e-mail-unconfirmed": "warning"},
        0,
    ),
    "an e-mail address that is subscribed no more": (
        cut("e-mail subscription of ecr-warden-alerts", subscriptions=[]),
        {"e-mail-unconfirmed": "wrong"},
        2,
    ),
    "an organization's trail that does not log": (
        cut(f"trail of {PLACE}", trails=[{**TRAIL, "organization": True, "logging": False}]),
        {"wiring-cut": "wrong"},
        2,
    ),
    "a boundary that a stack left, which deploy takes over": (all_but_the_boundary, {"wiring-cut": "wrong"}, 2),
    "a boundary that a stack left in an account of units": (
        both(setting(text=IN_UNITS), all_but_the_boundary),
        {"wiring-cut": "wrong", "names-taken": "wrong"},
        2,
    ),
    "a suspended account": (suspended, {"wiring-unread": "unknown"}, 1),
    "writes are stopped": (
        lambda house: setattr(house.world.switch, "enabled", False),
        {"writes-stopped": "warning"},
        0,
    ),
    "a version that waits": (
        both(setting(world=first), lambda house: held(house.world), House.sweep),
        {"held": "warning"},
        0,
    ),
    "no spec yet": (setting(world=without_spec), {"nothing-accepted": "wrong"}, 2),
    "a hub that ends in an error": (setting(broken=Failure("?", code="hub-failed")), {"hub-failed": "wrong"}, 1),
    "a hub that is older": (setting(broken=Failure("?", code="versions-differ")), {"versions-differ": "wrong"}, 1),
    "a hub of another version": (setting(says={"hubVersion": "0.1.9"}), {"versions-differ": "warning"}, 0),
    "a hub that may not be asked": (setting(broken=Failure(DENIED, code="hub-denied")), {"hub-denied": "unknown"}, 1),
    "a webhook that is nowhere": (setting(holding=False), {"webhook-missing": "wrong"}, 2),
    "a webhook that cannot be looked for": (setting(holding=Failure("denied")), {"webhook-unread": "unknown"}, 1),
    "nobody may write what the spec enforces": (
        both(setting(text=READ_ONLY), nobody_may_write(CI, HOME)),
        {"nothing-writable": "warning"},
        0,
    ),
    "nobody may write, and the spec observes": (
        both(setting(text=READ_ONLY), nobody_may_write(CI, HOME), setting(says={"mode": "observe"})),
        {},
        0,
    ),
    "the file lets nobody write, and two stacks do": (
        setting(text=READ_ONLY),
        {"still-writable": "wrong"},
        2,
    ),
    "an account that left the file may write": (
        both(setting(text=LEFT), nobody_may_write(CI)),
        {"still-writable": "wrong", "not-in-file": "warning"},
        2,
    ),
    "an account of units that a StackSet did not reach may write": (
        both(setting(text=LEFT + UNITS), nobody_may_write(CI)),
        {"still-writable": "wrong"},
        2,
    ),
    "a hub that does not say who may write": (
        both(setting(text=READ_ONLY), nobody_may_write(CI, HOME), setting(says={"writable": None})),
        {},
        0,
    ),
    "nobody may write, and not every account was looked at": (
        both(setting(text=READ_ONLY), nobody_may_write(CI), setting(says={"writable": [], "watched": {}})),
        {},
        0,
    ),
    "somebody may write": (setting(text=TEXT.replace("writes: all", "writes: none")), {}, 0),
    "nobody hears of anything": (setting(text=TEXT.replace("alerts:", "# ")), {"no-channel": "warning"}, 0),
    "a new account, in which ten functions may run at once": (
        lambda house: setattr(house.cloud, "executions", 10),
        {"few-executions": "warning"},
        0,
    ),
    "an account with a little more than the hub's queues take": (
        lambda house: setattr(house.cloud, "executions", 34),
        {},
        0,
    ),
    "too few to reserve some": (
        both(setting(text=RESERVING), lambda house: setattr(house.cloud, "executions", 109)),
        {"few-executions": "warning"},
        0,
    ),
    "enough to reserve some": (
        both(setting(text=RESERVING), lambda house: setattr(house.cloud, "executions", 110)),
        {},
        0,
    ),
    "nobody may say how many functions may run at once": (
        lambda house: setattr(house.cloud, "executions", Failure("GetAccountSettings: AccessDenied")),
        {"executions-unread": "unknown"},
        1,
    ),
    "before one, in a new account": (
        both(NEW, lambda house: setattr(house.cloud, "executions", 10)),
        {"not-deployed": "wrong", "few-executions": "warning"},
        2,
    ),
    "before a deployment": (NEW, {"not-deployed": "wrong"}, 2),
    "before one without a trail": (
        both(NEW, lambda house: house.seen.remove(f"trail of {PLACE}")),
        {"not-deployed": "wrong", "wiring-cut": "wrong"},
        2,
    ),
    "before one, with a boundary that is there already": (
        both(NEW, lambda house: house.seen.edit(f"policy ecr-warden-boundary in {HOME}")),
        {"not-deployed": "wrong"},
        2,
    ),
    "before one, with a bucket that an earlier hub left": (
        both(NEW, lambda house: house.seen.edit("versioning of s3://spec", state="ENABLED")),
        {"not-deployed": "wrong", "names-taken": "wrong"},
        2,
    ),
    "before one, with a bucket of the same name that keeps no versions": (
        both(NEW, lambda house: house.seen.edit("versioning of s3://spec", state="DISABLED")),
        {"not-deployed": "wrong", "names-taken": "wrong"},
        2,
    ),
    "before one, in a region that is not enabled": (
        both(NEW, off_region),
        {"not-deployed": "wrong", "region-disabled": "wrong"},
        2,
    ),
    "before one, into an account that nobody enters": (
        both(NEW, lambda house: house.lose(HOME)),
        {"not-deployed": "wrong", "not-entered": "unknown"},
        1,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_wrong_is_named_and_decides_the_exit_code(name: str, tmp_path: Path) -> None:
    change, expected, code = ROWS[name]
    house = House()
    house.sweep()
    change(house)
    ran = doctor(house, tmp_path, "--json")
    found = [one for group in ran.json["groups"] for one in group["diagnoses"]]
    assert ({one["code"]: one["verdict"] for one in found}, ran.code) == (expected, code)
    assert len(found) == len(expected), "what is alike is one line"
    strict = 2 if code == 0 and expected else code
    assert doctor(house, tmp_path, "--strict").code == strict


def test_whatever_is_wrong_with_a_wire_has_its_code() -> None:
    wires = [Wire("rule x", "events", state) for state in WireState]
    assert {trouble.code for trouble in troubles_of(wires)} <= CODES.keys()


def test_each_code_has_a_paragraph_to_which_doctor_leads() -> None:
    page = (ROOT / "docs" / "schema" / "doctor.md").read_text()
    assert re.findall(r"^### `(.+)`$", page, re.MULTILINE) == [*CODES]


def veiled(wire: str, action: str) -> Callable[[House], None]:
    return lambda house: house.seen.hide(wire, PermissionMissing(f"reading it: AWS denied {action}: nothing allows it"))


DENIALS: Mapping[str, tuple[Callable[[House], object], list[str] | None]] = {
    "the hub may not be asked": (
        setting(broken=Failure(f"{DENIED} because no identity-based policy allows it", code="hub-denied")),
        ["lambda:InvokeFunction"],
    ),
    "a policy of the organization denies it": (
        setting(broken=Failure(f"{DENIED} with an explicit deny in a service control policy", code="hub-denied")),
        None,
    ),
    "calls of an account": (
        both(
            NEW,
            veiled(f"trail of {PLACE}", "cloudtrail:DescribeTrails"),
            veiled(f"role ecr-warden-read in {HOME}", "iam:GetRole"),
        ),
        ["cloudtrail:DescribeTrails", "iam:GetRole"],
    ),
}


@pytest.mark.parametrize("name", DENIALS)
def test_what_these_credentials_may_not_read_comes_with_the_statement_to_add(name: str, tmp_path: Path) -> None:
    change, actions = DENIALS[name]
    house = House()
    house.sweep()
    change(house)
    [unread] = doctor(house, tmp_path, "--json").json["groups"][-1]["diagnoses"]
    added = None if actions is None else {"Effect": "Allow", "Action": actions, "Resource": "*"}
    assert unread["statement"] == added
    text = doctor(house, tmp_path).out
    assert ("add this statement" in text) is (actions is not None)
    assert actions is None or json.dumps(added) in text


COMMANDS: Mapping[str, tuple[Callable[[House], object], str]] = {
    "a trail that does not log": (
        cut(f"trail of {PLACE}", trails=[{**TRAIL, "logging": False}]),
        "aws cloudtrail start-logging --region eu-central-1 --name all",
    ),
    "a role": (cut(f"role ecr-warden-read in {HOME}", inline={}), "ecr-warden deploy"),
    "stacks of another version": (cut(f"stack of the events of {PLACE}", content="older"), "ecr-warden deploy"),
    "an e-mail address": (
        cut("e-mail subscription of ecr-warden-alarms", subscriptions=[]),
        "aws sns subscribe --region eu-central-1 --topic-arn arn:aws:sns:eu-central-1:111111111111:ecr-warden-alarms "
        "--protocol email --notification-endpoint Team@example.com",
    ),
    "an e-mail address that a shell would not leave alone": (
        both(
            setting(text=TEXT.replace("Team@", "a$HOME@")),
            cut("e-mail subscription of ecr-warden-alarms", subscriptions=[]),
        ),
        "aws sns subscribe --region eu-central-1 --topic-arn arn:aws:sns:eu-central-1:111111111111:ecr-warden-alarms "
        "--protocol email --notification-endpoint 'a$HOME@example.com'",
    ),
    "a webhook": (
        setting(holding=False),
        "aws ssm put-parameter --region eu-central-1 --type SecureString --name /ecr-warden/webhook "
        "--value file://webhook.txt",
    ),
    "a boundary": (
        both(setting(text=IN_UNITS), all_but_the_boundary),
        "aws iam delete-policy --policy-arn arn:aws:iam::222222222222:policy/ecr-warden/ecr-warden-boundary",
    ),
    "a region": (both(NEW, off_region), "aws account enable-region --region-name eu-central-1"),
    "a clock": (setting(off=timedelta(hours=1)), "sudo timedatectl set-ntp true"),
}


def test_what_nobody_could_write_is_repaired_after_another_deploy(tmp_path: Path) -> None:
    house = House()
    house.sweep()
    both(setting(text=READ_ONLY), nobody_may_write(CI, HOME))(house)
    said = " ".join(doctor(house, tmp_path).out.split())
    assert "ecr-warden deploy without --read-only, then ecr-warden reconcile, or apply mode: observe" in said


NOT_OURS: Mapping[str, tuple[Callable[[House], object], str]] = {
    "an address that waits": (
        cut("e-mail subscription of ecr-warden-alerts", subscriptions=["PendingConfirmation"]),
        "whoever reads that address follows the link in the mail of AWS; aws sns subscribe sends another",
    ),
    "an organization's trail": (
        cut(f"trail of {PLACE}", trails=[{**TRAIL, "organization": True, "logging": False}]),
        "have a trail report it",
    ),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_no_command_of_the_account_ends_is_said_in_a_sentence(name: str, tmp_path: Path) -> None:
    change, says = NOT_OURS[name]
    house = House()
    house.sweep()
    change(house)
    ran = doctor(house, tmp_path, "--json")
    [found] = [one for group in ran.json["groups"] for one in group["diagnoses"]]
    assert found["command"] == ""
    assert says in found["remedy"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_comes_with_the_command_that_repairs_it(name: str, tmp_path: Path) -> None:
    change, command = COMMANDS[name]
    house = House()
    house.sweep()
    change(house)
    assert f"\n{'':21}{command}\n" in doctor(house, tmp_path).out


def test_unless_what_a_boundary_is_deleted_is_said(tmp_path: Path) -> None:
    house = House()
    house.sweep()
    COMMANDS["a boundary"][0](house)
    said = " ".join(doctor(house, tmp_path).out.split())
    assert "delete it, unless aws iam list-entities-for-policy names a role that uses it" in said
