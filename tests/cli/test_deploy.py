"""`deploy` over CloudFormation in memory: what it shows, what it does in which order, and what it leaves."""

import hashlib
import json
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.specs import SpecVersion
from ecr_warden.state.switch import Position
from ecr_warden_cli.deployment.ports import Instance, Kind, LiveStack, Proposal, StackPlace, Thing
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.deployment.stacks import NAMES
from ecr_warden_cli.terminal.context import Failure, NotEntered
from local.testing.seed import SPEC_FILE
from tests.cli.command import INTERRUPT, Command, Ran
from tests.cli.test_hub import InProcess
from tests.clouds import MemoryCloud, MemoryEntered
from tests.template.cfn import load
from tests.usecases.world import world_in_sync

CI, REGISTRY, RUN, REGION = "111111111111", "222222222222", "333333333333", "eu-central-1"
FILE = f"""
version: 1
hub: {{account: ci, region: {REGION}}}
accounts:
  ci: {{id: "{CI}", writes: identities, owners: [user/push-user]}}
  registry: {{id: "{REGISTRY}", regions: [{REGION}], writes: all}}
alerts: {{email: team@example.com}}
tags: {{team: platform}}
"""
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "one"}}
HUB, MEMBERS = f"ecr-warden in {CI}/{REGION}", [f"ecr-warden-member in {one}/us-east-1" for one in (CI, REGISTRY)]
EVENTS = [f"ecr-warden-events in {one}/{region}" for one in (CI, REGISTRY) for region in (REGION, "us-east-1")]
NOTHING = "there is nothing to do: all stacks are as {file} and this version say"


def role(name: str, *actions: str, by: str = "collect") -> dict[str, Any]:
    trusted = {"ArnEquals": {"aws:PrincipalArn": {"Fn::Sub": f"arn:aws:iam::${{HubAccount}}:role/ecr-warden-{by}"}}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}, "Condition": trusted}
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": {"Statement": [trust]},
        "Policies": [{"PolicyName": "one", "PolicyDocument": {"Statement": [allow]}}],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def template(of: str, *given: str, **resources: Any) -> str:
    parameters = {name: {"Type": "String"} for name in given}
    return json.dumps({"Description": described(of), "Parameters": parameters, "Resources": resources})


def described(of: str) -> str:
    """As every version of ecr-warden has described its stacks."""
    return f"ecr-warden {of} - what it does"


MEMBER = ("member", "HubAccount", "ManagedOwners")
TEMPLATES = {
    "hub": template("hub", "ExternalId", Bucket=QUEUE, Queue={**QUEUE, "Metadata": "x" * 60_000}),
    "hub-bucket": template("hub", Bucket=QUEUE),
    "member": template(*MEMBER, Read=role("ecr-warden-read", "ecr:GetRepositoryPolicy", "iam:GetRole")),
    "events": template("events", Queue=QUEUE),
}


class NewHub(InProcess):
    """A hub that accepts what is uploaded, and sweeps."""

    cloud: MemoryCloud | None = None
    silent: bool = False

    def answer(self, request: str) -> dict[str, Any]:
        if self.silent:
            raise Failure("ecr-warden-answer ended in an error")
        return super().answer(request)

    def make_switch(self, position: Position) -> None:
        assert self.cloud is not None
        self.cloud.switch = self.cloud.switch or position

    def spec(self, version: str) -> bytes:
        if self.world.specs.compiled is None:
            raise Failure(f"version {version} is gone")
        return SPEC_FILE.read_bytes()

    def upload(self, data: bytes) -> str:
        version = super().upload(data)
        self.world.log.record(HistoryEntry(HistoryKind.SPEC_ACCEPTED, self.world.clock.now(), version, None, ""))
        self.world.sweep()
        return version


@dataclass
class Site:
    """A folder with the files of a deployment, a release and the accounts."""

    folder: Path
    cloud: MemoryCloud = field(default_factory=MemoryCloud)
    hub: NewHub = field(default_factory=lambda: NewHub(world_in_sync()))
    terminal: bool = False

    def __post_init__(self) -> None:
        self.cloud.outputs, self.cloud.hubs, self.hub.cloud = self.outputs, lambda: self.hub, self.cloud
        self.hub.world.specs.file = None
        (self.folder / "ecr-warden.yaml").write_text(FILE)
        (self.folder / "access.yaml").write_bytes(SPEC_FILE.read_bytes())
        self.release(TEMPLATES)

    @staticmethod
    def outputs(place: StackPlace, proposal: Proposal) -> Mapping[str, str]:
        if place.name != NAMES["hub"]:
            return {}
        given = {"TrailBusArn": "bus", "ExternalId": proposal.parameters["ExternalId"]} if proposal.parameters else {}
        return {"CodeBucket": "bucket", "Version": "0.2.0", **given}

    def release(self, templates: Mapping[str, str]) -> None:
        """Another version of ecr-warden."""
        folder, code = self.folder / "release", b"code"
        folder.mkdir(exist_ok=True)
        digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in templates.items()}
        for name, text in templates.items():
            (folder / f"{name}.json").write_text(text)
        key = hashlib.sha256(code).hexdigest()
        (folder / f"{key}.zip").write_bytes(code)
        manifest = {"version": "0.2.0", "templates": digests, "code": [key]}
        (folder / "manifest.json").write_text(json.dumps(manifest))

    def __call__(self, *words: str, stdin: bytes = b"") -> Ran:
        self.cloud.log.clear()
        files = (str(self.folder / "ecr-warden.yaml"), "--spec", str(self.folder / "access.yaml"))
        return self.command()("deploy", *files, *words, stdin=stdin)

    def command(self) -> Command:
        """On a laptop with the release."""
        return Command(
            environment={"ECR_WARDEN_RELEASE": str(self.folder / "release")},
            entered=MemoryEntered(self.cloud),
            clock=self.hub.world.clock,
            sleep=lambda _: None,
            terminal=self.terminal,
        )

    @property
    def begun(self) -> list[str]:
        """The stacks that were made or changed, in order."""
        return [line.removeprefix("execute ") for line in self.cloud.log if line.startswith("execute ")]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def deployed(site: Site) -> Site:
    assert site("--yes").code == 0
    return site


