"""The deployed hub over Lambda's own API: two functions with fixed names, called with a person's credentials."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from ecr_warden.adapters.aws.caller_proof import make_proof
from ecr_warden.model.codec.base import CodecError, Json, loads

from ecr_warden_cli.context import Failure, UsageError

ANSWER, CONTROL = "ecr-warden-answer", "ecr-warden-control"
_POLICIES = {ANSWER: "ecr-warden-reader", CONTROL: "ecr-warden-operator"}
# Longer than the functions run. A command is never sent twice: it would be refused, and look as if it had failed.
_CONFIG = Config(connect_timeout=3, read_timeout=150, retries={"total_max_attempts": 1})
_DENIED = ("AccessDeniedException", "AccessDenied")


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
        proof = make_proof(credentials.get_frozen_credentials(), region=self.region, hub=hub, request=request)
        return self._invoke(CONTROL, {"request": request, "proof": dict(proof)})

    def _whose(self) -> tuple[str, str]:
        try:
            answer = self.session.client("sts", region_name=self.region, config=_CONFIG).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise _not_reached("STS", error) from error
        return answer["Account"], answer["Arn"].split(":")[1]

    def _invoke(self, function: str, event: Json) -> Json:
        try:
            client = self.session.client("lambda", region_name=self.region, config=_CONFIG)
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            text = answer["Payload"].read()
        except ClientError as error:
            raise self._refused(function, error) from error
        except BotoCoreError as error:
            raise _not_reached(function, error) from error
        if "FunctionError" in answer:
            remedy = f"see its log group /aws/lambda/{function} in {self.region}"
            raise HubFailed(f"{function} ended in an error: {_error_in(text)}", remedy=remedy)
        try:
            return loads(text)
        except CodecError as error:
            raise HubFailed(f"{function} answers what is no JSON object", remedy="is it ecr-warden's?") from error

    def _refused(self, function: str, error: ClientError) -> Failure:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in _DENIED:
            remedy = f"it takes the policy {_POLICIES[function]} of the hub's stack; see --hub-region and --profile too"
            return HubDenied(f"you may not call {function} in {self.region}: {message:.300}", remedy=remedy)
        if code == "ResourceNotFoundException":
            remedy = "pass --hub-region with the region, and --profile with a profile of the account, of the hub"
            return HubUnreachable(f"there is no function {function} in {self.region} of your account", remedy=remedy)
        return HubUnreachable(f"{function} was not reached: {code}: {message:.300}", remedy="try again")


def open_hub(region: str | None, profile: str | None) -> LambdaHub:
    """The hub in a region, with a profile's credentials or the default ones; raises Failure."""
    try:
        session = boto3.Session(profile_name=profile)
    except BotoCoreError as error:
        raise HubUnreachable(f"{error!s:.200}", remedy="see aws configure list-profiles") from error
    where = region or session.region_name
    if where is None:
        raise UsageError("in which region is the hub?", remedy="pass --hub-region REGION")
    if session.get_credentials() is None:
        raise HubUnreachable("there are no AWS credentials", remedy="pass --profile PROFILE, or set AWS_PROFILE")
    return LambdaHub(session, where)


def _not_reached(what: str, error: Exception) -> HubUnreachable:
    remedy = "see your credentials, the network, and --hub-region"
    return HubUnreachable(f"{what} was not reached: {error!s:.300}", remedy=remedy)


def _error_in(text: bytes) -> str:
    try:
        told = loads(text)
    except CodecError:
        return "without a word"
    return f"{told.get('errorType', '')} {told.get('errorMessage', '')}"[:300].strip()
