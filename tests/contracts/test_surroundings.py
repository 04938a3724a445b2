"""What is around a deployment, read with a person's own sessions on moto."""

from collections.abc import Iterator

import pytest

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.collect.wiring_verdicts import serving_trails
from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from ecr_warden_cli.terminal.context import NotEntered
from tests.contracts.aws import moto, new_session

HERE, ELSEWHERE = "123456789012", "222222222222"


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsEntered]:
    """moto's own account, and one that could not be entered."""
    with moto(monkeypatch):
        yield AwsEntered(
            {HERE: AccountSession(new_session(), HERE, ""), ELSEWHERE: NotEntered("no profile", "pass one")},
            lambda _: None,
        )


def test_the_trail_of_a_region(entered: AwsEntered) -> None:
    assert entered.trail(HERE, "eu-central-1").found == {"trails": []}
    entered.session(HERE).client("s3", "us-east-1").create_bucket(Bucket="trails")
    client = entered.session(HERE).client("cloudtrail", "us-east-1")
    client.create_trail(Name="all", S3BucketName="trails", IsMultiRegionTrail=True)
    client.start_logging(Name="all")
    found = entered.trail(HERE, "eu-central-1").found or {}
    assert [trail["name"].rpartition("/")[2] for trail in serving_trails(found, "eu-central-1")] == ["all"]
    assert entered.trail(ELSEWHERE, "eu-central-1").error.startswith(f"account {ELSEWHERE} cannot be read: no profile")


def test_of_an_account_that_was_not_entered_nothing_is_read(entered: AwsEntered) -> None:
    entered.session(HERE).client("ecr", "eu-central-1").create_repository(repositoryName="shop/app")
    accounts = [SpecAccount("here", HERE, ("eu-central-1",)), SpecAccount("elsewhere", ELSEWHERE)]
    read = dict(entered.read_parts(accounts))
    assert [one["repositoryName"] for one in read[f"{HERE}/eu-central-1"].entry["repositories"]] == ["shop/app"]
    assert "iam" not in read[ELSEWHERE].entry


def test_whether_a_webhook_is_where_the_deployment_says_is_seen_without_reading_it(entered: AwsEntered) -> None:
    session = entered.session(HERE)
    ssm, secrets = session.client("ssm", "eu-central-1"), session.client("secretsmanager", "eu-central-1")
    assert not entered.holds(HERE, "eu-central-1", "ssm:/ecr-warden/webhook")
    assert not entered.holds(HERE, "eu-central-1", "secretsmanager:webhook")
    ssm.put_parameter(Name="/ecr-warden/webhook", Value="https://chat.example", Type="SecureString")
    secrets.create_secret(Name="webhook", SecretString="https://chat.example")
    assert entered.holds(HERE, "eu-central-1", "ssm:/ecr-warden/webhook")
    assert entered.holds(HERE, "eu-central-1", "secretsmanager:webhook")