def test_the_plan_of_a_first_deployment_says_roles_first_and_does_nothing(site: Site) -> None:
    ran = site("--plan")
    assert (ran.code, site.cloud.log, site.cloud.objects) == (2, [], {})
    assert ran.out.splitlines() == [
        "creates role ecr-warden-read in ci, registry, trusted by ci:role/ecr-warden-collect: reads ecr, iam",
        f"stack ecr-warden in ci, {REGION}: creates 2 SQS::Queue",
        "stack ecr-warden-member in ci, registry, us-east-1: creates 1 IAM::Role",
        f"stack ecr-warden-events in ci, registry, {REGION}: creates 1 SQS::Queue",
        "stack ecr-warden-events in ci, registry, us-east-1: creates 1 SQS::Queue",
        "makes the stop switch, /ecr-warden/writes: enabled",
        f"uploads {site.folder / 'access.yaml'}, the first spec",
    ]


def test_a_first_deployment_begins_with_the_bucket_and_the_hub_and_ends_with_the_spec(site: Site) -> None:
    ran = site("--yes")
    assert (ran.code, ran.last_line[:7], "version u0 is in force" in ran.out) == (0, "0 wrong", True)
    assert site.begun == [HUB, HUB, *MEMBERS, *EVENTS]
    assert len(site.cloud.objects) == 2, "the code, and the template that is too large for a call"
    member = site.cloud.stacks[StackPlace(REGISTRY, "us-east-1", NAMES["member"])]
    assert member.tags == {"team": "platform"}
    assert member.parameters["ExternalId"] == f"ecr-warden-{CI}-{REGION}"
    assert site.hub.world.specs.file == SpecVersion("u0", SPEC_FILE.read_bytes())


def test_deployed_again_there_is_nothing_to_do(deployed: Site) -> None:
    for words in ((), ("--plan",), ("--yes",)):
        ran = deployed(*words)
        assert (ran.code, ran.out.splitlines()[0]) == (0, NOTHING.format(file=deployed.folder / "ecr-warden.yaml"))
        assert (deployed.begun, deployed.cloud.pending) == ([], {})
        assert "access.yaml is not uploaded, as the hub has a spec: ecr-warden apply" in ran.err.replace("\n  ", " ")


UNSEEN: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "a member's role": (f"role ecr-warden-read in {CI}", {"inline": {}}, "deploys it (inline policy read)"),
    "its trust": (f"role ecr-warden-write in {REGISTRY}", {"trust": {}}, "deploys it (trust policy)"),
    "a rule of the hub": ("rule ecr-warden-sweep", {"state": "DISABLED"}, "the rule ecr-warden-sweep is disabled"),
    "a stack": (f"stack of the member {CI}", {"content": "older"}, "is of another version than the hub"),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_what_differs_and_cloudformation_does_not_see_is_not_sent_to_deploy_again(deployed: Site, case: str) -> None:
    wire, facts, said = UNSEEN[case]
    deployed.hub.world.wiring.edit(wire, **facts)
    deployed.hub.world.sweep()
    ran = deployed()
    assert (ran.code, deployed.begun, said in ran.out) == (0 if case == "a stack" else 2, [], True)
    assert "deploy has just run: what the next sweep still finds is to be changed back by hand" in ran.out
    assert "  ecr-warden deploy\n" not in ran.out
    found = [one for group in deployed("--json").json["checkup"]["groups"] for one in group["diagnoses"]]
    assert "ecr-warden deploy" not in [one["command"] for one in found]
    deployed.hub.world.wiring.restore(wire)
    deployed.hub.world.sweep()
    assert deployed().code == 0


def test_an_upgrade_changes_the_members_before_the_hub_and_says_what_roles_gain_and_lose(deployed: Site) -> None:
    changed = template(*MEMBER, Read=role("ecr-warden-read", "iam:GetRole", "sts:AssumeRole", by="answer"))
    deployed.release({**TEMPLATES, "hub": template("hub", "ExternalId", Bucket=QUEUE, New=QUEUE), "member": changed})
    (deployed.folder / "ecr-warden.yaml").write_text(FILE.replace("team@", "others@"))
    ran = deployed("--yes")
    assert (ran.code, deployed.begun) == (0, [*MEMBERS, HUB])
    assert ran.out.splitlines()[:6] == [
        "role ecr-warden-read in ci, registry gains: may sts:AssumeRole",
        "role ecr-warden-read in ci, registry loses: reads ecr",
        "role ecr-warden-read in ci, registry is trusted by ci:role/ecr-warden-answer, no longer by "
        "ci:role/ecr-warden-collect",
        "stack ecr-warden-member in ci, registry, us-east-1: changes 1 IAM::Role",
        f"stack ecr-warden in ci, {REGION}: creates 1 SQS::Queue; removes 1 SQS::Queue",
        f"stack ecr-warden in ci, {REGION}: AlertEmail becomes others@example.com, is team@example.com",
    ]


def test_what_was_changed_beside_cloudformation_is_changed_back_in_every_stack_that_is_there(deployed: Site) -> None:
    deployed.cloud.repaired.clear()
    assert deployed("--plan").code == 0
    assert [str(place) for place in deployed.cloud.repaired] == [HUB, *MEMBERS, *EVENTS]


