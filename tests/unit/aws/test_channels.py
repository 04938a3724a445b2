"""SNS and the secret behind the webhook; AWS is moto's."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import boto3
import pytest

from ecr_warden.core.result import Severity
from ecr_warden.notify.aws_secrets import secret_text
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.message import Field, Message
from ecr_warden.notify.ports import ChannelError
from ecr_warden.notify.webhook import WEBHOOK
from tests.contracts.aws import moto

REGION = "eu-central-1"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
URL = "https://hooks.example.com/services/T0/B0/s3cr3t"
MESSAGE = Message(Severity.WARNING, "shop/checkout was repaired", (Field("Who", "mallory"),), ("a line",))


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto(monkeypatch):
        yield


def test_the_topic_gets_subject_and_body() -> None:
    sns, sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)
    topic = sns.create_topic(Name="ecr-warden-alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    SnsChannel(sns, topic).notify(MESSAGE)
    body = sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]
    assert "WARNING done: shop/checkout was repaired" in body
    assert "Who: mallory" in body


def test_a_topic_that_is_missing_is_named() -> None:
    topic = f"arn:aws:sns:{REGION}:111111111111:gone"
    with pytest.raises(ChannelError, match=topic) as caught:
        SnsChannel(boto3.client("sns", REGION), topic).notify(MESSAGE)
    assert not caught.value.retryable


def secret(reference: str) -> Callable[[], str]:
    return secret_text(reference, WEBHOOK, partial(boto3.Session().client, region_name=REGION))


def test_a_secure_string_is_decrypted_and_read_again_each_time() -> None:
    ssm = boto3.client("ssm", REGION)
    ssm.put_parameter(Name="/ecr-warden/webhook", Value=URL, Type="SecureString")
    read = secret("ssm:/ecr-warden/webhook")
    assert read() == URL
    ssm.put_parameter(Name="/ecr-warden/webhook", Value=f"{URL}/new", Type="SecureString", Overwrite=True)
    assert read() == f"{URL}/new"


@pytest.mark.parametrize("added", ["\n", "\r\n", " ", "\ufeff"])
def test_what_a_file_adds_to_a_secret_is_stripped(added: str) -> None:
    boto3.client("ssm", REGION).put_parameter(Name="/w", Value=f"{URL}{added}", Type="SecureString")
    boto3.client("secretsmanager", REGION).create_secret(Name="text", SecretString=f"{added}{URL}")
    assert [secret(where)() for where in ("ssm:/w", "secretsmanager:text")] == [URL] * 2


def test_a_secret_that_is_not_text_is_refused_without_being_shown() -> None:
    boto3.client("secretsmanager", REGION).create_secret(Name="webhook", SecretBinary=b"s3cr3t")
    with pytest.raises(ChannelError, match="the webhook's secret secretsmanager:webhook is not text; put ") as caught:
        secret("secretsmanager:webhook")()
    assert "s3cr3t" not in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("reference", ["ssm:/ecr-warden/gone", "secretsmanager:gone"])
def test_a_secret_that_is_missing_is_named_with_aws_reason(reference: str) -> None:
    with pytest.raises(ChannelError, match=rf"{reference} cannot be read \(\w*NotFound") as caught:
        secret(reference)()
    assert caught.value.retryable
    assert "role of the alert function" in caught.value.remedy
    assert {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}[
        reference.partition(":")[0]
    ] in caught.value.remedy


@pytest.mark.parametrize("reference", ["", "ssm:", "/ecr-warden/webhook", "https://hooks.example.com/x", "env:X"])
def test_a_malformed_reference_is_refused_before_any_call(reference: str) -> None:
    with pytest.raises(ChannelError, match="not a reference"):
        secret(reference)()
