"""Every verb at work, as tests/cases/scenes.yaml has it: on a laptop, or over a hub in this process."""

import shlex
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ecr_warden_cli.deployment.ports import Kind, LiveStack, StackPlace, Thing
from local.testing.seed import CHECKOUT, CI, D1, HOME, SPEC_FILE, allow, document
from tests.cli.command import HERE, Command
from tests.cli.test_deploy import FILE, Site
from tests.cli.test_doctor import TEXT, House
from tests.cli.test_hold import over as over_holds
from tests.cli.test_hub import InProcess, over
from tests.cli.test_incidents import ANN, alerted, announcing
from tests.cli.test_init import at as nothing_deployed
from tests.cli.test_pushed import pushed_to
from tests.clouds import MemoryCloud, MemoryEntered
from tests.tables import load
from tests.template.cfn import ROOT
from tests.usecases.test_holds import held
from tests.usecases.uploads import first
from tests.usecases.world import World, tampered, world_in_sync

SCENES: Mapping[str, Mapping[str, Any]] = load((ROOT / "tests" / "cases" / "scenes.yaml").read_text())
PATTERNS = b"""
version: 1
accounts: {registry: {id: "222222222222", regions: [eu-central-1]}}
repositories: [{name: shop/*, except: [shop/old], account: registry, pull: [registry:user/anna]}]
documents: [{kind: repository-policy, account: registry, repository: legacy/app,
  document: {Statement: {Effect: Deny, Principal: "*", Action: "ecr:PutImage"}}}]
"""
ID = held(first()).id
EXAMPLES = ROOT / "examples"
WORDS: Mapping[str, tuple[str, ...]] = {
    "ID": (ID,),
    "SEED": (str(SPEC_FILE),),
    "LITERAL": (str(SPEC_FILE.parent / "literal.yaml"),),
    "HERE": HERE,
    "ESTATE": ("--snapshot", str(EXAMPLES / "who-can" / "estate.json")),
    "GIVEN": ("--spec", str(SPEC_FILE)),
    "WHO_CAN_SPEC": (str(EXAMPLES / "who-can" / "access.yaml"),),
    "CHANGE": (str(EXAMPLES / "who-can" / "change.json"),),
    "PULLER": ("arn:aws:iam::111111111111:user/pull-user-1",),
    "INCIDENT": (ANN,),
    "NEWCOMER": ("arn:aws:iam::111111111111:user/newcomer",),
}
# The file that a word stands for, and what is in it.
FILES = {
    "PATTERNS": ("access.yaml", PATTERNS),
    "CHANGED": ("changed.yaml", PATTERNS.replace(b"anna", b"eve").replace(b"Put", b"Get")),
    "DEPLOYMENT": ("ecr-warden.yaml", FILE.encode()),
    "BROKEN": ("access.yaml", b"versio: 1"),
    "DEPLOYED": ("ecr-warden.yaml", TEXT.encode()),
    "COPY": ("access.yaml", SPEC_FILE.read_bytes()),
}


def paused() -> Command:
    """Over a hub that has reported what it may not repair."""
    world = world_in_sync()
    command = over(world)
    assert command("pause", "shop/checkout", "--for", "2h", "--reason", "a migration").code == 0
    world.put(D1, document(allow("ecr:BatchGetImage", who="*")))
    world.run(CHECKOUT)
    return command


def holding() -> World:
    """A world in which the version of ID waits."""
    world = first()
    assert held(world).id == ID
    return world


def deployed() -> Command:
    """Over the accounts of a deployment."""
    hub, registry = StackPlace(CI, "eu-central-1", "ecr-warden"), StackPlace(HOME, "us-east-1", "ecr-warden-member")
    cloud = MemoryCloud(
        {
            hub: LiveStack("CREATE_COMPLETE", description="ecr-warden hub - "),
            registry: LiveStack("CREATE_COMPLETE", description="ecr-warden member - "),
        },
        hubs=lambda: InProcess(first()),
    )
    boundary = f"arn:aws:iam::{HOME}:policy/ecr-warden/ecr-warden-boundary"
    cloud.things = [
        Thing(Kind.BUCKET, CI, "eu-central-1", f"ecr-warden-spec-{CI}-eu-central-1"),
        Thing(Kind.BOUNDARY, HOME, "", boundary, ("role/ecr-pusher",)),
    ]
    return Command(entered=MemoryEntered(cloud))


HUBS: Mapping[str, Callable[[], Command]] = {
    "nothing yet": nothing_deployed,
    "a release": lambda: Site(Path(tempfile.mkdtemp())).command(),
    "in sync": lambda: over(world_in_sync()),
    "tampered": lambda: over(tampered()),
    "paused": paused,
    "deployed": deployed,
    "pushed": lambda: over(pushed_to()),
    "alerted": alerted,
    "announcing": announcing,
    "first": lambda: over_holds(first()),
    "unscheduled": lambda: House.without_schedule().command(),
    "holding": lambda: over_holds(holding()),
}


def verb_of(scene: str) -> str:
    """The first of its words."""
    return str(SCENES[scene]["words"].split()[0])


def begun(scene: str, laptop: Command, folder: Path) -> tuple[Command, list[str], bytes]:
    """The command of a scene, its words, and what is on stdin; its files are in the folder."""
    row = SCENES[scene]
    command = HUBS[row["over"]]() if "over" in row else laptop

    def filled(word: str) -> tuple[str, ...]:
        if word == "RUN":
            (run,) = command("history", "--json").json["runs"]
            return (run["runId"],)
        if word == "FOLDER":
            return (str(folder),)
        if word in FILES:
            name, content = FILES[word]
            (folder / name).write_bytes(content)
            return (str(folder / name),)
        return WORDS.get(word, (word,))

    words = [given for word in shlex.split(row["words"]) for given in filled(word)]
    return command, words, row.get("stdin", "").encode()
