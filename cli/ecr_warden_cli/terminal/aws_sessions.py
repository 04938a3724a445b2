"""The accounts of a spec, read with a person's own credentials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from functools import partial

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
)
from msgspec import Struct

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import EstateReader, Reading, asks_for_tags, with_tags
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden_cli.terminal.context import Caller, Failure, NotEntered
from ecr_warden_cli.terminal.profiles import ProfileAccounts
from iam_access.arn import cloud_of
from iam_access.inventory.inventory import PolicyOfAws
from iam_access.inventory.printed import with_texts

# A person waits: fail within seconds if an endpoint is down.
READING_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
# GetCallerIdentity works in any region, and a configuration without a region is common.
_DEFAULT_REGION = "us-east-1"
_UNREADABLE = "no-account-readable"
SIGN_IN = "if credentials have expired, sign in again: aws sso login"


class AccountSession(Struct, frozen=True):
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


def accounts_in(found: Mapping[str, AccountSession | NotEntered]) -> ProfileAccounts:
    """Accounts, to be read, by the sessions in them."""
    return ProfileAccounts(partial(_session_in, found))


def _session_in(found: Mapping[str, AccountSession | NotEntered], account: str) -> boto3.Session:
    """The session in an account; raises AccountUnreachable for one that could not be entered."""
    match found[account]:
        case NotEntered(reason, remedy):
            raise AccountUnreachable(f"account {account} cannot be read: {reason}", remedy=remedy)
        case AccountSession(session=session):
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
    """The owner of the credentials of a profile, None: the default ones; raises Failure."""
    match open_profile(profile):
        case AccountSession(session, account, arn):
            return Caller(arn, account, session.region_name)
        case NotEntered(reason, remedy):
            raise Failure(reason, remedy=remedy, code=_UNREADABLE)


def _session_of(
    account: SpecAccount, profile: str | None, default: AccountSession | NotEntered | None
) -> AccountSession | NotEntered:
    """The profile's session, or the default one, if it belongs to the account."""
    opened = open_profile(profile) if profile is not None or default is None else default
    return if_owned(opened, profile, account.id, account.alias)


def if_owned(
    opened: AccountSession | NotEntered, profile: str | None, account: str, alias: str
) -> AccountSession | NotEntered:
    """The session of a profile, None: the default one, if it belongs to the account."""
    whose = f"the profile {profile}" if profile is not None else "the default credentials"
    match opened:
        case AccountSession(_, owner, _) if owner != account:
            return NotEntered(
                f"{whose} belong{'' if profile is None else 's'} to account {owner}",
                f"pass --profile {alias}=PROFILE with a profile for {account}",
            )
        case _:
            return opened


def _nothing_readable(accounts: Sequence[SpecAccount], refused: Sequence[NotEntered]) -> Failure:
    if len({why.reason for why in refused}) == 1:
        return Failure(
            f"no account of the spec can be read: {refused[0].reason}", remedy=refused[0].remedy, code=_UNREADABLE
        )
    lines = tuple(
        f"account {account.id} cannot be read: {why.reason}; {why.remedy}"
        for account, why in zip(accounts, refused, strict=True)
    )
    return Failure("no account of the spec can be read", remedy="see above", code=_UNREADABLE, lines=lines)


def open_profile(profile: str | None) -> AccountSession | NotEntered:
    """The session of a profile, None: the default one."""
    if profile is None:
        return open_session(
            boto3.Session, "the default credentials do not work", "pass --profile ACCOUNT=PROFILE, or set AWS_PROFILE"
        )
    return open_session(
        lambda: boto3.Session(profile_name=profile),
        f"the profile {profile} does not work",
        f"check aws configure list-profiles; {SIGN_IN} --profile {profile}",
    )


def open_session(make: Callable[[], boto3.Session], otherwise: str, remedy: str) -> AccountSession | NotEntered:
    """A session and its account, from sts:GetCallerIdentity, which needs no permission."""
    try:
        session = make()
        sts = session.client("sts", region_name=session.region_name or _DEFAULT_REGION, config=READING_CONFIG)
        caller = sts.get_caller_identity()
    except (BotoCoreError, ClientError, ValueError, OSError) as error:
        # ValueError: a malformed endpoint URL; OSError: no such credential_process. No text of botocore has secrets.
        if isinstance(error, HTTPClientError | EndpointConnectionError | ValueError):
            return NotEntered(
                f"AWS does not answer: {error_text(error)}",
                "check the network, the proxy, and AWS_ENDPOINT_URL if it is set",
            )
        return NotEntered(f"{otherwise}: {error_text(error)}", remedy)
    partition = caller["Arn"].split(":")[1]
    if partition != "aws":
        return NotEntered(
            f"{otherwise}: they are for {cloud_of(partition)}, which is not supported",
            "use credentials of an account in AWS's commercial regions",
        )
    return AccountSession(session, caller["Account"], caller["Arn"])


def error_text(error: Exception) -> str:
    """An error of the SDK, shortened, without a full stop."""
    return f"{error!s:.300}".rstrip(". \n:")
