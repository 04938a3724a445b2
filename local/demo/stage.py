"""Two bare accounts, and the product deployed to them as people deploy it."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecr_warden.aws.table import Table
from ecr_warden.notify.aws_outbox import STANDING, incidents_in
from local.aws import deploy
from local.aws.deploy import Place
from local.aws.launcher import ROOT, EmulatedAws
from local.demo.chat import Chat, Message
from local.demo.people import People, make_people
from local.demo.places import CI, LEGACY, REGION, REGISTRY, REPOSITORY, TRAIL_REGION, USERS
from local.testing.accepting import accept_version
from local.testing.forgetting import forget_messages, forget_waiting, is_waiting
from local.testing.waiting import until

_EXTERNAL_ID = "demo-external-id"
WEBHOOK = "/ecr-warden/webhook"
TRAIL = "management-events"
_HUB = Place(CI, REGION, "ecr-warden")
_RELEASE = ROOT / "build" / "release"
DEPLOYMENT = f"""
version: 1
hub: {{account: ci, region: {REGION}}}
accounts:
  ci: {{id: "{CI}", writes: identities, owners: [{", ".join(f"user/{user}" for user in USERS)}]}}
  registry: {{id: "{REGISTRY}", regions: [{REGION}], writes: all}}
alerts: {{webhook: "ssm:{WEBHOOK}"}}
# 60 s on AWS, where a policy takes a while to be seen everywhere; longer than a repair takes here.
parameters: {{SessionCutoffMargin: 5}}
"""
"""ecr-warden.yaml."""
_FORWARDING = (("ecr-warden-forward-ecr", REGION), ("ecr-warden-forward-iam", TRAIL_REGION))
_SWEEP = "ecr-warden-sweep"
_DISPATCH = ":assumed-role/ecr-warden-dispatch/"
_TRAIL_RULE, _TRAIL_BUS = "ecr-warden-trail", "ecr-warden-trail"


_HEARD_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The running accounts with the hub's outputs, the chat and the people."""

    aws: EmulatedAws
    hub: Mapping[str, str]
    chat: Chat
    people: People
    counted: list[int] = field(default_factory=list)
    """How much each incident that was forgotten had counted since its last message: its end would have said so."""

    def upload(self, spec: str) -> str:
        """Upload a spec; returns its version."""
        s3 = self.aws.client(CI, "s3")
        return str(s3.put_object(Bucket=self.hub["SpecBucket"], Key="access.yaml", Body=spec.encode())["VersionId"])

    def enforce(self, spec: str) -> str:
        """Upload a spec, and accept it as a person if it is held; returns its version once it is accepted."""
        version = self.upload(spec)
        until(
            lambda: self.accepted() == version or accept_version(self.aws, CI, REGION, version),
            what=f"the acceptance of {version}",
            pause=0.2,
        )
        until(lambda: self.accepted() == version, what=f"version {version} in force")
        return version

    def accepted(self) -> str:
        """The version in force."""
        client = self.aws.client(CI, "dynamodb", REGION)
        key = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
        found = client.get_item(TableName=self.hub["Table"], Key=key, ConsistentRead=True)
        return str(found["Item"]["version"]["S"]) if "Item" in found else ""

    def sweeps(self, mark: int = 0) -> int:
        """How many sweeps have begun since the mark."""
        bodies = (
            json.loads(entry["messageBody"])
            for call in self.aws.calls(mark)
            if call.service == "sqs" and _DISPATCH in call.principal
            for entry in call.parameters.get("entries", ())
        )
        return sum(body["kind"] == "sweep-all" for body in bodies)

    def fire_sweep(self) -> None:
        """Let the schedule fire before its time, and wait for nothing."""
        self.aws.fire_schedule(CI, REGION, _SWEEP)

    def begin_sweep(self) -> None:
        """Let the schedule fire, and return when its first job is in the queue: until then all seems to be done."""
        mark = self.aws.mark()
        self.fire_sweep()
        until(lambda: self.sweeps(mark), what="the first job of the sweep")

    def message(self, words: str, since: int = 0) -> Message:
        """The first message after the first `since` that contains the words.

        After the tenth in ten minutes one waits for a digest: for a minute, and 20 s more behind others of its cause.
        """
        found = until(lambda: self.chat.telling_of(words, since), _HEARD_SECONDS, f"the message: {words}")
        return found[0]

    def let_time_pass(self) -> None:
        """As if more time passed than the demo takes: else the ten messages of ten minutes would be used up.

        What waits for a digest is heard first.
        """
        client, table = self.aws.client(CI, "dynamodb", REGION), self.hub["Table"]
        until(lambda: not is_waiting(client, table), _HEARD_SECONDS, "the digest of what waits")
        self.counted.append(self.counting())
        for forget in (forget_messages, forget_waiting):
            forget(client, table)

    def counting(self) -> int:
        """How much the incidents have counted since their last messages."""
        standing = incidents_in(Table(self.aws.client(CI, "dynamodb", REGION), self.hub["Table"]), STANDING)
        return sum(incident.things - incident.said_things for incident in standing)

    def events(self, *, on: bool) -> None:
        """Enable or disable every rule that forwards CloudTrail's events, in the members and on the hub's bus."""
        for account in (CI, REGISTRY):
            for rule, region in _FORWARDING:
                client = self.aws.client(account, "events", region)
                (client.enable_rule if on else client.disable_rule)(Name=rule)
        hub = self.aws.client(CI, "events", REGION)
        (hub.enable_rule if on else hub.disable_rule)(Name=_TRAIL_RULE, EventBusName=_TRAIL_BUS)