def test_what_cloudformation_could_not_read_is_neither_changed_nor_as_it_should_be(deployed: Site) -> None:
    place = StackPlace(REGISTRY, "us-east-1", NAMES["events"])
    deployed.cloud.unseen.add(place)
    ran = deployed("--yes")
    assert (ran.code, deployed.begun) == (0, [])
    said = f"whether somebody changed {place}: Queue is not known: CloudFormation could not read it"
    assert said in " ".join(ran.err.split())
    upgrade(deployed)
    assert (deployed("--yes").code, len(deployed.begun)) == (0, 7)


SWITCH = {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "enabled"}}
RETAINED = {**SWITCH, "DeletionPolicy": "Retain"}
LAST = {**TEMPLATES, "hub": template("hub", "ExternalId", Bucket=QUEUE, Queue=QUEUE, WritesParameter=RETAINED)}


def own_switch(deployed: Site, hub: str, says: str) -> None:
    """The hub is of an older version, whose stack owns the stop switch."""
    place = StackPlace(CI, REGION, NAMES["hub"])
    parameters = {name: value for name, value in deployed.cloud.stacks[place].parameters.items() if name != "OwnSwitch"}
    deployed.cloud.stacks[place] = replace(deployed.cloud.stacks[place], parameters=parameters)
    deployed.cloud.templates[place], deployed.cloud.switch = hub, says


@pytest.mark.parametrize("says", ["stopped", "enabled"])
def test_stopped_and_upgraded_it_is_still_stopped_and_the_switch_leaves_the_stack(deployed: Site, says: str) -> None:
    own_switch(deployed, template("hub", "ExternalId", WritesParameter=SWITCH), says)
    deployed.release(LAST)
    ran = deployed("--yes")
    assert (ran.code, deployed.begun, deployed.cloud.switch) == (0, [HUB, HUB], says)
    assert f"stack ecr-warden in ci, {REGION}: OwnSwitch becomes false, is true" in ran.out.splitlines()
    assert (deployed("--yes").out.splitlines()[0], deployed.begun) == (
        NOTHING.format(file=deployed.folder / "ecr-warden.yaml"),
        [],
    )
    deployed.release(TEMPLATES)
    assert (deployed("--yes").code, deployed.begun, deployed.cloud.switch) == (0, [HUB], says)


@pytest.mark.parametrize("when", ["execute", "finished"])
def test_interrupted_before_the_stop_switch_left_the_stack_it_leaves_the_next_time(deployed: Site, when: str) -> None:
    own_switch(deployed, LAST["hub"], "stopped")
    deployed.release(LAST)
    deployed.cloud.refusing[when] = KeyboardInterrupt()
    assert deployed("--yes").code == 130
    deployed.cloud.refusing.clear()
    assert (deployed("--yes").code, deployed.begun, deployed.cloud.switch) == (0, [HUB], "stopped")


def test_a_first_deployment_makes_the_stop_switch_enabled_and_a_later_one_that_finds_none_stopped(site: Site) -> None:
    site("--yes")
    assert site.cloud.switch == "enabled"
    site.cloud.switch = None
    plan = site("--plan")
    assert (plan.code, site.cloud.switch) == (2, None)
    assert plan.out.startswith("makes the stop switch, /ecr-warden/writes, which somebody deleted: stopped; until ")
    ran = site("--yes")
    assert site.begun == []
    assert site.cloud.switch == "stopped"
    assert "made the stop switch /ecr-warden/writes: stopped" in ran.out


@pytest.mark.parametrize(
    ("terminal", "answer", "agreed"), [(True, b"yes\n", True), (True, b"no\n", False), (False, b"", False)]
)
def test_nothing_is_done_before_somebody_agrees(deployed: Site, answer: bytes, *, terminal: bool, agreed: bool) -> None:
    deployed.release({**TEMPLATES, "events": template("events", Queue=QUEUE, Another=QUEUE)})
    deployed.terminal = terminal
    ran = deployed(stdin=answer)
    assert (ran.code, deployed.begun) == ((0, EVENTS) if agreed else (2, []))
    assert ("nothing was done: answer yes, or add --yes" in ran.err) is not agreed
    assert deployed.cloud.pending == {}


def test_a_member_that_was_deployed_by_hand_is_taken_over(deployed: Site) -> None:
    by_hand = [StackPlace(account, "us-east-1", NAMES["member"]) for account in (CI, REGISTRY)]
    deployed.cloud.templates |= dict.fromkeys(by_hand, "Resources: {Read: !Ref Nothing}")
    ran = deployed("--yes")
    assert (ran.code, deployed.begun) == (0, MEMBERS)
    said = "what these gain or lose in ci, registry is not known, as they were deployed from YAML: role ecr-warden-read"
    assert ran.out.splitlines()[0] == said


def test_a_member_of_one_hub_is_not_made_one_of_another(deployed: Site) -> None:
    elsewhere = FILE.replace("hub: {account: ci", "hub: {account: registry")
    (deployed.folder / "ecr-warden.yaml").write_text(elsewhere)
    ran = deployed("--yes")
    assert (ran.code, deployed.cloud.log, deployed.cloud.pending) == (1, [], {})
    assert f"is a member of another hub, arn:aws:events:{REGION}:{CI}:event-bus/ecr-warden-trail" in ran.err


def test_the_stacks_of_a_member_that_leaves_are_named(deployed: Site) -> None:
    leaves(deployed)
    said = f"the stacks of registry ({REGISTRY}) stay: delete ecr-warden-events in each region there, then ecr-warden-"
    assert f"{said}member" in deployed("--plan").out.splitlines()


