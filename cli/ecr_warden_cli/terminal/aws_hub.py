"""The hub, over Lambda's API; its bucket and stop switch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from msgspec import Struct

from ecr_warden.aws.errors import unless
from ecr_warden.core.codec.base import CodecError, Json, loads
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.state.switch import PARAMETER, Position
from ecr_warden_cli.terminal.aws_sessions import READING_CONFIG, SIGN_IN, error_text
from ecr_warden_cli.terminal.context import Failure, SwitchMissing, Uploaded, UsageError
from iam_access.text.printable import cut

ANSWER, CONTROL, SWITCH = "ecr-warden-answer", "ecr-warden-control", f"ssm:PutParameter of {PARAMETER}"
_SWITCH_MEANS = "ecr-warden writes to member accounts (enabled) or only observes and reports (stopped)"
_POLICIES = {ANSWER: "ecr-warden-reader", CONTROL: "ecr-warden-operator", SWITCH: "ecr-warden-operator"}
# Longer than the functions run. A command is never sent twice: the hub would refuse it, which looks like a failure.
_HUB_CONFIG = Config(connect_timeout=3, read_timeout=150, retries={"total_max_attempts": 1})
_DENIED = ("AccessDeniedException", "AccessDenied")
# Lambda and STS have different codes for the same error.
_BAD_CREDENTIALS = (
    *("ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"),
    *("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"),
)


class HubUnreachable(Failure, code="hub-unreachable"):
    """The hub's function could not be reached."""


_OF_SPEC = {
    "the upload to s3://": ("failed", "it takes s3:PutObject on the bucket"),
    "the list of versions of s3://": ("cannot be read", "it takes s3:ListBucketVersions on the bucket"),
    "version ": (
        "cannot be read",
        "ecr-warden versions lists the versions; reading one takes s3:GetObjectVersion on the bucket",
    ),
}
"""What becomes of an access to the spec's bucket that is refused, and the remedy, by how the access is called."""


class LambdaHub(Struct, frozen=True):
    """The hub in a region of the account of the session's credentials."""

    session: boto3.Session
    region: str

    def account(self) -> str:
        return self._caller()[0]

    def answer(self, request: str) -> Json:
        return self._invoke(ANSWER, {"request": request})

    def control(self, request: str, *, of_upload: bool = False) -> Json:
        """Sign the request with these credentials: the hub verifies and records who sent the command."""
        account, partition = self._caller()
        hub = f"arn:{partition}:lambda:{self.region}:{account}:function:{CONTROL}"
        credentials: Any = self.session.get_credentials()
        with _reaching("STS", self.region):
            frozen = credentials.get_frozen_credentials()
        proof = make_proof(frozen, region=self.region, hub=hub, request=request)
        return self._invoke(f"{CONTROL}:upload" if of_upload else CONTROL, {"request": request, "proof": dict(proof)})

    def spec(self, version: str) -> bytes:
        with self._bucket(f"version {cut(version, 80)} in ", READING_CONFIG) as (client, place):
            answer = client.get_object(**place, Key="access.yaml", VersionId=version)
            return bytes(answer["Body"].read(MAX_SPEC_BYTES + 1))

    def uploads(self) -> Iterator[Uploaded]:
        with self._bucket("the list of versions of ", READING_CONFIG) as (client, place):
            for page in client.get_paginator("list_object_versions").paginate(**place, Prefix="access.yaml"):
                for one in page.get("Versions", ()):
                    if one["Key"] == "access.yaml":
                        yield Uploaded(one["VersionId"], one["LastModified"])

    def upload(self, data: bytes) -> str:
        with self._bucket("the upload to ", _HUB_CONFIG) as (client, place):
            return str(client.put_object(**place, Key="access.yaml", Body=data).get("VersionId", "null"))

    def switch_writes(self, position: Position) -> None:
        # Without a type, which AWS asks for where it creates one: elsewhere the parameter would stop nothing.
        self._put_switch(Value=position.value, Overwrite=True)

    def make_switch(self, position: Position) -> None:
        self._put_switch(
            Value=position.value,
            Type="String",
            AllowedPattern=f"^({Position.ENABLED}|{Position.STOPPED})$",
            Description=_SWITCH_MEANS,
        )

    def _put_switch(self, **given: Any) -> None:
        with _reaching(SWITCH, self.region):
            client = self.session.client("ssm", region_name=self.region, config=_HUB_CONFIG)
            unless(("ParameterAlreadyExists",), client.put_parameter, Name=PARAMETER, **given)

    @contextmanager
    def _bucket(self, what: str, config: Config) -> Iterator[tuple[Any, dict[str, str]]]:
        """A client for the bucket of template.yaml with the spec, and the bucket with its owner; `what`: is done."""
        account, _ = self._caller()
        bucket = f"ecr-warden-spec-{account}-{self.region}"
        with _reaching(f"{what}s3://{bucket}/access.yaml", self.region):
            client = self.session.client("s3", region_name=self.region, config=config)
            yield client, {"Bucket": bucket, "ExpectedBucketOwner": account}

    def _caller(self) -> tuple[str, str]:
        with _reaching("STS", self.region):
            answer = self.session.client("sts", region_name=self.region, config=READING_CONFIG).get_caller_identity()
        return answer["Account"], answer["Arn"].split(":")[1]

    def _invoke(self, function: str, event: Json) -> Json:
        with _reaching(function, self.region):
            client = self.session.client("lambda", region_name=self.region, config=_HUB_CONFIG)
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            text = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Failure(
                f"{function} ended in an error: {_error_in(text)}",
                code="hub-failed",
                remedy=f"see the log group /aws/lambda/{function} in {self.region}",
            )
        try:
            return loads(text)
        except CodecError as error:
            raise Failure(
                f"{function} does not answer with a JSON object",
                code="hub-failed",
                remedy="check that it is ecr-warden's function",
            ) from error


