"""What AWS's errors become: texts as recorded from AWS, each with its remedy."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.member_errors import ECR, ECR_WRITING, IAM, IAM_DELETING, STS
from ecr_warden.core.failures import DocumentConflict, PortError
from tests.tables import load

CASES: list[dict[str, Any]] = load((Path(__file__).parents[2] / "cases" / "aws" / "errors.yaml").read_text())
SESSION = f"arn:aws:sts::222222222222:assumed-role/ecr-warden-write/ecrw-{'r' * 59}"
NAMES = {
    "SESSION": SESSION,
    "READER": SESSION.replace("write/", "read/"),
    "LONGEST": f"arn:aws:ecr:ap-southeast-4:222222222222:repository/{'a' * 256}",
}
TABLES = {"ECR": ECR, "ECR_WRITING": ECR_WRITING, "HUB": HUB, "IAM": IAM, "IAM_DELETING": IAM_DELETING, "STS": STS}


def full(text: str) -> str:
    return reduce(lambda made, name: made.replace(name, NAMES[name]), NAMES, text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_answer_of_aws_is_translated(case: dict[str, Any]) -> None:
    answer = {"Error": {"Code": case["code"], "Message": full(case["message"])}}
    response = answer | {"ResponseMetadata": {"HTTPStatusCode": case.get("status", 400)}}
    with pytest.raises(PortError) as caught, translated(TABLES[case["by"]], "writing the policy of x"):
        raise ClientError(response, "Operation")  # type: ignore[arg-type]
    error = caught.value
    assert type(error).__name__ == case["error"]
    assert error.retryable is case.get("retryable", False)
    assert error.message.startswith("writing the policy of x")
    assert [text for text in case.get("says", ()) if full(text) not in str(error)] == []
    assert [text for text in case.get("never", ()) if full(text) in str(error)] == []
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("raised", "retryable"),
    [
        (ReadTimeoutError(endpoint_url="https://ecr.invalid"), True),
        (EndpointConnectionError(endpoint_url="https://ecr.invalid"), True),
        (NoCredentialsError(), False),
        (ParamValidationError(report="Invalid length for parameter repositoryName"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_call_that_got_no_answer_may_be_tried_again_unless_it_was_never_made(
    raised: BotoCoreError, retryable: bool
) -> None:
    with pytest.raises(PortError) as caught, translated(ECR, "reading x"):
        raise raised
    assert caught.value.retryable is retryable
    assert "reading x" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "no identity-based policy allows it " * 40], ids=["a word", "sentences"]
)
def test_message_of_any_length_is_cut_and_keeps_its_sentences_whole(text: str) -> None:
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": text}}, "Operation")
    with pytest.raises(PortError) as caught, translated(IAM, "reading x"):
        raise error
    assert len(str(caught.value)) < 1000
    assert (" ..." in str(caught.value)) is (" " in text)
    assert not re.search("[.]{3} identity-based|allows it identity-based", str(caught.value))


def test_error_of_a_port_passes_as_it_is() -> None:
    with pytest.raises(DocumentConflict, match=r"^mine$"), translated(IAM, "writing x"):
        raise DocumentConflict("mine")