MISTYPED = "222222222223"


@pytest.mark.parametrize("words", [("--yes",), ("--yes", "--plan"), ("--json", "--yes")])
def test_a_mistyped_account_changes_nothing_anywhere(deployed: Site, words: tuple[str, ...]) -> None:
    (deployed.folder / "ecr-warden.yaml").write_text(FILE.replace(REGISTRY, MISTYPED))
    deployed.cloud.refused[MISTYPED] = NotEntered("the profile registry is of 222222222222", "check the ID")
    ran = deployed(*words)
    assert (ran.code, deployed.cloud.log, deployed.cloud.pending) == (1, [], {})
    assert "registry cannot be entered: the profile registry is of 222222222222; check the ID" in ran.err
    assert "nothing was done in any account; enter each account; --without registry leaves one out" in ran.err
    hub = deployed.cloud.stacks[StackPlace(CI, REGION, NAMES["hub"])]
    assert hub.parameters["MemberAccounts"] == f"{CI},{REGISTRY}"


def test_a_region_that_cannot_be_read_changes_nothing_anywhere(deployed: Site) -> None:
    upgrade(deployed)
    for place in EVENTS[1:3]:
        deployed.cloud.refusing[f"read {place}"] = Failure(f"{place}: OptInRequired", remedy="enable the region")
    ran = deployed("--yes")
    assert (ran.code, deployed.cloud.log, deployed.cloud.pending) == (1, [], {})
    assert [f"{place}: OptInRequired" in ran.err for place in EVENTS] == [False, True, True, False]


def test_read_only_goes_on_where_it_can_and_names_the_rest(deployed: Site) -> None:
    deployed.cloud.refusing[f"read {EVENTS[1]}"] = Failure("OptInRequired", remedy="enable the region")
    deployed.cloud.refused[REGISTRY] = NotEntered("no credentials", "pass --profile registry=PROFILE")
    ran = deployed("--yes", "--read-only")
    assert (ran.code, deployed.begun) == (1, [MEMBERS[0]])
    assert "NOTHING IS DONE in registry: no credentials; pass --profile registry=PROFILE\n" in ran.err
    assert "NOT DONE: OptInRequired; enable the region\n" in ran.err


def test_an_account_that_is_left_out_by_name_becomes_no_member_and_remains_one(site: Site) -> None:
    (site.folder / "ecr-warden.yaml").write_text(FILE.replace(REGISTRY, MISTYPED))
    site.cloud.refused[MISTYPED] = NotEntered("no credentials", "")
    assert site("--yes", "--without", "registry", "--wait", "0").code == 1
    hub = StackPlace(CI, REGION, NAMES["hub"])
    assert site.cloud.stacks[hub].parameters["MemberAccounts"] == CI
    (site.folder / "ecr-warden.yaml").write_text(FILE)
    site.cloud.refused.clear()
    assert site("--yes").code == 0
    assert site.cloud.stacks[hub].parameters["MemberAccounts"] == f"{CI},{REGISTRY}"
    ran = site("--yes", "--without", REGISTRY)
    assert (ran.code, site.begun) == (1, [])
    assert "--without regstry is no account of the file; name one of" in site("--without", "regstry").err


def leaves(deployed: Site) -> None:
    """The file names the registry no more."""
    lines = [line for line in FILE.splitlines() if "registry:" not in line]
    (deployed.folder / "ecr-warden.yaml").write_text("\n".join(lines))


