"""AWS with a person's own credentials: the spec's accounts; the hub, over Lambda's API; its bucket and stop switch."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Any

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

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.aws.errors import unless
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import EstateReader, Reading, asks_for_tags, with_tags
from ecr_warden.core.codec.base import CodecError, Json, loads
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.state.switch import PARAMETER, Position
from ecr_warden_cli.context import Caller, Failure, NotEntered, SwitchMissing, Uploaded, UsageError
from ecr_warden_cli.profiles import ProfileAccounts
from iam_access.arn import cloud_of
from iam_access.inventory.inventory import PolicyOfAws
from iam_access.inventory.printed import with_texts
from iam_access.text.printable import cut

if TYPE_CHECKING:
    from ecr_warden_cli.deployment.ports import Entered
    from ecr_warden_cli.deployment.sessions import Ways

# A person waits: fail within seconds if an endpoint is down.
READING_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
# GetCallerIdentity works in any region, and a configuration without a region is common.
_DEFAULT_REGION = "us-east-1"
_UNREADABLE = "no-account-readable"
_SIGN_IN = "if credentials have expired, sign in again: aws sso login"


class Opened(Struct, frozen=True):
    """A session, and whose its credentials are."""

    session: boto3.Session
    account: str
    arn: str


def read_parts(
    accounts: Sequence[SpecAccount], profiles: Mapping[str, str], *, all_tags: bool
) -> Iterator[tuple[str, Reading]]:
    """The accounts and their registries, each whole; `profiles` by account ID. Raises Failure.

    Of an account that cannot be entered nothing is read; the others are read all the same.
    """
    default = None if all(account.id in profiles for account in accounts) else open_profile(None)
    found = {account.id: _session_of(account, profiles.get(account.id), default) for account in accounts}
    if all(isinstance(session, NotEntered) for session in found.values()):
        raise _nothing_readable(accounts, [session for session in found.values() if isinstance(session, NotEntered)])
    return whole_accounts(AwsEstateReader(accounts_in(found)), accounts, all_tags=all_tags)


def accounts_in(found: Mapping[str, Opened | NotEntered]) -> ProfileAccounts:
    """Accounts, to be read, by the sessions in them."""
    return ProfileAccounts(partial(_session_in, found))


def _session_in(found: Mapping[str, Opened | NotEntered], account: str) -> boto3.Session:
    """The session in an account; raises AccountUnreachable for one that could not be entered."""
    match found[account]:
        case NotEntered(reason, remedy):
            raise AccountUnreachable(f"account {account} cannot be read: {reason}", remedy=remedy)
        case Opened(session=session):
            return session


def whole_accounts(
    reader: EstateReader, accounts: Sequence[SpecAccount], *, all_tags: bool
) -> Iterator[tuple[str, Reading]]:
    """The accounts, with the texts of AWS's policies, and then their registries.

    `all_tags`: the tags of all repositories, else only where a policy that was read may ask for them.
    """
    texts: dict[PolicyOfAws, str] = {}
    wants_tags = all_tags
    for account in accounts:
        reading = reader.identities(account.id, {(text.arn, text.version): text.digest for text in texts})
        texts |= reading.texts
        reading = replace(reading, entry=with_texts(reading.entry, texts.get))
        wants_tags = wants_tags or asks_for_tags(reading)
        yield account.id, reading
    for account in accounts:
        for region in account.regions:
            part = f"{account.id}/{region}"
            registry = reader.registry(account.id, region, {})
            yield part, with_tags(reader, part, registry) if wants_tags or asks_for_tags(registry) else registry


def identify(profile: str | None) -> Caller:
    """Whose the credentials of a profile are, None: the default ones; raises Failure."""
    match open_profile(profile):
        case Opened(session, account, arn):
            return Caller(arn, account, session.region_name)
        case NotEntered(reason, remedy):
            raise Failure(reason, remedy=remedy, code=_UNREADABLE)


def _session_of(account: SpecAccount, profile: str | None, default: Opened | NotEntered | None) -> Opened | NotEntered:
    """The profile's session, or the default one, if it belongs to the account."""
    opened = open_profile(profile) if profile is not None or default is None else default
    return if_owned(opened, profile, account.id, account.alias)


def if_owned(opened: Opened | NotEntered, profile: str | None, account: str, alias: str) -> Opened | NotEntered:
    """The session of a profile, None: the default one, if it belongs to the account."""
    whose = f"the profile {profile}" if profile is not None else "the default credentials"
    match opened:
        case Opened(_, owner, _) if owner != account:
            reason = f"{whose} belong{'' if profile is None else 's'} to account {owner}"
            return NotEntered(reason, f"pass --profile {alias}=PROFILE with a profile for {account}")
        case _:
            return opened


