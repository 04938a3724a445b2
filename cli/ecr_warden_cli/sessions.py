"""Sessions in the spec's accounts from a person's own credentials, each proved to be of its account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError
from ecr_warden.adapters.aws.accounts import ProfileAccounts
from ecr_warden.adapters.aws.documents import AwsDocuments
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.errors import AccountUnreachable
from ecr_warden.spec.spec import Account

from ecr_warden_cli.context import Failure

# A person waits: an endpoint that is down is told within seconds.
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
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
        sts = session.client("sts", region_name=session.region_name or _DEFAULT_REGION, config=_CONFIG)
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