ANSWERS: Mapping[str, tuple[bytes | None, tuple[str, ...], bool]] = {
    "a script": (None, ("--yes",), False),
    "a person who says yes to all but that": (b"no\n", ("--yes",), False),
    "a person who says yes to that alone": (b"yes\nno\n", (), False),
    "a person who says yes": (b"yes\nyes\n", (), True),
    "a person who says yes to that": (b"yes\n", ("--yes",), True),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_member_that_the_accepted_spec_names_leaves_by_a_question_of_its_own(deployed: Site, case: str) -> None:
    typed, words, done = ANSWERS[case]
    leaves(deployed)
    deployed.terminal = typed is not None
    ran = deployed(*words, stdin=typed or b"")
    assert (ran.out.splitlines()[0], deployed.begun) == (
        f"changes in registry ({REGISTRY}) are reported no more, and the accepted spec names it",
        [HUB] if done else [],
    )
    assert ("--yes is no answer" in ran.err) is not done


@pytest.mark.parametrize("answers", [True, False])
def test_without_an_accepted_spec_a_member_leaves_as_all_else_and_of_a_silent_hub_by_a_question(
    deployed: Site, *, answers: bool
) -> None:
    leaves(deployed)
    deployed.hub.world.specs.compiled = None
    deployed.hub.silent = not answers
    deployed("--yes")
    assert deployed.begun == ([HUB] if answers else [])


def test_what_cannot_be_entered_is_said_and_the_rest_is_done(site: Site) -> None:
    site.cloud.refused[REGISTRY] = NotEntered("no credentials", "pass --profile registry=PROFILE")
    ran = site("--yes", "--wait", "0", "--without", "registry")
    assert (ran.code, site.begun) == (1, [HUB, HUB, MEMBERS[0], *EVENTS[:2]])
    assert "NOTHING IS DONE in registry: no credentials; pass --profile registry=PROFILE\n" in ran.err
    site.hub.world.wiring.edit(f"role ecr-warden-read in {REGISTRY}", inline={})
    site.hub.world.sweep()
    again = site("--without", "registry")
    assert (again.code, "  ecr-warden deploy\n" in again.out) == (1, True)
    assert again.out.startswith("there is nothing to do in the other accounts: ")


def test_a_stack_that_fails_keeps_no_other_from_being_finished_and_again_it_goes_on(site: Site) -> None:
    site.cloud.failing["Read"] = "Role with name ecr-warden-read already exists."
    ran = site("--yes")
    assert (ran.code, site.begun) == (1, [HUB, HUB, *MEMBERS])
    said = "failed: Read (AWS::IAM::Role): Role with name ecr-warden-read already exists"
    last = ran.err.splitlines()[-1]
    assert last.startswith(
        f"ecr-warden: {MEMBERS[0]} {said}; {MEMBERS[1]} {said}; it is not this stack's: delete what has this name"
    )
    site.cloud.failing.clear()
    assert (site("--yes").code, site.begun) == (0, [*MEMBERS, *EVENTS])


BOUNDARY = f"arn:aws:iam::{REGISTRY}:policy/ecr-warden/ecr-warden-boundary"


@pytest.fixture
def bereft(site: Site) -> Site:
    """The member's stack is deleted; its boundary is retained."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": one} for one in ("a:A", "b:B")]}
    boundary: dict[str, Any] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Condition": "HasOwnBoundary",
        "DeletionPolicy": "Retain",
    }
    boundary["Properties"] = {"ManagedPolicyName": "ecr-warden-boundary", "PolicyDocument": document}
    read = role("ecr-warden-read", "ecr:GetRepositoryPolicy")
    member = json.loads(template(*MEMBER, Read=read, Boundary=boundary))
    member["Conditions"] = {"HasOwnBoundary": {"Fn::Equals": [{"Ref": "OwnBoundary"}, "true"]}}
    site.release({**TEMPLATES, "member": json.dumps(member)})
    assert site("--yes").code == 0
    place = StackPlace(REGISTRY, "us-east-1", NAMES["member"])
    del site.cloud.stacks[place], site.cloud.templates[place]
    site.cloud.things.append(Thing(Kind.BOUNDARY, REGISTRY, "", BOUNDARY, ("role/ecr-pusher",)))
    return site


def test_a_new_stack_takes_over_the_boundary_that_an_earlier_one_retained(bereft: Site) -> None:
    plan = bereft("--plan")
    said = "stack ecr-warden-member in registry, us-east-1: creates 1 IAM::Role; takes over 1 IAM::ManagedPolicy"
    assert (plan.code, said in plan.out.splitlines(), bereft.begun) == (2, True, [])
    ran = bereft("--yes")
    assert (ran.code, bereft.begun) == (0, [MEMBERS[1]] * 2)
    assert f"{MEMBERS[1]}: IMPORT_COMPLETE\n{MEMBERS[1]}: UPDATE_COMPLETE\n" in ran.out
    assert bereft().out.startswith("there is nothing to do")


@pytest.mark.parametrize("call", ["execute", "finished"])
def test_interrupted_when_the_boundary_was_taken_over_it_goes_on(bereft: Site, call: str) -> None:
    bereft.cloud.refusing[f"{call} {MEMBERS[1]}"] = KeyboardInterrupt()
    assert bereft("--yes").code == 130
    bereft.cloud.refusing.clear()
    assert bereft("--yes").code == 0
    assert bereft().out.startswith("there is nothing to do")


def test_what_is_taken_over_is_what_the_release_has_in_another_order(bereft: Site) -> None:
    """So that the change set after it writes the policy, whatever it says, and a roll-back does no harm."""
    made: list[Proposal] = []

    def outputs(_: StackPlace, proposal: Proposal) -> Mapping[str, str]:
        made.append(proposal)
        return {}

    bereft.cloud.outputs = outputs
    bereft("--yes")
    first, then = (json.loads(one.template)["Resources"] for one in made)
    assert ([*first], "Condition" in first["Boundary"]) == (["Boundary"], False)
    statements = [one["Boundary"]["Properties"]["PolicyDocument"]["Statement"] for one in (first, then)]
    assert statements[0] == statements[1][::-1] != statements[1]


STEPS = ("read", "propose", "execute", "finished")


@pytest.mark.parametrize("step", STEPS)
def test_interrupted_at_any_step_it_says_that_again_it_goes_on(site: Site, step: str) -> None:
    site.cloud.refusing[step] = KeyboardInterrupt()
    ran = site("--yes")
    assert (ran.code, "run the same command again: it goes on" in ran.err) == (130, True)
    site.cloud.refusing.clear()
    assert site("--yes").code == 0
    assert site().out.startswith("there is nothing to do")


@pytest.mark.parametrize("step", STEPS)
def test_a_call_that_is_refused_is_quoted_with_a_remedy(site: Site, step: str) -> None:
    site.cloud.refusing[step] = Failure("ExpiredToken: it is expired", remedy="sign in again")
    ran = site("--yes")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "ecr-warden: ExpiredToken: it is expired; sign in again")


class Expiring(dict[str, BaseException]):
    """A session that ends after so many calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def get(self, key: str, default: Any = None) -> Any:
        if " in " not in key:  # the method, which is asked for besides
            return None
        self.left -= 1
        text = f"{key}: ExpiredToken: The security token included in the request is expired"
        return default if self.left >= 0 else Failure(text, remedy=remedy_for(text), code="aws-refused")


# 40 accounts: all is read by call 126 and proposed by 131, the members' stacks have begun by 211.
@pytest.mark.parametrize(
    "calls", [0, 128, 220, 340, *(pytest.param(one, marks=pytest.mark.thorough) for one in (100, 150, 190, 240, 290))]
)
def test_a_session_that_ends_in_the_middle_of_a_roll_out_is_said_once_and_taken_up_again(
    deployed: Site, calls: int
) -> None:
    more = "".join(f'  a{number}: {{id: "{500000000000 + number}", writes: none}}\n' for number in range(40))
    file = FILE.replace("alerts:", f"{more}alerts:") + "organization: {id: o-a1b2c3d4e5}\n"
    (deployed.folder / "ecr-warden.yaml").write_text(file)
    there = {*deployed.cloud.stacks}
    deployed.cloud.refusing = Expiring(calls)
    ran = deployed("--yes")
    assert (ran.code, ran.err.count("sign in again (aws sso login), then run the same command again")) == (1, 1)
    assert len(ran.err.splitlines()) <= 2
    made = [str(place) for place in deployed.cloud.stacks if place not in there]
    assert [line for line in made if f"{line}: CREATE_COMPLETE\n" not in ran.out] == [], "what was done is said"
    deployed.cloud.refusing = {}
    deployed("--yes")
    assert not {*deployed.begun} & {*made}, "what is done is not done again"
    assert len(deployed.cloud.stacks) == len(there) + 80
    assert deployed().out.startswith("there is nothing to do")


LATE: Mapping[str, str] = {
    "a change set is being begun": f"propose {EVENTS[-1]}",
    "a change set is being worked out": f"changes {HUB}",
    "a template is being read": f"template {EVENTS[0]}",
    "one is to be executed": f"execute {MEMBERS[-1]}",
    "one is under way": f"finished {MEMBERS[0]}",
}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Failure("AccessDenied")], ids=["Ctrl-C", "refused"])
@pytest.mark.parametrize("when", LATE)
def test_however_it_ends_no_change_set_is_left_that_was_not_executed(
    deployed: Site, when: str, error: BaseException
) -> None:
    upgrade(deployed)
    deployed.cloud.refusing[LATE[when]] = error
    ran = deployed("--yes")
    assert (ran.code, deployed.cloud.pending) == (130 if isinstance(error, KeyboardInterrupt) else 1, {})
    assert any(line.startswith("propose") for line in deployed.cloud.log)
    assert isinstance(error, KeyboardInterrupt) or "AccessDenied" in ran.err