def _nothing_readable(accounts: Sequence[SpecAccount], refused: Sequence[NotEntered]) -> Failure:
    reasons = {why.reason for why in refused}
    if len(reasons) == 1:
        message = f"no account of the spec can be read: {refused[0].reason}"
        return Failure(message, remedy=refused[0].remedy, code=_UNREADABLE)
    lines = tuple(
        f"account {account.id} cannot be read: {why.reason}; {why.remedy}"
        for account, why in zip(accounts, refused, strict=True)
    )
    return Failure("no account of the spec can be read", remedy="see above", code=_UNREADABLE, lines=lines)


def open_profile(profile: str | None) -> Opened | NotEntered:
    """The session of a profile, None: the default one."""
    if profile is None:
        remedy = "pass --profile ACCOUNT=PROFILE, or set AWS_PROFILE"
        return open_session(boto3.Session, "the default credentials do not work", remedy)
    remedy = f"check aws configure list-profiles; {_SIGN_IN} --profile {profile}"
    return open_session(lambda: boto3.Session(profile_name=profile), f"the profile {profile} does not work", remedy)


def open_session(make: Callable[[], boto3.Session], otherwise: str, remedy: str) -> Opened | NotEntered:
    """A session and its account, from sts:GetCallerIdentity, which needs no permission."""
    try:
        session = make()
        sts = session.client("sts", region_name=session.region_name or _DEFAULT_REGION, config=READING_CONFIG)
        caller = sts.get_caller_identity()
    except (BotoCoreError, ClientError, ValueError, OSError) as error:
        # ValueError: a malformed endpoint URL; OSError: no such credential_process. No text of botocore has secrets.
        if isinstance(error, HTTPClientError | EndpointConnectionError | ValueError):
            checks = "check the network, the proxy, and AWS_ENDPOINT_URL if it is set"
            return NotEntered(f"AWS does not answer: {text_of(error)}", checks)
        return NotEntered(f"{otherwise}: {text_of(error)}", remedy)
    partition = caller["Arn"].split(":")[1]
    if partition != "aws":
        reason = f"{otherwise}: they are for {cloud_of(partition)}, which is not supported"
        return NotEntered(reason, "use credentials of an account in AWS's commercial regions")
    return Opened(session, caller["Account"], caller["Arn"])


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
        values = f"^({Position.ENABLED}|{Position.STOPPED})$"
        self._put_switch(Value=position.value, Type="String", AllowedPattern=values, Description=_SWITCH_MEANS)

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
            remedy = f"see the log group /aws/lambda/{function} in {self.region}"
            raise Failure(f"{function} ended in an error: {_error_in(text)}", code="hub-failed", remedy=remedy)
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
        raise HubUnreachable(text_of(error), remedy="check aws configure list-profiles and --profile") from error
    if where is None:
        raise UsageError("the hub's region is unknown", remedy="pass --hub-region REGION, or set ECR_WARDEN_HUB_REGION")
    if credentials is None:
        raise Failure(
            "there are no AWS credentials", code="hub-denied", remedy="pass --profile PROFILE, or set AWS_PROFILE"
        )
    return LambdaHub(session, where)


def enter(accounts: Mapping[str, str], ways: "Ways", sleep: Callable[[float], None]) -> "Entered":
    """The accounts of a deployment, by ID with their names, each with the credentials that are its own."""
    from ecr_warden_cli.deployment.aws_sessions import AwsEntered  # noqa: PLC0415 - the deployment's verbs alone need it

    return AwsEntered.of(accounts, ways, sleep)


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
        remedy = f"check aws sts get-caller-identity; {_SIGN_IN}"
        return Failure(f"AWS rejects your credentials: {code}: {message:.300}", code="hub-denied", remedy=remedy)
    if code in _DENIED and what in _POLICIES:
        remedy = f"attach the policy {_POLICIES[what]} of the hub's stack; check --hub-region and --profile too"
        return Failure(f"you may not call {what} in {region}: {message:.300}", code="hub-denied", remedy=remedy)
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
    text = text_of(error)
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
            remedy = f"check --hub-region, --profile, and your credentials with aws sts get-caller-identity; {_SIGN_IN}"
    return HubUnreachable(f"{what} could not be reached: {text}", remedy=remedy)


def text_of(error: Exception) -> str:
    return f"{error!s:.300}".rstrip(". \n:")


def _error_in(text: bytes) -> str:
    try:
        error = loads(text)
    except CodecError:
        return "no details"
    return f"{error.get('errorType', '')} {error.get('errorMessage', '')}"[:300].strip()
