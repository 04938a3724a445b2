"""A newcomer with docs/how-to.md and a terminal, and what they cannot see: every document of three accounts."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ecr_warden.repair.write_scope import OWNER_LISTS, ROLE_LIST, filled
from iam_access.arn import iam_arn
from local.aws import deploy
from local.aws.deploy import Place
from local.aws.launcher import ROOT, EmulatedAws
from local.demo.places import CI, REGION, TRAIL_REGION
from local.demo.stage import make_trail
from local.testing.accepting import versions_held
from local.testing.grown import Grown, grown
from local.testing.waiting import until
from tests.e2e.house import GUESTS, House

REPOSITORIES = 200
REGIONS = (REGION, TRAIL_REGION)
NAMES = dict(zip(("ci", "registry", "run"), GUESTS, strict=True))
_SECONDS = 60

type Json = dict[str, Any]
type Documents = Mapping[str, Json | None]
"""By the ARN of a repository, None without a policy; by that of a user or role, `#` and `trust` or a policy's name."""
type Permission = tuple[str, str, str, str]
"""Effect, principal or resource, action, condition."""


def seed(aws: EmulatedAws) -> Grown:
    """Three accounts in which nobody has planned anything, each with a trail."""
    made = grown(REPOSITORIES).moved(*GUESTS)
    made.seed(aws.client)
    for account in GUESTS:
        make_trail(aws, account)
    return made


