"""Whose credentials enter which account, and what they show, on the embedded AWS."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.aws.system import SystemClock
from ecr_warden.hub.reply import StatusReply
from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.deployment.checkup import Verdict
from ecr_warden_cli.deployment.look import examine
from ecr_warden_cli.deployment.sessions import Ways
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount
from ecr_warden_cli.terminal.context import Failure
from local.aws.launcher import EmulatedAws
from local.demo.places import ADMINISTRATOR

CI, REGISTRY, ROLE = "111111111111", "222222222222", "deployer"
ACCOUNTS = {CI: "ci", REGISTRY: "registry"}

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Profiles `ci` and `registry` of both accounts' root users, and a role in the registry that CI's may assume."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{CI}:root"}}
    with EmulatedAws() as aws, pytest.MonkeyPatch.context() as patch:
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = aws.client(REGISTRY, "iam")
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)
        file = Path(tmp_path_factory.mktemp("aws")) / "credentials"
        keys = {"default": CI, "ci": CI, "registry": REGISTRY}
        file.write_text(
            "".join(f"[{name}]\naws_access_key_id={key}\naws_secret_access_key=test\n" for name, key in keys.items())
        )
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.endpoint_url),
            ("AWS_SHARED_CREDENTIALS_FILE", str(file)),
            ("AWS_CONFIG_FILE", str(file)),
        ):
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield


CASES = {
    "a profile each": (Ways({CI: "ci", REGISTRY: "registry"}), {}),
    "the default credentials and a role": (Ways({}, ROLE), {}),
    "a profile and a role": (Ways({}, ROLE, "ci"), {}),
    "the default credentials alone": (Ways(), {REGISTRY: f"the default credentials belong to account {CI}"}),
    "a profile of another account": (
        Ways({REGISTRY: "ci"}),
        {REGISTRY: f"the profile ci belongs to account {CI}"},
    ),
    "no such profile": (Ways({REGISTRY: "none"}), {REGISTRY: "the profile none does not work"}),
    "no such role": (Ways({}, "none"), {REGISTRY: f"role arn:aws:iam::{REGISTRY}:role/none cannot be assumed"}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("profiles")
def test_entering(case: str) -> None:
    ways, refused = CASES[case]
    found = AwsEntered.of(ACCOUNTS, ways, lambda _: None)
    assert found.refused.keys() == refused.keys()
    for account in ACCOUNTS:
        if account in refused:
            assert found.refused[account].reason.startswith(refused[account])
            with pytest.raises(Failure, match=f"account {account} cannot be entered"):
                found.stacks(account, "eu-central-1")
        else:
            assert found.session(account).client("sts", "us-east-1").get_caller_identity()["Account"] == account
            assert found.stacks(account, "eu-central-1").read("ecr-warden") is None


BOTH = Ways({CI: "ci", REGISTRY: "registry"})
TWO = Deployment(
    CI, "eu-central-1", (MemberAccount("registry", REGISTRY, ("eu-central-1",)),), webhook="ssm:/ecr-warden/webhook"
)


@pytest.fixture
def entered(profiles: None) -> AwsEntered:
    del profiles
    return AwsEntered.of(ACCOUNTS, BOTH, lambda _: None)


@pytest.mark.parametrize(("kind", "service"), [("ssm", "ssm"), ("secretsmanager", "secretsmanager")])
def test_a_secret_is_looked_for_and_not_read(entered: AwsEntered, kind: str, service: str) -> None:
    assert entered.holds(CI, "eu-central-1", f"{kind}:/hook") is False
    session: Any = entered.session(CI)
    client = session.client(service, "eu-central-1")
    if kind == "ssm":
        client.put_parameter(Name="/hook", Value="https://secret", Type="SecureString")
    else:
        client.create_secret(Name="/hook", SecretString="https://secret")
    assert entered.holds(CI, "eu-central-1", f"{kind}:/hook") is True


def test_the_clock_is_read_without_credentials(entered: AwsEntered) -> None:
    assert abs(entered.skew(SystemClock())) < timedelta(minutes=1)


def test_before_a_deployment_everything_can_be_looked_at_and_a_trail_is_missing(entered: AwsEntered) -> None:
    def ask() -> StatusReply:
        raise Failure("there is no function", code="hub-unreachable")

    checkup = examine(TWO, ask, entered, SystemClock())
    assert [(one.code, one.verdict, one.also) for group in checkup.groups for one in group.diagnoses] == [
        ("wiring-cut", Verdict.WRONG, (f"trail of {REGISTRY} in us-east-1",)),
        ("not-deployed", Verdict.WRONG, ()),
        ("webhook-missing", Verdict.WRONG, ()),
    ]
