"""The accounts of a deployment, entered with a person's own credentials."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.aws.errors import unless
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.aws_wiring import AwsWiring, read_trail
from ecr_warden.collect.estate import Reading
from ecr_warden.collect.wiring import HubPlace, SeenWire, Wiring
from ecr_warden.core.clock import Clock
from ecr_warden_cli.deployment.aws_cloudformation import CONFIG, AwsCodeBucket, AwsStacks, calling
from ecr_warden_cli.deployment.aws_remains import AwsRemains
from ecr_warden_cli.deployment.ports import CodeBucket, Remains, RunningFunction, Stacks
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.deployment.sessions import Ways
from ecr_warden_cli.terminal.aws_hub import LambdaHub
from ecr_warden_cli.terminal.aws_sessions import (
    READING_CONFIG,
    AccountSession,
    accounts_in,
    if_owned,
    open_profile,
    open_session,
    whole_accounts,
)
from ecr_warden_cli.terminal.context import Failure, Hub, NotEntered
from ecr_warden_cli.terminal.profiles import ProfileAccounts
from iam_access.arn import IAM_REGION

_SESSION = "ecr-warden-deploy"
"""How CloudTrail shows who came by the role."""


_STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
_REGISTER = f"aws organizations register-delegated-administrator --service-principal {_STACK_SETS} --account-id {{}}"
_ACTIVATE = "activate-organizations-access --region us-east-1"


class AwsEntered(Struct, frozen=True):
    """See `Entered`; a role's credentials are renewed while the command runs."""

    found: Mapping[str, AccountSession | NotEntered]
    sleep: Callable[[float], None]

    @classmethod
    def of(cls, accounts: Mapping[str, str], ways: Ways, sleep: Callable[[float], None]) -> "AwsEntered":
        """Enter each account, by ID with its name."""
        source = None if ways.profiles.keys() >= accounts.keys() else open_profile(ways.source)
        found = {account: _enter(account, alias, ways, source) for account, alias in accounts.items()}
        remedied = {
            account: replace(one, remedy=remedy_for(one.reason, one.remedy)) if isinstance(one, NotEntered) else one
            for account, one in found.items()
        }
        return cls(remedied, sleep)

    @property
    def refused(self) -> Mapping[str, NotEntered]:
        return {account: one for account, one in self.found.items() if isinstance(one, NotEntered)}

    def session(self, account: str) -> boto3.Session:
        return self._session_of(account).session

    def caller(self, account: str) -> str:
        return self._session_of(account).arn

    def _session_of(self, account: str) -> AccountSession:
        match self.found.get(account, NotEntered("no profile of it was given", "pass --profile ACCOUNT=PROFILE")):
            case NotEntered(reason, remedy):
                raise Failure(f"account {account} cannot be entered: {reason}", remedy=remedy, code="not-entered")
            case opened:
                return opened

    def stacks(self, account: str, region: str) -> Stacks:
        client = self.session(account).client("cloudformation", region_name=region, config=CONFIG)
        return AwsStacks(client, f"{account}/{region}", self.sleep)

    def bucket(self, account: str, region: str, name: str) -> CodeBucket:
        client = self.session(account).client("s3", region_name=region, config=CONFIG)
        return AwsCodeBucket(client, region, {"Bucket": name, "ExpectedBucketOwner": account})

    def remains(self, account: str, region: str) -> Remains:
        return AwsRemains(self.session(account), account, region)

    def hub(self, account: str, region: str) -> Hub:
        return LambdaHub(self.session(account), region)

    def functions(self, account: str, region: str, names: Sequence[str]) -> Mapping[str, RunningFunction]:
        client = self.session(account).client("lambda", region_name=region, config=READING_CONFIG)
        with calling(f"reading the functions in {account}/{region}"):
            absent = ("ResourceNotFoundException",)
            found = {name: unless(absent, client.get_function, FunctionName=name) for name in names}
            return {name: _running(client, account, one) for name, one in found.items() if one is not None}

    def executions(self, account: str, region: str) -> int:
        client = self.session(account).client("lambda", region_name=region, config=READING_CONFIG)
        with calling(f"reading how many functions may run at once in {account}/{region}"):
            return client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]

    def depth(self, account: str, region: str, queue: str) -> int:
        client = self.session(account).client("sqs", region_name=region, config=READING_CONFIG)
        with calling(f"reading the queue {queue} in {account}/{region}"):
            absent = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
            place = unless(absent, client.get_queue_url, QueueName=queue)
            asked: Any = {"AttributeNames": ["ApproximateNumberOfMessages"]}
            found = (
                {} if place is None else client.get_queue_attributes(QueueUrl=place["QueueUrl"], **asked)["Attributes"]
            )
        return int(found.get("ApproximateNumberOfMessages", 0))

    def above(self, account: str) -> tuple[str, str]:
        client = self.session(account).client("organizations", region_name=IAM_REGION)
        with calling(f"the organization of {account}"):
            organization, [root] = client.describe_organization()["Organization"], client.list_roots()["Roots"]
            management, features = organization["MasterAccountId"], organization["FeatureSet"]
            call_as = "SELF" if account == management else "DELEGATED_ADMIN"
            pages = client.get_paginator("list_delegated_administrators").paginate(ServicePrincipal=_STACK_SETS)
            delegated = {management, *(one["Id"] for page in pages for one in page["DelegatedAdministrators"])}
        with calling(f"StackSets of {account}"):
            stack_sets = self.session(account).client("cloudformation", region_name=IAM_REGION, config=CONFIG)
            # Without being one, an account may not ask what there is besides.
            may_ask = account in delegated
            access = stack_sets.describe_organizations_access(CallAs=call_as)["Status"] if may_ask else ""
        for is_there, lacks, command in (
            (features == "ALL", "has not all features", "aws organizations enable-all-features"),
            (may_ask, f"does not have {account} as delegated administrator of StackSets", _REGISTER.format(account)),
            (access == "ENABLED", "gives CloudFormation no access", f"aws cloudformation {_ACTIVATE}"),
        ):
            if not is_there:
                raise Failure(
                    f"the organization {organization['Id']} {lacks}",
                    remedy=f"{command}, with credentials of {management}; then run the same command again",
                    code="organization-lacks",
                )
        return management, root["Id"]

    def read_parts(self, accounts: Sequence[SpecAccount]) -> Iterator[tuple[str, Reading]]:
        return whole_accounts(AwsEstateReader(accounts_in(self.found)), accounts, all_tags=False)

    def trail(self, account: str, region: str) -> SeenWire:
        return read_trail(accounts_in(self.found), account, region)

    def wiring(self, place: HubPlace) -> Wiring:
        # Of an account that was not entered nothing is asked.
        session: Any = boto3.Session() if place.account in self.refused else self.session(place.account)
        made = partial(session.client, region_name=place.region, config=READING_CONFIG)
        clients = (made("events"), made("s3"), made("lambda"), made("sns"), made("cloudformation"))
        return AwsWiring(*clients, ProfileAccounts(self.session), place)

    def surveyed(self, account: str) -> Mapping[str, Any]:
        return AwsEstateReader(ProfileAccounts(self.session)).identities(account, {}).entry

    def holds(self, account: str, region: str, reference: str) -> bool:
        kind, _, name = reference.partition(":")
        with calling(f"looking for {reference}"):
            if kind == "ssm":
                ssm = self.session(account).client("ssm", region_name=region, config=READING_CONFIG)
                # Whoever may get a parameter may also have it decrypted.
                by_name: Any = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
                pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=by_name)
                return any(page["Parameters"] for page in pages)
            secrets = self.session(account).client("secretsmanager", region_name=region, config=READING_CONFIG)
            return unless(("ResourceNotFoundException",), secrets.describe_secret, SecretId=name) is not None

    def skew(self, clock: Clock) -> timedelta:
        with calling("GetCallerIdentity"):
            config = READING_CONFIG.merge(Config(signature_version=UNSIGNED))
            sts = boto3.Session().client("sts", region_name=IAM_REGION, config=config)
            try:
                answer: Any = sts.get_caller_identity()
            except ClientError as refused:  # as it has to be: nobody has signed it
                answer = refused.response
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
        try:
            return parsedate_to_datetime(date) - clock.now()
        except (TypeError, ValueError) as error:
            raise Failure("AWS's answer has no date", remedy="see what proxy is in between") from error


