"""A first user: from the wheel to a repaired tamper in seven commands, and all that comes after, without a checkout."""

import io
import json
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.aws.deploy import built_release, deploy_release
from local.aws.launcher import ROOT, EmulatedAws
from local.demo import edits
from local.demo.chat import Chat
from local.demo.people import People, make_people
from local.demo.places import CI, REGION, REGISTRY, REPOSITORY, USERS
from local.demo.stage import DEPLOYMENT, make_trail, standing_by_sam
from local.demo.tampers import lets_everybody_in
from local.testing.waiting import until
from local.testing.wheels import built_wheels, install

PULLERS = USERS[1:]
PULLS = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LOGIN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
FIRST = "Bring about what ecr-warden.yaml describes: deploy"
"""The subject of the first commit that can deploy."""
HERE = ("--profile", "ci=ci", "--profile", "registry=registry")


@dataclass
class User:
    """Somebody with a profile for each account, the installed command and an empty folder."""

    aws: EmulatedAws
    chat: Chat
    people: People
    command: Path
    home: Path
    typed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.home / ".aws").mkdir(parents=True)
        keys = "[{}]\nregion=" + REGION + "\naws_access_key_id={}\naws_secret_access_key={}\n"
        profiles = {"ci": _deployer(self.aws, CI), "registry": _deployer(self.aws, REGISTRY)}
        text = "".join(keys.format(name, *one) for name, one in profiles.items())
        for name in ("config", "credentials"):
            (self.home / ".aws" / name).write_text(text)

    def types(self, *words: str, code: int = 0) -> str:
        """Run the command, in an environment that knows no checkout; returns its output."""
        self.typed.append(words[0])
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "AWS_ENDPOINT_URL": self.aws.endpoint_url}
        begun = time.monotonic()
        ran = subprocess.run(
            [str(self.command), *words], env=environment, cwd=self.home, capture_output=True, text=True, check=False
        )
        self.seconds[" ".join(words)] = time.monotonic() - begun
        assert ran.returncode == code, f"{words}:\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def edits(self, name: str, before: str, after: str) -> None:
        """Change a file of the folder."""
        text = (self.home / name).read_text()
        assert before in text, text
        (self.home / name).write_text(text.replace(before, after))

    def policy(self) -> Any:
        """The repository's, as it stands."""
        found = self.aws.client(REGISTRY, "ecr").get_repository_policy(repositoryName=REPOSITORY)
        return json.loads(found["policyText"])

    def tampers(self) -> None:
        """Mallory opens the repository to everybody."""
        edits.edit_repository(self.people.registry_admin, REPOSITORY, lets_everybody_in)

    def roles(self, name: str) -> list[str]:
        """The accounts with a role of this name."""
        lists = {account: self.aws.client(account, "iam").list_roles()["Roles"] for account in (CI, REGISTRY)}
        return [account for account, roles in lists.items() if name in {role["RoleName"] for role in roles}]

    def is_open(self) -> bool:
        """Whether everybody may pull."""
        return any(statement.get("Principal") == "*" for statement in self.policy()["Statement"])


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, with what it deploys."""
    release = built_release(tmp_path_factory.mktemp("release"))
    installed = tmp_path_factory.mktemp("installed")
    install(built_wheels(release, tmp_path_factory.mktemp("wheels")), installed)
    return installed / "bin" / "ecr-warden"


@pytest.fixture(scope="module")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as it was when it could first deploy, with what it deployed."""
    root = tmp_path_factory.mktemp("first")
    of_repository = ["git", "-C", str(ROOT)]
    search = [*of_repository, "log", "-1", "--format=%H", "--fixed-strings", "--grep", FIRST]
    commit = subprocess.run(search, capture_output=True, text=True, check=True).stdout.strip()
    assert commit, "this needs the whole history: git fetch --unshallow"
    packed = subprocess.run([*of_repository, "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as sources:
        sources.extractall(root, filter="data")
    (root / ".tools").symlink_to(ROOT / ".tools")
    release = built_release(root / "build", root)
    install(built_wheels(release, root / "dist", root), root / "installed")
    return root / "installed" / "bin" / "ecr-warden"


@pytest.fixture
def user(released: Path, tmp_path: Path) -> Iterator[User]:
    """Two accounts as they are before: two users pull by policies of somebody's own."""
    with EmulatedAws() as aws, Chat() as chat:
        iam, ecr = aws.client(CI, "iam"), aws.client(REGISTRY, "ecr")
        for name in USERS:
            iam.create_user(UserName=name)
        ecr.create_repository(repositoryName=REPOSITORY)
        arn = f"arn:aws:ecr:{REGION}:{REGISTRY}:repository/{REPOSITORY}"
        for name in PULLERS:
            policy = _policy({"Effect": "Allow", "Action": PULLS, "Resource": arn}, LOGIN)
            iam.put_user_policy(UserName=name, PolicyName="pull", PolicyDocument=policy)
        principals = {"AWS": [f"arn:aws:iam::{CI}:user/{name}" for name in PULLERS]}
        policy = _policy({"Effect": "Allow", "Principal": principals, "Action": PULLS})
        ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=policy)
        for account in (CI, REGISTRY):
            make_trail(aws, account)
        aws.client(CI, "ssm").put_parameter(Name="/ecr-warden/webhook", Value=chat.url, Type="SecureString")
        yield User(aws, chat, make_people(aws), released, tmp_path / "home")


def _deployer(aws: EmulatedAws, account: str) -> tuple[str, str]:
    """The keys of a user who may do what the pages say that deploying takes, and nothing else."""
    iam, name = aws.client(account, "iam"), "deployer"
    iam.create_user(UserName=name)
    for path in (ROOT / "stacks").glob("deployer-policy*.json"):
        text = json.dumps(json.loads(path.read_text()), separators=(",", ":"))
        arn = iam.create_policy(PolicyName=path.stem, PolicyDocument=text)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    page = (ROOT / "docs" / "cli.md").read_text()
    needs = page.split("`plan` needs in each account")[1].split("A profile may")[0]
    reads = re.findall(r"`([a-z]+:[A-Z]\w+)`", needs)
    reading = _policy({"Effect": "Allow", "Action": reads, "Resource": "*"})
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=reading)
    return aws.user_keys(account, name)


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_from_the_wheel_to_a_repaired_tamper(user: User) -> None:
    where = ("--region", REGION, "--hub-account", "ci", "--email", "team@example.com")
    user.types("init", *HERE, *where, "--webhook", "ssm:/ecr-warden/webhook")
    user.types("deploy", *HERE, "--yes")
    user.edits("access.yaml", "mode: observe", "mode: enforce")
    held = json.loads(user.types("apply", "access.yaml", "--yes", "--json", "--profile", "ci", code=2))
    user.types("accept", held["hold"], "--yes", "--profile", "ci")
    user.types("doctor", *HERE)
    assert len(["install", *user.typed, "edit"]) <= 7

    user.tampers()
    until(lambda: not user.is_open(), what="the repair")
    until(lambda: user.chat.telling_of("could pull"), what="the message")
    user.types("doctor", *HERE)
    assert "there is nothing to do" in user.types("deploy", *HERE)

    assert json.loads(user.types("remove", *HERE, "--yes", "--json"))["left"] == []
    assert user.roles("ecr-warden-read") == []
    assert "there is nothing to remove" in user.types("remove", *HERE, "--yes")


