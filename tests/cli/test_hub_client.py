"""Errors of calling the hub's functions: one sentence with the cause and the remedy."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from ecr_warden.state.switch import Position
from ecr_warden_cli.terminal.aws_hub import ANSWER, CONTROL, LambdaHub, not_reached, open_hub
from ecr_warden_cli.terminal.context import Failure
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.contracts.aws import REGION, moto, new_session
from tests.contracts.sts import Sts, serving

URL = "http://127.0.0.1:9"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """An endpoint of Lambda's, with credentials for it."""
    with serving() as (server, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE12345")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        server.body = "{}"
        yield server


def hub() -> LambdaHub:
    return open_hub("eu-central-1", None)


def failure() -> Failure:
    with pytest.raises(Failure) as raised:
        hub().answer("{}")
    return raised.value


def test_an_answer_comes_through(aws: Sts) -> None:
    aws.body = '{"schema": 1}'
    assert hub().answer("asked") == {"schema": 1}
    assert json.loads(aws.sent[0][1]) == {"request": "asked"}


@pytest.mark.parametrize("refusal", WRONG["refusals"], ids=name_of)
def test_what_lambda_refuses(aws: Sts, refusal: Wrong) -> None:
    aws.status, aws.body = refusal["status"], '{"Message": "no"}'
    aws.headers = {"x-amzn-ErrorType": refusal["code"]}
    error = failure()
    assert error.code == refusal["is"]
    assert refusal["says"] in error.message
    assert refusal["remedy"] in error.remedy


UNHANDLED = {"x-amz-function-error": "Unhandled"}
DIED = '{"errorType": "Runtime.ExitError", "errorMessage": "it died"}'


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (DIED, UNHANDLED, "ended in an error: Runtime.ExitError it died"),
        ("nothing", UNHANDLED, "ended in an error: no details"),
        ("[1]", {}, "does not answer with a JSON object"),
        (" ", {}, "does not answer with a JSON object"),
    ],
)
def test_a_function_that_fails(aws: Sts, body: str, headers: dict[str, str], words: str) -> None:
    aws.body, aws.headers = body, headers
    error = failure()
    assert error.code == "hub-failed"
    assert words in error.message
    assert error.remedy


def test_a_malformed_endpoint(aws: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "not-a-url")
    error = failure()
    assert error.code == "hub-unreachable"
    assert error.remedy.endswith("AWS_ENDPOINT_URL if it is set")
    assert "Invalid endpoint: not-a-url" in error.message


def test_a_profile_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile broken]\ncredential_process = /bin/false\n[profile lost]\nrole_arn = a\nsource_profile = b\n"
        "[profile gone]\ncredential_process = /gone\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    words_of = {"broken": "custom-process", "lost": 'source_profile "b"', "none": "(none)", "gone": "'/gone'"}
    for profile, words in words_of.items():
        with pytest.raises(Failure) as raised:
            open_hub("eu-central-1", profile)
        assert words in raised.value.message
        assert "aws configure list-profiles" in raised.value.remedy


SDK: dict[str, tuple[str, BotoCoreError, str, str]] = {
    "an unanswered question": (
        ANSWER,
        ReadTimeoutError(endpoint_url=URL),
        "hub-failed",
        "name fewer targets",
    ),
    "an unanswered command may have been carried out": (
        CONTROL,
        ReadTimeoutError(endpoint_url=URL),
        "hub-failed",
        "may have been carried out",
    ),
    "a connection closed after a command": (
        CONTROL,
        ConnectionClosedError(endpoint_url=URL),
        "hub-failed",
        "see ecr-warden status",
    ),
    "an unreachable endpoint": (CONTROL, EndpointConnectionError(endpoint_url=URL), "hub-unreachable", "the proxy"),
    "no region": (ANSWER, InvalidRegionError(region_name="eu central"), "hub-unreachable", "--hub-region"),
    "no credentials": (ANSWER, NoCredentialsError(), "hub-unreachable", "--profile"),
}


@pytest.mark.parametrize("case", SDK)
def test_each_error_of_the_sdk_is_translated(case: str) -> None:
    function, error, code, remedy = SDK[case]
    failure = not_reached(function, error)
    assert failure.code == code
    assert function in failure.message
    assert remedy in failure.remedy


def test_the_versions_of_the_spec_alone_are_listed_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with moto(monkeypatch):
        store = new_session().client("s3")
        bucket = f"ecr-warden-spec-123456789012-{REGION}"
        store.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("access.yaml.bak", "access.yaml-2"):
            store.put_object(Bucket=bucket, Key=key, Body=b"not the spec")
        client = open_hub(REGION, None)
        versions = [client.upload(text) for text in (b"first", b"second", b"third")]
        store.delete_object(Bucket=bucket, Key="access.yaml")
        assert [one.version for one in client.uploads()] == versions[::-1]
        assert client.spec(versions[1]) == b"second"


@pytest.mark.parametrize("position", Position)
def test_the_stop_switch_is_turned(position: Position, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto(monkeypatch):
        store = new_session().client("ssm")
        store.put_parameter(Name="/ecr-warden/writes", Type="String", Value="?")
        open_hub(REGION, None).switch_writes(position)
        assert store.get_parameter(Name="/ecr-warden/writes")["Parameter"]["Value"] == position


@pytest.mark.parametrize(("value", "then"), [("enabled", "enabled"), (None, "stopped")])
def test_the_stop_switch_of_a_hub_is_made_where_there_is_none_and_else_stays(
    value: str | None, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moto(monkeypatch):
        store = new_session().client("ssm")
        if value is not None:
            store.put_parameter(Name="/ecr-warden/writes", Type="String", Value=value)
        open_hub(REGION, None).make_switch(Position.STOPPED)
        found = store.get_parameter(Name="/ecr-warden/writes")["Parameter"]
        assert (found["Value"], found["Type"]) == (then, "String")


NOT_TURNED = {
    "AccessDeniedException": ("you may not call ssm:PutParameter", "the policy ecr-warden-operator"),
    "ValidationException": ("there is no parameter /ecr-warden/writes in eu-central-1", "--hub-region"),
}


@pytest.mark.parametrize("code", NOT_TURNED)
def test_a_stop_switch_that_is_not_turned_says_why(aws: Sts, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", os.environ["AWS_ENDPOINT_URL_LAMBDA"])
    # Source: PutParameter; without a type AWS makes no parameter, where moto does.
    aws.status, aws.body = 400, json.dumps({"__type": code, "message": "no"})
    with pytest.raises(Failure) as raised:
        hub().switch_writes(Position.STOPPED)
    words, remedy = NOT_TURNED[code]
    assert (words in raised.value.message, remedy in raised.value.remedy) == (True, True)
    assert "Type" not in json.loads(aws.sent[0][1])


def test_a_bucket_that_cannot_be_listed_names_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    with moto(monkeypatch), pytest.raises(Failure) as raised:
        list(open_hub(REGION, None).uploads())
    assert (raised.value.code, raised.value.message.startswith("the list of versions of s3://")) == (
        "hub-unreachable",
        True,
    )
    assert raised.value.remedy == "it takes s3:ListBucketVersions on the bucket"