def _running(client: Any, account: str, function: Any) -> RunningFunction:
    given, concurrency = function["Configuration"], function.get("Concurrency", {})
    layers = tuple(_layer(client, account, one["Arn"]) for one in given.get("Layers", ()))
    return RunningFunction(_digits(given["CodeSha256"]), layers, concurrency.get("ReservedConcurrentExecutions"))


def _layer(client: Any, account: str, arn: str) -> str:
    """The digest of a layer; "" of another account's, which nobody here may read, and of one that is deleted."""
    owner, _, name, version = arn.split(":")[4:]
    asked = partial(client.get_layer_version, LayerName=name, VersionNumber=int(version))
    found = unless(("ResourceNotFoundException",), asked) if owner == account else None
    return "" if found is None else _digits(found["Content"]["CodeSha256"])


def _digits(digest: str) -> str:
    """A digest as Lambda has it, in hexadecimal digits."""
    return b64decode(digest).hex()


def _enter(
    account: str, alias: str, ways: Ways, source: AccountSession | NotEntered | None
) -> AccountSession | NotEntered:
    if (profile := ways.profiles.get(account)) is not None or source is None:
        return if_owned(open_profile(profile), profile, account, alias)
    if not ways.role or not isinstance(source, AccountSession) or source.account == account:
        return if_owned(source, ways.source, account, alias)
    role = f"arn:{source.arn.split(':')[1]}:iam::{account}:role/{ways.role.removeprefix('/')}"
    return open_session(
        partial(_assuming, source.session, role),
        f"role {role} cannot be assumed",
        f"check --assume-role, or pass --profile {alias}=PROFILE",
    )


def _assuming(source: boto3.Session, role: str) -> boto3.Session:
    """A session of a role: STS gives an hour, and many accounts take longer."""
    own: Any = botocore.session.get_session()
    # A configuration without a region is common.
    create_client = partial(source._session.create_client, region_name=source.region_name or IAM_REGION)
    fetcher = AssumeRoleCredentialFetcher(create_client, source.get_credentials(), role, {"RoleSessionName": _SESSION})
    own._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.Session(botocore_session=own, region_name=source.region_name)