def test_interrupted_at_the_question_no_change_set_is_left(deployed: Site) -> None:
    upgrade(deployed)
    deployed.terminal = True
    ran = deployed(stdin=INTERRUPT)
    assert (ran.code, deployed.begun, deployed.cloud.pending) == (130, [], {})


def test_a_change_set_that_cannot_be_discarded_keeps_no_other_and_hides_no_error(deployed: Site) -> None:
    upgrade(deployed)
    deployed.cloud.refusing |= {"discard": Failure("not allowed"), f"changes {HUB}": Failure("AccessDenied")}
    ran = deployed("--yes")
    assert (ran.code, deployed.cloud.pending, ran.err.splitlines()[-1]) == (1, {}, "ecr-warden: AccessDenied")


def upgrade(deployed: Site) -> None:
    """Every stack is to be changed."""
    old = {name: json.loads(text) for name, text in TEMPLATES.items()}
    new = {name: {**text, "Resources": {**text["Resources"], "New": QUEUE}} for name, text in old.items()}
    deployed.release({name: json.dumps(text) for name, text in new.items()})


HUBS = {
    "rolled back": (LiveStack("ROLLBACK_COMPLETE", {}, {}), "is ROLLBACK_COMPLETE; nothing works in this stack"),
    "of sam": (
        LiveStack("CREATE_COMPLETE", {}, {"TrailBusArn": "bus"}),
        "was deployed by sam, by a version",
    ),
}


@pytest.mark.parametrize("case", HUBS)
def test_a_hub_that_cannot_be_changed_is_refused_by_name(site: Site, case: str) -> None:
    live, said = HUBS[case]
    site.cloud.stacks[StackPlace(CI, REGION, NAMES["hub"])] = replace(live, description=described("hub"))
    ran = site("--yes")
    assert (ran.code, site.cloud.log) == (1, [])
    assert f"{HUB} {said}" in ran.err


FOREIGN = {
    "the hub's": StackPlace(CI, REGION, NAMES["hub"]),
    "a member's": StackPlace(REGISTRY, "us-east-1", NAMES["member"]),
    "one of events": StackPlace(REGISTRY, "us-east-1", NAMES["events"]),
}


@pytest.mark.parametrize("description", ["", "Events of the shop", described("other")])
@pytest.mark.parametrize("case", FOREIGN)
def test_a_stack_of_somebody_else_with_a_name_of_ours_is_refused(deployed: Site, case: str, description: str) -> None:
    upgrade(deployed)
    place = FOREIGN[case]
    deployed.cloud.stacks[place] = theirs = LiveStack("CREATE_COMPLETE", description=description)
    ran = deployed("--yes")
    assert (ran.code, deployed.cloud.log, deployed.cloud.stacks[place]) == (1, [], theirs)
    assert f"{place} is somebody else's: its description does not begin with 'ecr-warden " in ran.err


DENIED = "User: x is not authorized to perform: {}"
CLOSED = NotEntered("no credentials", "pass --profile NAME=PROFILE")
type Break = Callable[[MemoryCloud], object]


def refusing(call: str, action: str) -> Break:
    return lambda cloud: cloud.refusing.update({call: Failure(DENIED.format(action))})


def missing(account: str) -> Break:
    return lambda cloud: cloud.refused.update({account: CLOSED})


