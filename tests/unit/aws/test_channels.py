"""SNS and the secret behind the webhook; AWS is moto's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
import pytest

from ecr_warden.core.result import Severity
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.aws_webhook import Secret, open_secret
from ecr_warden.notify.message import Field, Message
from ecr_warden.notify.ports import ChannelError
from local.testing.memory.hub import ManualClock
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


def secret(reference: str, clock: ManualClock | None = None) -> Secret:
    return open_secret(reference, partial(boto3.Session().client, region_name=REGION), clock or ManualClock(NOW))


def test_a_secure_string_is_decrypted_and_kept_for_less_than_a_minute() -> None:
    ssm, clock = boto3.client("ssm", REGION), ManualClock(NOW)
    ssm.put_parameter(Name="/ecr-warden/webhook", Value=URL, Type="SecureString")
    read = secret("ssm:/ecr-warden/webhook", clock)
    assert read.url() == URL
    ssm.put_parameter(Name="/ecr-warden/webhook", Value=f"{URL}/new", Type="SecureString", Overwrite=True)
    clock.advance(timedelta(seconds=59))
    assert read.url() == URL
    clock.advance(timedelta(seconds=1))
    assert read.url() == f"{URL}/new"


def test_a_secret_that_was_forgotten_is_read_again() -> None:
    secrets = boto3.client("secretsmanager", REGION)
    secrets.create_secret(Name="webhook", SecretString=URL)
    read = secret("secretsmanager:webhook")
    assert read.url() == URL
    secrets.put_secret_value(SecretId="webhook", SecretString=f"{URL}/new")
    assert read.url() == URL
    read.forget()
    assert read.url() == f"{URL}/new"


@pytest.mark.parametrize("added", ["\n", "\r\n", " ", "\ufeff"])
def test_what_a_file_adds_to_a_secret_is_stripped(added: str) -> None:
    boto3.client("ssm", REGION).put_parameter(Name="/w", Value=f"{URL}{added}", Type="SecureString")
    boto3.client("secretsmanager", REGION).create_secret(Name="text", SecretString=f"{added}{URL}")
    boto3.client("secretsmanager", REGION).create_secret(Name="bytes", SecretBinary=f"{URL}{added}".encode())
    assert [secret(where).url() for where in ("ssm:/w", "secretsmanager:text", "secretsmanager:bytes")] == [URL] * 3


def test_a_secret_that_is_not_text_is_refused_without_being_shown() -> None:
    boto3.client("secretsmanager", REGION).create_secret(Name="webhook", SecretBinary=b"s3cr3t\x80")
    with pytest.raises(ChannelError, match="the webhook's secret secretsmanager:webhook is not text; put ") as caught:
        secret("secretsmanager:webhook").url()
    assert "s3cr3t" not in str(caught.value)
    assert not caught.value.retryable


def test_a_secret_is_not_in_the_repr_of_its_holder() -> None:
    boto3.client("ssm", REGION).put_parameter(Name="/w", Value=URL, Type="SecureString")
    read = secret("ssm:/w")
    assert read.url() == URL
    assert "s3cr3t" not in repr(read)


@pytest.mark.parametrize("reference", ["ssm:/ecr-warden/gone", "secretsmanager:gone"])
def test_a_secret_that_is_missing_is_named_with_aws_reason(reference: str) -> None:
    with pytest.raises(ChannelError, match=rf"{reference} cannot be read \(\w*NotFound") as caught:
        secret(reference).url()
    assert caught.value.retryable
    assert "role of the alert function" in caught.value.remedy
    assert {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}[
        reference.partition(":")[0]
    ] in caught.value.remedy


@pytest.mark.parametrize("reference", ["", "ssm:", "/ecr-warden/webhook", "https://hooks.example.com/x", "env:X"])
def test_a_malformed_reference_is_refused_before_any_call(reference: str) -> None:
    with pytest.raises(ChannelError, match="not a reference"):
        secret(reference)