@contextmanager
def standing(say: Callable[[str], None], file: str = DEPLOYMENT) -> Iterator[Stage]:
    """Build, start and deploy by the command, announcing each; the schedule is the default one.

    `file`: the text of ecr-warden.yaml.
    Raises DeploymentFailed, EmulatorDied.
    """
    say("what is deployed: nine functions and their layers, and the templates")
    with _bare(say, lambda: deploy.built_release(_RELEASE)) as (stage, built):
        say(f"ecr-warden deploy: the hub to {CI}, member and events stacks to {CI} and {REGISTRY}")
        deploy.deploy_release(stage.aws, file, {"ci": CI, "registry": REGISTRY}, built())
        yield replace(stage, hub=deploy.outputs(stage.aws, _HUB).outputs)


@contextmanager
def standing_by_sam(sweeps: str, guests: tuple[str, ...], into: Path, email: str) -> Iterator[Stage]:
    """The same as contributors deploy it, by sam and CreateStack.

    `sweeps`: how often; `guests`: further accounts from which the hub takes events, once they have stacks; `into`: the
    folder of the build; `email`: who gets alerts and alarms. Raises DeploymentFailed, EmulatorDied.
    """
    with _bare(lambda _: None, lambda: deploy.built_product(into)) as (stage, built):
        hub = deploy.deploy(stage.aws, _HUB, built(), _hub_parameters(sweeps, guests, email))
        _members(stage.aws, hub.outputs["TrailBusArn"])
        yield replace(stage, hub=hub.outputs)


@contextmanager
def _bare(say: Callable[[str], None], build: Callable[[], Path]) -> Iterator[tuple[Stage, Callable[[], Path]]]:
    """The accounts before anything is deployed, and what waits for the build, which is made meanwhile."""
    with ThreadPoolExecutor(1) as beside, EmulatedAws() as aws, Chat() as chat:
        building = beside.submit(build)
        say(f"two accounts on {aws.endpoint_url}: {CI} has the users, {REGISTRY} the images")
        _bare_accounts(aws)
        people = make_people(aws)
        aws.client(CI, "ssm").put_parameter(Name=WEBHOOK, Value=chat.url, Type="SecureString")
        yield Stage(aws, {}, chat, people), building.result


def _bare_accounts(aws: EmulatedAws) -> None:
    """Create the users and the repositories, no role and no policy, and the trails that AWS's events need."""
    iam, ecr = aws.client(CI, "iam"), aws.client(REGISTRY, "ecr")
    for user in USERS:
        iam.create_user(UserName=user)
    for repository in (REPOSITORY, LEGACY):
        ecr.create_repository(repositoryName=repository)
    for account in (CI, REGISTRY):
        make_trail(aws, account)


def make_trail(aws: EmulatedAws, account: str) -> None:
    """A trail of all management events in all regions."""
    bucket = f"trail-{account}"
    aws.client(account, "s3", REGION).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    trail = aws.client(account, "cloudtrail", REGION)
    trail.create_trail(Name=TRAIL, S3BucketName=bucket, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True)
    trail.start_logging(Name=TRAIL)


def _hub_parameters(sweeps: str, guests: tuple[str, ...], email: str) -> dict[str, str]:
    return {
        "SweepSchedule": f'"{sweeps}"',  # sam splits at spaces
        "ExternalId": _EXTERNAL_ID,
        "MemberAccounts": ",".join((CI, REGISTRY, *guests)),
        "SessionCutoffMargin": "5",
        "WebhookReference": f"ssm:{WEBHOOK}",
        "AlertEmail": email,
    }


def _members(aws: EmulatedAws, bus: str) -> None:
    owners = ",".join(f"arn:aws:iam::{CI}:user/{user}" for user in USERS)
    for account, managed in ((CI, owners), (REGISTRY, "")):
        given = {"HubAccount": CI, "ExternalId": _EXTERNAL_ID, "ManagedOwners": managed, "HubBusArns": bus}
        place = Place(account, TRAIL_REGION, "ecr-warden-member")
        deploy.create(aws, place, ROOT / "stacks" / "member.yaml", given)
        for region in (REGION, TRAIL_REGION):
            place = Place(account, region, "ecr-warden-events")
            deploy.create(aws, place, ROOT / "stacks" / "events.yaml", {"HubBusArn": bus})
