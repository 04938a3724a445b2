"""What a person's own credentials show of a deployment, as AWS has it."""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.aws.errors import unless
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.aws_wiring import AwsWiring
from ecr_warden.collect.wires import Wiring
from ecr_warden.collect.wiring import HubPlace
from ecr_warden.core.clock import Clock
from ecr_warden_cli.context import Failure
from ecr_warden_cli.deployment.aws_cloudformation import calling
from ecr_warden_cli.deployment.ports import Entered, LiveStack, StackPlace
from ecr_warden_cli.profiles import ProfileAccounts
from iam_access.arn import IAM_REGION

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
_ABSENT = ("ParameterNotFound", "ResourceNotFoundException")


class AwsSight(Struct, frozen=True):
    """See `Sight`."""

    entered: Entered
    hub: StackPlace
    clock: Clock

    def skew(self) -> timedelta:
        with calling("GetCallerIdentity"):
            config = _CONFIG.merge(Config(signature_version=UNSIGNED))
            sts = boto3.Session().client("sts", region_name=IAM_REGION, config=config)
            try:
                answer: Any = sts.get_caller_identity()
            except ClientError as refused:  # as it has to be: nobody has signed it
                answer = refused.response
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
        try:
            return parsedate_to_datetime(date) - self.clock.now()
        except (TypeError, ValueError) as error:
            raise Failure("AWS's answer has no date", remedy="see what proxy is in between") from error

    def caller(self, account: str) -> str:
        with calling("GetCallerIdentity"):
            return str(self._client(account, "sts", IAM_REGION).get_caller_identity()["Arn"])

    def stack(self) -> LiveStack | None:
        return self.entered.stacks(self.hub.account, self.hub.region).read(self.hub.name)

    def wiring(self, place: HubPlace) -> Wiring:
        # Of an account that was not entered nothing is asked.
        session = boto3.Session() if place.account in self.entered.refused else self.entered.session(place.account)
        names = ("events", "s3", "lambda", "sns", "cloudformation")
        clients: list[Any] = [_made(session, name, place.region) for name in names]
        events, s3, functions, sns, cloudformation = clients
        return AwsWiring(events, s3, functions, sns, cloudformation, ProfileAccounts(self.entered.session), place)

    def surveyed(self, account: str) -> Mapping[str, Any]:
        return AwsEstateReader(ProfileAccounts(self.entered.session)).identities(account, {}).entry

    def holds(self, reference: str) -> bool:
        kind, _, name = reference.partition(":")
        with calling(f"looking for {reference}"):
            if kind == "ssm":
                ssm = self._client(self.hub.account, "ssm", self.hub.region)
                return unless(_ABSENT, ssm.get_parameter, Name=name, WithDecryption=False) is not None
            secrets = self._client(self.hub.account, "secretsmanager", self.hub.region)
            return unless(_ABSENT, secrets.describe_secret, SecretId=name) is not None

    def _client(self, account: str, service: str, region: str) -> Any:
        return _made(self.entered.session(account), service, region)


def _made(session: Any, service: str, region: str) -> Any:
    return session.client(service, region_name=region, config=_CONFIG)