def open_hub(region: str | None, profile: str | None) -> LambdaHub:
    """Open the hub with a profile's credentials or the default ones; raises Failure."""
    try:
        session = boto3.Session(profile_name=profile)
        where, credentials = region or session.region_name, session.get_credentials()
    except (BotoCoreError, OSError) as error:
        raise HubUnreachable(error_text(error), remedy="check aws configure list-profiles and --profile") from error
    if where is None:
        raise UsageError("the hub's region is unknown", remedy="pass --hub-region REGION, or set ECR_WARDEN_HUB_REGION")
    if credentials is None:
        raise Failure(
            "there are no AWS credentials", code="hub-denied", remedy="pass --profile PROFILE, or set AWS_PROFILE"
        )
    return LambdaHub(session, where)


@contextmanager
def _reaching(what: str, region: str) -> Iterator[None]:
    """Translate errors of calling `what` (a function, the stop switch, or STS)."""
    try:
        yield
    except ClientError as error:
        raise _refused(what, region, error) from error
    except (BotoCoreError, ValueError) as error:  # ValueError: a malformed endpoint URL
        raise not_reached(what, error) from error


def _refused(what: str, region: str, error: ClientError) -> Failure:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _BAD_CREDENTIALS:
        return Failure(
            f"AWS rejects your credentials: {code}: {message:.300}",
            code="hub-denied",
            remedy=f"check aws sts get-caller-identity; {SIGN_IN}",
        )
    if code in _DENIED and what in _POLICIES:
        return Failure(
            f"you may not call {what} in {region}: {message:.300}",
            code="hub-denied",
            remedy=f"attach the policy {_POLICIES[what]} of the hub's stack; check --hub-region and --profile too",
        )
    for access, (became, remedy) in _OF_SPEC.items():
        if what.startswith(access):
            return HubUnreachable(f"{what} {became}: {code}: {message:.300}", remedy=remedy)
    if code == "ResourceNotFoundException" or (code == "ValidationException" and what == SWITCH):
        missing = f"parameter {PARAMETER}" if what == SWITCH else f"function {what}"
        remedy = "pass the hub's region as --hub-region, and a profile for its account as --profile"
        kind = SwitchMissing if what == SWITCH else HubUnreachable
        return kind(f"there is no {missing} in {region} in your account", remedy=remedy)
    return HubUnreachable(f"{what} could not be reached: {code}: {message:.300}", remedy="try again")


def not_reached(what: str, error: BotoCoreError | ValueError) -> Failure:
    """Translate an SDK error; botocore's texts contain no secrets."""
    text = error_text(error)
    match error:
        case ReadTimeoutError() | ConnectionClosedError() if what == CONTROL:
            # Not sent again: the hub would refuse the ID.
            remedy = "the command may have been carried out; see ecr-warden status and history"
            return Failure(f"{what} did not answer: {text}", code="hub-failed", remedy=remedy)
        case ReadTimeoutError() | ConnectionClosedError():
            return Failure(
                f"{what} did not answer: {text}", code="hub-failed", remedy="try again, or name fewer targets"
            )
        case HTTPClientError() | EndpointConnectionError() | ValueError():
            remedy = "check the network, the proxy, --hub-region, and AWS_ENDPOINT_URL if it is set"
        case _:
            remedy = f"check --hub-region, --profile, and your credentials with aws sts get-caller-identity; {SIGN_IN}"
    return HubUnreachable(f"{what} could not be reached: {text}", remedy=remedy)


def _error_in(text: bytes) -> str:
    try:
        error = loads(text)
    except CodecError:
        return "no details"
    return f"{error.get('errorType', '')} {error.get('errorMessage', '')}"[:300].strip()