def recipe(heading: str) -> list[list[str]]:
    """The commands of each step of a recipe; a line that is further in goes on with the one above."""
    text = (ROOT / "docs" / "how-to.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    steps = re.split(r"^\d+\. ", re.sub(r"\\\n +", "", text), flags=re.MULTILINE)[1:]
    return [re.findall(r"^ {7}(\S.*(?:\n {8,}\S.*)*)$", step, re.MULTILINE) for step in steps]


@dataclass(slots=True)
class Newcomer:
    """Types commands in a directory, says yes, and looks up what to fill in; `said`: the output of each command."""

    house: House
    home: Path
    said: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, house: House, home: Path) -> "Newcomer":
        """With a profile for each account, and one for the hub's."""
        config = "".join(
            f"[profile {name}]\nregion = {REGION}\nendpoint_url = {house.stage.aws.endpoint_url}\n"
            f"aws_access_key_id = {account}\naws_secret_access_key = test\n"
            for name, account in (*NAMES.items(), ("hub", CI))
        )
        (home / ".aws").mkdir()
        (home / ".aws" / "config").write_text(config)
        person = cls(house, home)
        person.runs("git init --quiet --initial-branch=main")
        return person

    @property
    def spec(self) -> Path:
        """The file in which they say who may pull and push."""
        return self.home / "access.yaml"

    def types(self, commands: list[str]) -> None:
        """Each command; after one that gives the hub something to do, they wait until it is done."""
        for command in commands:
            mark = self.house.now().mark
            words = command.split()
            verb = " ".join(words[: 3 if words[2:] and words[2] in ("RUN", "ID") else 2])
            said = self.said[verb] = self.runs(self._filled_in(command))
            uploaded = re.search(r"^version (\S+) is uploaded", said, re.MULTILINE)
            if uploaded is not None:
                self._waits_for(uploaded[1])
            if uploaded is not None or verb == "ecr-warden accept ID":
                self.house.quiet.wait(mark)

    def runs(self, command: str) -> str:
        """What a command prints, both ways; exit code 2 says that something differs."""
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.home),
            "ECR_WARDEN_HUB_PROFILE": "hub",
            "ECR_WARDEN_HUB_REGION": REGION,
            **{f"GIT_{who}_{what}": "nina@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        ran = subprocess.run(
            command,
            shell=True,
            env=environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        allowed = (0, 2) if command.startswith("ecr-warden ") else (0,)
        assert ran.returncode in allowed, f"{command}\n{ran.stdout}"
        return ran.stdout

    def _filled_in(self, command: str) -> str:
        if command == "ecr-warden accept ID":
            return command.replace("ID", self.said["ecr-warden held"].split()[0]) + " --yes"
        if command.endswith(" RUN"):
            # A run after a repair may only report, anew, what is left to a grant in mode observe.
            runs = re.findall(r"([0-9]{8}T[0-9]{6}Z[0-9a-f]{12})  repaired", self.said["ecr-warden history"])
            return f"{command.removesuffix('RUN')}{runs[0]}"
        if command.startswith(("ecr-warden apply ", "ecr-warden rollback")):
            return f"{command} --yes --no-wait"
        return f"{command} --yes" if " --write " in command else command

    def _waits_for(self, version: str) -> None:
        aws = self.house.stage.aws
        until(
            lambda: self.house.accepted() == version or version in versions_held(aws, CI, REGION),
            what=f"the hub's look at version {version}",
        )

    def deploys_members(self) -> None:
        """The stacks of each account, with the write scope that plan has printed."""
        aws, hub = self.house.stage.aws, self.house.stage.hub
        scopes = dict.fromkeys(GUESTS, "")
        for part in self.said["ecr-warden plan"].split("\naccount ")[1:]:
            scopes[re.findall(r"[0-9]{12}", part)[0]] = part
        for account, scope in scopes.items():
            given = {"HubAccount": CI, "ExternalId": hub["ExternalId"], "HubBusArns": hub["TrailBusArn"]}
            for name, entries in re.findall(r"(owners|roles): \[(.*?)\]", scope, re.DOTALL):
                arns = [iam_arn(account, entry.strip()) for entry in entries.split(",")]
                lists = OWNER_LISTS if name == "owners" else (ROLE_LIST,)
                given |= {parameter: ",".join(some) for parameter, some in filled({}, lists, arns)}
            deploy.create(aws, Place(account, REGION, "ecr-warden-member"), ROOT / "stacks" / "member.yaml", given)
            for region in REGIONS:
                place = Place(account, region, "ecr-warden-events")
                deploy.create(aws, place, ROOT / "stacks" / "events.yaml", {"HubBusArn": hub["TrailBusArn"]})


def documents(aws: EmulatedAws) -> Documents:
    """Every policy of the three accounts but ecr-warden's own, read by a plain client."""
    found: dict[str, Json | None] = {}
    for account in GUESTS:
        iam = aws.client(account, "iam")
        for page in iam.get_paginator("get_account_authorization_details").paginate(Filter=["User", "Role"]):
            for one in (*page["UserDetailList"], *page["RoleDetailList"]):
                if "/ecr-warden/ecr-warden-" in one["Arn"]:
                    continue
                for policy in (*one.get("UserPolicyList", ()), *one.get("RolePolicyList", ())):
                    found[f"{one['Arn']}#{policy['PolicyName']}"] = policy["PolicyDocument"]
                if "AssumeRolePolicyDocument" in one:
                    found[f"{one['Arn']}#trust"] = one["AssumeRolePolicyDocument"]
        for region in REGIONS:
            ecr = aws.client(account, "ecr", region)
            for page in ecr.get_paginator("describe_repositories").paginate():
                for repository in page["repositories"]:
                    found[repository["repositoryArn"]] = _policy(ecr, repository["repositoryName"])
    return found


def _policy(ecr: Any, name: str) -> Json | None:
    try:
        policy: Json = json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"])
    except ClientError as error:
        assert error.response["Error"]["Code"] == "RepositoryPolicyNotFoundException", error
        return None
    return policy


def permissions(document: Json | None) -> set[Permission]:
    """What the statements say, one by one, with no idea of what it means; the order of statements says nothing."""
    found = set()
    for statement in () if document is None else _listed(document["Statement"]):
        key = next(key for key in ("Principal", "NotPrincipal", "Resource") if key in statement)
        condition = json.dumps(statement.get("Condition"), sort_keys=True)
        for value in _named(statement[key]):
            for action in _listed(statement["Action"]):
                found.add((statement["Effect"], f"{key} {value}", action, condition))
    return found


def is_allowed(statements: set[Permission], action: str, resource: str) -> bool:
    """Whether one of them allows the action on the resource, whoever asks and from wherever."""
    return any(
        effect == "Allow" and fnmatchcase(action, what) and fnmatchcase(f"Resource {resource}", where)
        for effect, where, what, condition in statements
        if condition == "null"
    )


def _named(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [str(one) for one in _listed(value)]
    return [f"{kind} {one}" for kind, values in value.items() for one in _listed(values)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def who_pushes(aws: EmulatedAws, made: Grown) -> set[tuple[str, str]]:
    """Which builder starts an upload through which push role, found out by doing it."""
    found = set()
    _, registry, _ = made.accounts
    roles = [one for one in made.people if one.name.endswith("-pusher")]
    for user in (one for one in made.people if one.name.endswith("-builder")):
        sts = aws.user_client(user.account, user.name, "sts")
        for role in roles:
            try:
                given = sts.assume_role(RoleArn=role.arn, RoleSessionName=user.name)["Credentials"]
                ecr = aws.assumed_client(given, "ecr")
                department = role.name.removesuffix("-pusher")
                name = next(one.name for one in made.images if one.name.startswith(department))
                ecr.initiate_layer_upload(registryId=registry, repositoryName=name)
                found.add((user.name, role.name))
            except ClientError as error:
                assert "AccessDenied" in error.response["Error"]["Code"], error
    return found