def test_read_only_nothing_can_write_and_an_enforcing_version_is_refused(user: User) -> None:
    user.types("init", *HERE, "--region", REGION, "--hub-account", "ci", "--email", "team@example.com")
    assert "role ecr-warden-write" not in user.types("deploy", *HERE, "--read-only", "--plan", code=2)
    user.types("deploy", *HERE, "--read-only", "--yes")
    assert user.roles("ecr-warden-write") == []
    user.edits("access.yaml", "mode: observe", "mode: enforce")
    assert "change writes in ecr-warden.yaml" in user.types("apply", "access.yaml", "--yes", "--profile", "ci", code=1)

    assert "creates role ecr-warden-write in registry" in user.types("deploy", *HERE, "--yes", code=2)
    assert user.roles("ecr-warden-write") == [CI, REGISTRY]


def test_an_upgrade_from_the_first_version_keeps_what_was_accepted(user: User, first_version: Path) -> None:
    newest, user.command = user.command, first_version
    user.types("init", *HERE, "--region", REGION, "--hub-account", "ci", "--email", "team@example.com")
    user.types("deploy", *HERE, "--yes")
    accepted = user.types("versions", "accepted", "--profile", "ci")

    user.command = newest
    user.types("deploy", *HERE, "--plan", code=2)
    user.types("deploy", *HERE, "--yes")
    assert user.types("versions", "accepted", "--profile", "ci") == accepted
    assert "there is nothing to do" in user.types("deploy", *HERE)


def test_a_hub_that_sam_deployed_is_taken_over(released: Path, tmp_path: Path) -> None:
    release = next(released.parents[1].glob("lib/python*/site-packages/ecr_warden_cli/release"))
    with standing_by_sam("rate(1 day)", (), tmp_path / "built", "team@example.com") as stage:
        deploy_release(stage.aws, DEPLOYMENT, {"ci": CI, "registry": REGISTRY}, release)
        rule = stage.aws.client(CI, "events", REGION).describe_rule(Name="ecr-warden-sweep")
        assert rule["ScheduleExpression"] == "rate(15 minutes)"
