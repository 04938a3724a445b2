"""AWS with a person's own credentials: the spec's accounts, and the deployed hub over Lambda's API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    ReadTimeoutError,
)
from ecr_warden.adapters.aws.accounts import ProfileAccounts
from ecr_warden.adapters.aws.callers import make_proof
from ecr_warden.adapters.aws.documents import AwsDocuments
from ecr_warden.model.codec.base import CodecError, Json, loads
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.errors import AccountUnreachable
from ecr_warden.spec.spec import Account

from ecr_warden_cli.context import Failure, UsageError

# A person waits: an endpoint that is down is reported within seconds.
_READING_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
# STS answers for all regions here, and a configuration without a region is common.
_DEFAULT_REGION = "us-east-1"


class NoAccountReadable(Failure):
    """Not one account of the spec can be read; `lines` say why when there is more than one reason."""

    code = "no-account-readable"

    def __init__(self, message: str, *, remedy: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.lines = lines


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session and the account that its credentials are of."""

    session: boto3.Session
    account: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why there is no session, and what to do."""

    reason: str
    remedy: str


def open_documents(accounts: Sequence[Account], profiles: Mapping[str, str]) -> Documents:
    """The live documents of the accounts; `profiles` by account id. Raises NoAccountReadable.

    One account that cannot be read stops no other: what it holds is observed as unreadable, with the reason.
    """
    default = None if all(account.id in profiles for account in accounts) else _open(None)
    found = {account.id: _session_of(account, profiles.get(account.id), default) for account in accounts}
    if all(isinstance(session, _Refused) for session in found.values()):
        raise _nothing_readable(accounts, [session for session in found.values() if isinstance(session, _Refused)])

    def session_of(account: str) -> boto3.Session:
        match found[account]:
            case _Refused(reason, remedy):
                raise AccountUnreachable(f"account {account} cannot be read: {reason}", remedy=remedy)
            case _Opened(session):
                return session

    return AwsDocuments(ProfileAccounts(session_of))


def _session_of(account: Account, profile: str | None, default: _Opened | _Refused | None) -> _Opened | _Refused:
    """The profile's session, else the default one, if it is of the account."""
    opened = _open(profile) if profile is not None or default is None else default
    whose = f"the profile {profile}" if profile is not None else "the default credentials"
    match opened:
        case _Opened(_, owner) if owner != account.id:
            reason = f"{whose} belong{'' if profile is None else 's'} to account {owner}"
            return _Refused(reason, f"pass --profile {account.alias}=PROFILE with a profile of {account.id}")
        case _:
            return opened


def _nothing_readable(accounts: Sequence[Account], refused: Sequence[_Refused]) -> NoAccountReadable:
    reasons = {why.reason for why in refused}
    if len(reasons) == 1:
        message = f"no account of the spec can be read: {refused[0].reason}"
        return NoAccountReadable(message, remedy=refused[0].remedy)
    lines = tuple(
        f"account {account.id} ({account.alias}) cannot be read: {why.reason}; {why.remedy}"
        for account, why in zip(accounts, refused, strict=True)
    )
    return NoAccountReadable("no account of the spec can be read", remedy="see above", lines=lines)


def _open(profile: str | None) -> _Opened | _Refused:
    """A session and the account that it is of, by sts:GetCallerIdentity, which needs no permission."""
    try:
        session = boto3.Session(profile_name=profile)
        sts = session.client("sts", region_name=session.region_name or _DEFAULT_REGION, config=_READING_CONFIG)
        return _Opened(session, sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError, ValueError) as error:
        # ValueError: an endpoint that is no URL. The texts are botocore's and hold no secret.
        text = f"{error!s:.200}".rstrip(".")
        unanswered = isinstance(error, HTTPClientError | EndpointConnectionError | ValueError)
    if unanswered:
        return _Refused(f"AWS does not answer: {text}", "see the network, the proxy, and AWS_ENDPOINT_URL if it is set")
    if profile is None:
        remedy = "pass --profile ACCOUNT=PROFILE, or set AWS_PROFILE"
        return _Refused(f"the default credentials do not work: {text}", remedy)
    remedy = f"see aws configure list-profiles, and aws sts get-caller-identity --profile {profile}"
    return _Refused(f"the profile {profile} does not work: {text}", remedy)


ANSWER, CONTROL = "ecr-warden-answer", "ecr-warden-control"
_POLICIES = {ANSWER: "ecr-warden-reader", CONTROL: "ecr-warden-operator"}
# Longer than the functions run. A command is never sent twice: it would be refused, and look as if it had failed.
_HUB_CONFIG = Config(connect_timeout=3, read_timeout=150, retries={"total_max_attempts": 1})
_DENIED = ("AccessDeniedException", "AccessDenied")
# Of Lambda and of STS, which name the same thing differently.
_NOT_TAKEN = (
    *("ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"),
    *("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"),
)


class HubUnreachable(Failure):
    """The hub's function was not reached."""

    code = "hub-unreachable"


class HubDenied(Failure):
    """These credentials may not call the hub's function."""

    code = "hub-denied"


class HubFailed(Failure):
    """The hub's function ended in an error of its own."""

    code = "hub-failed"


