"""The installed command against two accounts of the emulator, with the rights that docs/cli.md asks for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_warden.aws.accounts import SessionClients
from ecr_warden.core.address import repository_policy
from ecr_warden.core.target import UserTarget
from local.aws.launcher import EmulatedAws
from local.testing.seed import ACCEPTED, BOUNDARY, CHECKOUT, CI, HOME, SPEC_FILE, compiled, repository_document
from tests.cli.command import unfolded
from tests.contracts.worlds import MotoWorld, make_in_sync
from tests.template.cfn import ROOT

pytestmark = pytest.mark.thorough

COMMAND = str(Path(sys.executable).parent / "ecr-warden")
READER = UserTarget("", "laptop")
OF_TAGS = ("ecr:ListTagsForResource",)
"""Of snapshot and import."""
RIGHTS = (
    "ecr:GetRepositoryPolicy",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "ecr:DescribeRepositories",
    "ecr:GetRegistryPolicy",
    "ecr:DescribeRegistry",
    "ecr:GetAccountSetting",
    "ecr:DescribeRepositoryCreationTemplates",
    "ecr:DescribePullThroughCacheRules",
    "iam:ListPolicies",
    "iam:GetPolicyVersion",
    "iam:ListOpenIDConnectProviders",
    "iam:ListSAMLProviders",
    "organizations:DescribeOrganization",
)
"""Of plan and check."""


class Laptop(MotoWorld):
    """The seed's accounts on the emulator, and a person whose profiles have `RIGHTS` there."""

    def __init__(self, aws: EmulatedAws, home: Path) -> None:
        super().__init__()
        self.aws, self.home = aws, home

    def _of(self, account: str) -> SessionClients:
        return SessionClients(self.aws.session(account))

    def give_profiles(self) -> None:
        """Create a reader in each account and store its keys."""
        for account in (CI, HOME):
            iam = self._of(account).iam
            iam.create_user(UserName=READER.name)
            iam.attach_user_policy(UserName=READER.name, PolicyArn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")
        self.allow(*RIGHTS)
        lines = []
        for alias, account in (("ci", CI), ("registry", HOME)):
            key, secret = self.aws.user_keys(account, READER.name)
            lines += [f"[{alias}-read]", f"aws_access_key_id={key}", f"aws_secret_access_key={secret}"]
        (self.home / ".aws").mkdir()
        (self.home / ".aws" / "credentials").write_text("\n".join(lines) + "\n")

    def allow(self, *rights: str) -> None:
        """Let the readers call these, and nothing else."""
        document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": rights, "Resource": "*"}}
        for account in (CI, HOME):
            iam = self._of(account).iam
            iam.put_user_policy(UserName=READER.name, PolicyName="read", PolicyDocument=json.dumps(document))

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return self.command(*argv, str(SPEC_FILE))

    def command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        profiles = ("--profile", "ci=ci-read", "--profile", "registry=registry-read")
        return subprocess.run(
            [COMMAND, *argv, *profiles],
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "AWS_ENDPOINT_URL": self.aws.endpoint_url},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
            check=False,
        )


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with EmulatedAws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
        laptop = Laptop(aws, tmp_path)
        laptop.make_policy(BOUNDARY)
        make_in_sync(laptop)
        laptop.give_profiles()
        yield laptop


def test_the_documented_permissions_are_enough_and_nothing_is_written(laptop: Laptop) -> None:
    mark = laptop.aws.mark()
    fine = laptop.run("check")
    assert (fine.returncode, fine.stderr) == (0, ""), fine.stdout
    assert fine.stdout.endswith("5 targets: 5 ok, 0 differ, 0 unreadable\n")
    assert laptop.aws.writes_since(mark) == ()
    assert {f"{call.service}:{call.action}" for call in laptop.aws.calls(mark)} == {*RIGHTS, "sts:GetCallerIdentity"}

    mark = laptop.aws.mark()
    imported = laptop.command("import", "--region", CHECKOUT.region)
    assert imported.returncode == 0, imported.stderr
    assert imported.stderr.startswith("documents: 6 equal, 0 change no access, 0 would change access\n")
    again = compiled(imported.stdout)
    assert {key: spec.documents for key, spec in again.targets.items()} == {
        key: spec.documents for key, spec in ACCEPTED.targets.items()
    }
    assert laptop.aws.writes_since(mark) == ()
    calls = {f"{call.service}:{call.action}" for call in laptop.aws.calls(mark)}
    assert calls <= {*RIGHTS, *OF_TAGS, "sts:GetCallerIdentity"}

    laptop.put(repository_policy(CHECKOUT), repository_document("pull-user-1", "ecr:*"))
    mark = laptop.aws.mark()
    tampered = laptop.run("plan")
    assert (tampered.returncode, tampered.stderr) == (2, "")
    assert "    1. update repository policy (gives and takes access)\n" in tampered.stdout
    assert laptop.aws.writes_since(mark) == ()
    calls = {f"{call.service}:{call.action}" for call in laptop.aws.calls(mark)}
    assert calls == {*RIGHTS, "sts:GetCallerIdentity"}


@pytest.mark.parametrize(
    ("rights", "written"),
    [(("ecr:DescribeImages",), []), (("iam:Get*", "iam:List*"), ["access.yaml", "ecr-warden.yaml"])],
    ids=["no right", "a right to read users and roles alone"],
)
def test_init_writes_no_file_where_every_call_is_denied(
    laptop: Laptop, tmp_path: Path, rights: tuple[str, ...], written: list[str]
) -> None:
    laptop.allow(*rights)
    (folder := tmp_path / "new").mkdir()
    ran = laptop.command("init", "--region", CHECKOUT.region, "--hub-account", "ci", "--email=", "-o", str(folder))
    assert (ran.returncode, sorted(one.name for one in folder.iterdir())) == (1, written), ran.stderr
    denied = f"users and roles of account ci ({CI}): permission-missing"
    nothing = "ecr-warden: nothing could be read of ci, registry, so no file is written; docs/import.md#1-import says"
    assert [denied in ran.stderr, nothing in ran.stderr] == [not written, not written]


def test_a_missing_permission_is_named_and_its_documents_are_unreadable(laptop: Laptop) -> None:
    iam = laptop.aws.client(HOME, "iam")
    iam.delete_user_policy(UserName=READER.name, PolicyName="read")
    ran = laptop.run("check")
    assert ran.returncode == 1
    shown = unfolded(ran.stdout)
    assert f"unreadable  {CHECKOUT}: " in shown
    assert "AWS denied ecr:DescribeRepositories" in shown
    assert "unreadable  registry:user/*: " in shown
    assert "AWS denied iam:GetAccountAuthorizationDetails" in shown
    assert ran.stdout.endswith("6 targets: 3 ok, 0 differ, 3 unreadable\n")