READ_ONLY: Mapping[str, tuple[Break, list[str], str]] = {
    "a member's account cannot be entered": (
        missing(REGISTRY),
        [MEMBERS[0], f"ecr-warden-organization in {RUN}/{REGION}"],
        "NOTHING IS DONE in registry: no credentials",
    ),
    "the hub's account cannot be entered": (
        missing(CI),
        [MEMBERS[1], f"ecr-warden-organization in {RUN}/{REGION}"],
        "NOTHING IS DONE in ci: no credentials",
    ),
    "the organization's account cannot be entered": (
        missing(RUN),
        MEMBERS,
        f"NOTHING IS DONE in {RUN}: no credentials",
    ),
    "what is above the accounts cannot be read": (
        lambda cloud: setattr(cloud, "over", Failure(DENIED.format("organizations:DescribeOrganization"))),
        [*MEMBERS, f"ecr-warden-organization in {RUN}/{REGION}"],
        f"NOT DONE: {DENIED.format('organizations:DescribeOrganization')}",
    ),
    "the hub's region is denied": (
        refusing(f"read {HUB}", "cloudformation:DescribeStacks"),
        [*MEMBERS, f"ecr-warden-organization in {RUN}/{REGION}"],
        f"NOT DONE: {DENIED.format('cloudformation:DescribeStacks')}",
    ),
    "a member's region is denied": (
        refusing(f"read {MEMBERS[0]}", "cloudformation:DescribeStacks"),
        [MEMBERS[1], f"ecr-warden-organization in {RUN}/{REGION}"],
        f"NOT DONE: {DENIED.format('cloudformation:DescribeStacks')}",
    ),
    "a change set is refused": (
        refusing(f"propose {MEMBERS[0]}", "cloudformation:CreateChangeSet"),
        [MEMBERS[1], f"ecr-warden-organization in {RUN}/{REGION}"],
        f"NOT DONE: {DENIED.format('cloudformation:CreateChangeSet')}",
    ),
    "one is not executed": (
        refusing(f"execute {MEMBERS[0]}", "cloudformation:ExecuteChangeSet"),
        [MEMBERS[1], f"ecr-warden-organization in {RUN}/{REGION}"],
        DENIED.format("cloudformation:ExecuteChangeSet"),
    ),
    "the session ends in the middle": (
        lambda cloud: cloud.refusing.update(
            dict.fromkeys(("finished", "execute"), Failure("ExpiredToken: it is expired", remedy="sign in again"))
        ),
        [],
        "ExpiredToken: it is expired; sign in again",
    ),
    "the code of functions cannot be read": (
        lambda cloud: setattr(cloud, "unreadable", Failure(DENIED.format("lambda:GetFunction"))),
        [*MEMBERS, f"ecr-warden-organization in {RUN}/{REGION}"],
        f"NOT DONE: {DENIED.format('lambda:GetFunction')}",
    ),
}


@pytest.mark.parametrize("case", READ_ONLY)
def test_rights_are_taken_away_wherever_they_can_be_and_the_rest_is_named(deployed: Site, case: str) -> None:
    breaks, done, said = READ_ONLY[case]
    deployed.release({**TEMPLATES, "organization": template("organization", "OwnStacks", Set=QUEUE)})
    units = UNITS.replace("account: ci", f'account: "{RUN}"').replace("writes: none", "writes: all")
    (deployed.folder / "ecr-warden.yaml").write_text(FILE + units)
    assert deployed("--yes").code == 0
    before = {str(place): live.parameters for place, live in deployed.cloud.stacks.items()}
    breaks(deployed.cloud)
    ran = deployed("--yes", "--read-only")
    assert (ran.code, said in " ".join(ran.err.split())) == (1, True), ran.err
    after = {str(place): live.parameters for place, live in deployed.cloud.stacks.items()}
    changed = {place: set(given.items()) ^ set(before[place].items()) for place, given in after.items()}
    assert [place for place in changed if changed[place]] == done
    assert {name for one in changed.values() for name, _ in one} <= {"Writes"}
    assert deployed.cloud.pending == {}


UNITS = "organization: {id: o-a1b2c3d4e5, account: ci, units: [ou-ab12-34567890], writes: none}\n"
OF_UNITS = f"ecr-warden-organization in {CI}/{REGION}"


@pytest.fixture
def organized(deployed: Site) -> Site:
    """The same with an organization, whose accounts get theirs by StackSets."""
    deployed.release({**TEMPLATES, "organization": template("organization", "OwnStacks", Set=QUEUE)})
    (deployed.folder / "ecr-warden.yaml").write_text(FILE + UNITS)
    assert deployed("--yes").code == 0
    return deployed


def test_an_organization_comes_after_the_hub_that_takes_its_events_and_before_members_whose_boundary_it_makes(
    organized: Site,
) -> None:
    assert organized.begun == [HUB, OF_UNITS, *MEMBERS]
    member = organized.cloud.stacks[StackPlace(REGISTRY, "us-east-1", NAMES["member"])]
    assert member.parameters["OwnBoundary"] == "false"
    hub = organized.cloud.stacks[StackPlace(CI, REGION, NAMES["hub"])]
    assert (hub.parameters["MemberAccounts"], hub.parameters["OrganizationId"]) == ("", "o-a1b2c3d4e5")


@pytest.mark.parametrize("refused", [True, False])
def test_an_account_that_is_left_out_does_not_move_into_the_units(organized: Site, *, refused: bool) -> None:
    organized.cloud.refused |= {REGISTRY: CLOSED} if refused else {}
    (organized.folder / "ecr-warden.yaml").write_text(FILE.replace("team@", "others@") + UNITS)
    assert (organized("--yes", "--without", "registry").code, organized.begun) == (1, [HUB])
    of_units = organized.cloud.stacks[StackPlace(CI, REGION, NAMES["organization"])]
    assert of_units.parameters["OwnStacks"] == f"{CI},{REGISTRY}"