@dataclass(frozen=True, slots=True)
class LambdaHub:
    """`region`: the hub's; its account is that of the session's credentials."""

    session: boto3.Session
    region: str

    def answer(self, request: str) -> Json:
        return self._invoke(ANSWER, {"request": request})

    def control(self, request: str) -> Json:
        """Signs the request with these credentials, so that the hub knows and records whose command it is."""
        account, partition = self._whose()
        hub = f"arn:{partition}:lambda:{self.region}:{account}:function:{CONTROL}"
        credentials: Any = self.session.get_credentials()
        with _reaching("STS", self.region):
            frozen = credentials.get_frozen_credentials()
        proof = make_proof(frozen, region=self.region, hub=hub, request=request)
        return self._invoke(CONTROL, {"request": request, "proof": dict(proof)})

    def _whose(self) -> tuple[str, str]:
        with _reaching("STS", self.region):
            answer = self.session.client("sts", region_name=self.region, config=_HUB_CONFIG).get_caller_identity()
        return answer["Account"], answer["Arn"].split(":")[1]

    def _invoke(self, function: str, event: Json) -> Json:
        with _reaching(function, self.region):
            client = self.session.client("lambda", region_name=self.region, config=_HUB_CONFIG)
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            text = answer["Payload"].read()
        if "FunctionError" in answer:
            remedy = f"see its log group /aws/lambda/{function} in {self.region}"
            raise HubFailed(f"{function} ended in an error: {_error_in(text)}", remedy=remedy)
        try:
            return loads(text)
        except CodecError as error:
            raise HubFailed(f"{function} answers what is no JSON object", remedy="is it ecr-warden's?") from error


def open_hub(region: str | None, profile: str | None) -> LambdaHub:
    """The hub in a region, with a profile's credentials or the default ones; raises Failure."""
    try:
        session = boto3.Session(profile_name=profile)
        where, credentials = region or session.region_name, session.get_credentials()
    except BotoCoreError as error:
        raise HubUnreachable(_text(error), remedy="see aws configure list-profiles, and --profile") from error
    if where is None:
        raise UsageError("it is not said in which region the hub is", remedy="pass --hub-region REGION")
    if credentials is None:
        raise HubUnreachable("there are no AWS credentials", remedy="pass --profile PROFILE, or set AWS_PROFILE")
    return LambdaHub(session, where)


@contextmanager
def _reaching(what: str, region: str) -> Iterator[None]:
    """Say in our words why `what` (a function, or STS) did not do it."""
    try:
        yield
    except ClientError as error:
        raise _refused(what, region, error) from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise not_reached(what, error) from error


def _refused(what: str, region: str, error: ClientError) -> Failure:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _NOT_TAKEN:
        remedy = "see aws sts get-caller-identity, and sign in again if they have expired"
        return HubDenied(f"AWS does not take your credentials: {code}: {message:.300}", remedy=remedy)
    if code in _DENIED and what in _POLICIES:
        remedy = f"it takes the policy {_POLICIES[what]} of the hub's stack; see --hub-region and --profile too"
        return HubDenied(f"you may not call {what} in {region}: {message:.300}", remedy=remedy)
    if code == "ResourceNotFoundException":
        remedy = "pass --hub-region with the region, and --profile with a profile of the account, of the hub"
        return HubUnreachable(f"there is no function {what} in {region} of your account", remedy=remedy)
    return HubUnreachable(f"{what} was not reached: {code}: {message:.300}", remedy="try again")


def not_reached(what: str, error: BotoCoreError | ValueError) -> Failure:
    """The SDK's own error as ours; the texts are botocore's and hold no secret."""
    text = _text(error)
    match error:
        case ReadTimeoutError() | ConnectionClosedError() if what == CONTROL:
            # It is not sent again: it would be refused, for its id was taken.
            remedy = "it may have been carried out all the same: see ecr-warden status and history"
            return HubFailed(f"{what} did not answer: {text}", remedy=remedy)
        case ReadTimeoutError() | ConnectionClosedError():
            return HubFailed(f"{what} did not answer: {text}", remedy="try again, or name fewer targets")
        case InvalidRegionError():
            return HubUnreachable(f"{what} was not reached: {text}", remedy="pass --hub-region with the hub's region")
        case HTTPClientError() | EndpointConnectionError():
            remedy = "see the network, the proxy, --hub-region, and AWS_ENDPOINT_URL if it is set"
            return HubUnreachable(f"{what} was not reached: {text}", remedy=remedy)
        case BotoCoreError():
            remedy = "see your credentials and configuration with aws sts get-caller-identity, and --profile"
            return HubUnreachable(f"{what} was not reached: {text}", remedy=remedy)
        case _:
            return HubUnreachable(f"{what} was not reached: {text}", remedy="see AWS_ENDPOINT_URL")


def _text(error: Exception) -> str:
    return f"{error!s:.300}".rstrip(". \n:")


def _error_in(text: bytes) -> str:
    try:
        told = loads(text)
    except CodecError:
        return "without a word"
    return f"{told.get('errorType', '')} {told.get('errorMessage', '')}"[:300].strip()