def test_an_account_that_moves_between_units_and_accounts_moves(organized: Site) -> None:
    spare, moved = (
        "333333333333",
        FILE.replace("alerts:", '  spare: {id: "333333333333", writes: none}\nalerts:') + UNITS,
    )
    (organized.folder / "ecr-warden.yaml").write_text(moved)
    ran = organized("--yes")
    assert f"OwnStacks becomes {CI},{REGISTRY},{spare}, is {CI},{REGISTRY}" in as_ids(ran.out)
    assert organized.begun == [
        OF_UNITS,
        f"ecr-warden-member in {spare}/us-east-1",
        f"ecr-warden-events in {spare}/us-east-1",
    ]
    own = organized.cloud.stacks[StackPlace(spare, "us-east-1", NAMES["member"])]
    assert own.parameters["OwnBoundary"] == "false", "it keeps the one that the set made"
    (organized.folder / "ecr-warden.yaml").write_text(FILE + UNITS)
    back = organized("--yes")
    assert organized.begun == [OF_UNITS]
    assert f"the stacks of {spare} stay: delete ecr-warden-events in each region there" in as_ids(back.out)


def as_ids(text: str) -> str:
    for alias, account in (("ci", CI), ("registry", REGISTRY), ("spare", "333333333333")):
        text = text.replace(f"{alias} ({account})", account)
    return text


def test_an_instance_that_fails_is_named_each_time_with_its_reason(organized: Site) -> None:
    reason = "ResourceLogicalId:ReadRole: Role with name ecr-warden-read already exists."
    many = [Instance("ecr-warden-member", f"{number:012}", "us-east-1", "FAILED", reason) for number in range(400)]
    organized.cloud.instances = [*many, Instance("ecr-warden-events", "400000000000", REGION, "RUNNING", "")]
    for words in (("--yes",), ()):
        ran = organized(*words)
        assert (ran.code, organized.begun) == (2, [])
        assert "ecr-warden-member is FAILED in 000000000000, 000000000001, " in ran.out
        assert f"and 390 more, us-east-1: {reason}\n" in ran.out
        assert f"ecr-warden-events is RUNNING in 400000000000, {REGION}: AWS gives no reason\n" in ran.out
    assert len(organized("--json").json["instances"]) == 401


@pytest.mark.thorough
def test_four_hundred_accounts_of_an_organization_have_stacks_of_their_own(deployed: Site) -> None:
    more = "".join(f'  a{number}: {{id: "{500000000000 + number}", writes: none}}\n' for number in range(398))
    file = FILE.replace("alerts:", f"{more}alerts:") + "organization: {id: o-a1b2c3d4e5}\n"
    (deployed.folder / "ecr-warden.yaml").write_text(file)
    ran = deployed("--yes")
    assert (len(deployed.begun), ran.code in (0, 2)) == (1 + 2 * 398, True)
    assert deployed().out.startswith("there is nothing to do")


@pytest.mark.parametrize("place", [HUB, MEMBERS[0], EVENTS[1]])
def test_what_somebody_else_or_an_earlier_run_has_begun_is_awaited_and_taken_up(deployed: Site, place: str) -> None:
    [found] = [one for one in deployed.cloud.stacks if str(one) == place]
    upgrade(deployed)
    deployed.cloud.stacks[found] = replace(deployed.cloud.stacks[found], status="UPDATE_IN_PROGRESS")
    plan = deployed("--plan")
    assert (plan.code, f"{place} is UPDATE_IN_PROGRESS; somebody else" in plan.err) == (1, True)
    assert (deployed("--yes").code, deployed.cloud.log[0]) == (0, f"settled {place}")
    assert len(deployed.begun) == 7


def test_without_a_valid_spec_nothing_is_begun(site: Site) -> None:
    (site.folder / "access.yaml").write_text("versio: 1")
    assert (site("--yes").code, site.cloud.log) == (1, [])


def test_what_is_emitted_is_all_that_a_pipeline_needs(site: Site) -> None:
    into = site.folder / "out"
    assert site("--emit", str(into)).code == 0
    written = sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file())
    assert [name for name in written if not name.endswith(".zip")] == [
        "events.json",
        "hub-bucket.json",
        "hub.json",
        "member.json",
        f"parameters/events-{CI}-{REGION}.json",
        f"parameters/events-{CI}-us-east-1.json",
        f"parameters/events-{REGISTRY}-{REGION}.json",
        f"parameters/events-{REGISTRY}-us-east-1.json",
        f"parameters/hub-{CI}-{REGION}.json",
        f"parameters/member-{CI}-us-east-1.json",
        f"parameters/member-{REGISTRY}-us-east-1.json",
    ]
    given = json.loads((into / f"parameters/hub-{CI}-{REGION}.json").read_text())
    assert {"ParameterKey": "AlertEmail", "ParameterValue": "team@example.com"} in given
    assert "cannot be written: File exists" in site("--emit", str(into)).err
    assert "cannot be written: File exists" in site("--emit", str(site.folder)).err


def test_what_is_emitted_of_an_organization_lacks_what_only_aws_knows(site: Site) -> None:
    units = "organization: {id: o-a1b2c3d4e5, account: ci, units: [ou-ab12-34567890], writes: none}\n"
    (site.folder / "ecr-warden.yaml").write_text(FILE + units)
    assert site("--emit", str(site.folder / "out")).code == 0
    text = (site.folder / "out" / "parameters" / f"organization-{CI}-{REGION}.json").read_text()
    given = {one["ParameterKey"] for one in json.loads(text)}
    assert load("stacks/organization.yaml").body["Parameters"].keys() - given == {
        *("CallAs", "ManagementAccount", "OrganizationRoot", "ManagedRoles")
    }
