"""Where the questions about access read: a snapshot, the AWS CLI's output, or the accounts of the spec."""

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid
from ecr_warden.access_spec.spec import Account
from ecr_warden.core.codec.accounts import POLICY_CALL
from ecr_warden.core.codec.snapshot import MAX_BYTES, SCHEMA, control_policies, estate_of, load_snapshot
from ecr_warden.core.estate import Estate
from ecr_warden_cli.context import Context, Failure, UsageError
from ecr_warden_cli.inputs import load_compiled, name_of, read_file
from ecr_warden_cli.live import parse_profiles
from iam_access.arn import ACCOUNT_ID
from iam_access.document.variables import literal_glob
from iam_access.inventory.accounts import ControlKind
from iam_access.inventory.printed import Json, SnapshotError
from iam_access.text.printable import listed, printable

_OF_CLI = "give the output of aws iam get-account-authorization-details"
_FILES = "write a snapshot with: ecr-warden snapshot SPEC > FILE, or --from FILES that the AWS CLI wrote"


class SnapshotUnreadable(Failure):
    """The file could not be read."""

    code = "snapshot-unreadable"


class Asked(Struct, frozen=True):
    """The input of a verb: the estate, and the spec if one was given."""

    graph: RepositoryGraph
    spec: Valid | None

    @property
    def estate(self) -> Estate:
        return self.graph.estate


def add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_argument_group("where to read")
    source.add_argument("--snapshot", metavar="FILE", help="a snapshot of the accounts, or - for stdin")
    source.add_argument(
        "--iam", metavar="FILE", help="the output of aws iam get-account-authorization-details for one account"
    )
    source.add_argument(
        "--repository-policy", metavar="FILE", help="with --iam: the policy of REPOSITORY; null in it: it has none"
    )
    for option, kind in _CONTROL.items():
        source.add_argument(
            option,
            metavar="[ACCOUNT=]FILE",
            action="append",
            default=[],
            help=f"the {kind.value.replace('policy', 'policies')} of an account, or of all that are read",
        )
    source.add_argument(
        "--spec", metavar="SPEC", help="the spec: the answer says what it gives; without a file, its accounts are read"
    )
    source.add_argument(
        "--profile",
        metavar="ACCOUNT=PROFILE",
        action="append",
        default=[],
        help="without a file: the AWS profile to read an account of the spec with; once per account",
    )


def open_estate(arguments: argparse.Namespace, context: Context, repository: str | None = None) -> Asked:
    """Read the estate that the arguments name; raises Failure."""
    if arguments.snapshot and arguments.iam:
        raise UsageError("--snapshot with --iam", remedy="give one of them")
    if count_stdin(arguments) > 1:
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    if arguments.repository_policy and not arguments.iam:
        raise UsageError("--repository-policy without --iam", remedy="add --iam FILE, or give a --snapshot")
    spec = load_compiled(arguments.spec, context) if arguments.spec else None
    given: bytes | Json
    if arguments.snapshot:
        given = read_snapshot(arguments.snapshot, context)
    elif arguments.iam:
        given = _of_cli(arguments, context, repository)
    elif spec is not None:
        given = snapshot_of_spec(spec, arguments.profile, context)
    elif arguments.profile:
        raise UsageError("--profile without --spec", remedy="add --spec SPEC, which names the accounts to read")
    else:
        raise UsageError("there is no input", remedy="give --snapshot FILE, --iam FILE, or --spec SPEC")
    with context.console.doing("reading the policies"):
        estate = estate_from(given, arguments.snapshot or arguments.iam, context)
    for option, kind in _CONTROL.items():
        for given_to in getattr(arguments, option.strip("-")):
            estate = _controlled(estate, given_to, option, kind, context)
    return Asked(RepositoryGraph(estate), spec)


def _controlled(estate: Estate, given: str, option: str, kind: ControlKind, context: Context) -> Estate:
    """The estate with the control policies of a file; raises Failure."""
    account, equals, path = given.partition("=")
    if not equals:
        account, path = "", given
    if account and account not in estate.accounts:
        known = listed(sorted(estate.accounts), 5)
        raise UsageError(f"{option}: account {printable(account, 40)} is not in the input", remedy=f"it has {known}")
    text = read_snapshot(path, context, remedy="give a policy document, or a list of documents for each level")
    changed = dict(estate.accounts)
    for name in [account] if account else changed:
        try:
            levels = control_policies(text, kind, name)
        except SnapshotError as error:
            raise SnapshotError(f"{name_of(path)}: {error.message}", remedy=error.remedy) from error
        old = changed[name]
        is_service = kind is ControlKind.SERVICE
        changed[name] = replace(old, service_control=levels) if is_service else replace(old, resource_control=levels)
    return replace(estate, accounts=changed)


def count_stdin(arguments: argparse.Namespace) -> int:
    """How many files the arguments read from stdin."""
    files = [getattr(arguments, name) for name in ("snapshot", "iam", "repository_policy", "spec")]
    files += (path.rpartition("=")[2] for path in (*arguments.scp, *arguments.rcp))
    return files.count("-")


def estate_from(given: bytes | Json, path: str | None, context: Context) -> Estate:
    """Parse a snapshot; raises SnapshotError, which names the file that was read."""
    with _naming(path):
        return estate_of(load_snapshot(given) if isinstance(given, bytes) else given, at=context.clock.now())


@contextmanager
def _naming(path: str | None) -> Iterator[None]:
    try:
        yield
    except SnapshotError as error:
        place = f"{name_of(path)}: " if path else ""
        raise SnapshotError(f"{place}{error.message}", remedy=error.remedy) from error


def read_snapshot(path: str, context: Context, *, remedy: str = _FILES) -> bytes:
    """The bytes of a file of at most a snapshot's size; raises SnapshotUnreadable."""
    return read_file(path, context.stdin, MAX_BYTES, failure=SnapshotUnreadable, remedy=remedy)


def snapshot_of_spec(spec: Valid, profiles: Sequence[str], context: Context, *, with_tags: bool = False) -> Json:
    """A snapshot of the spec's accounts; raises Failure."""
    accounts = spec.spec.accounts
    return snapshot_of(accounts, parse_profiles(profiles, accounts), context, with_tags=with_tags)


def snapshot_of(accounts: Sequence[Account], profiles: Mapping[str, str], context: Context, *, with_tags: bool) -> Json:
    """A snapshot of the accounts, read with their profiles (by account ID); raises Failure."""
    entries = context.read_accounts(accounts, profiles, with_tags)
    progress = context.console.progress(entries, of=len(accounts), doing="reading accounts")
    taken = context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"schema": SCHEMA, "takenAt": taken, "accounts": dict(progress)}


def _of_cli(arguments: argparse.Namespace, context: Context, repository: str | None) -> Json:
    """The AWS CLI's output for one account as a snapshot, with the repository, whose policy is given or unread."""
    text = read_snapshot(arguments.iam, context, remedy=_OF_CLI)
    with _naming(arguments.iam):
        raw = load_snapshot(text)
    if repository is None:
        return raw
    holder = next(iter(estate_from(raw, arguments.iam, context).accounts))
    given = _policy(arguments.repository_policy, context) if arguments.repository_policy else _UNREAD
    account, region, name = _place(repository, text, holder, given.registry)
    entry = {"repositoryName": name, **given.entry}
    unread = [{**one, "region": region} for one in given.unread]
    accounts: dict[str, Any] = {holder: {"iam": raw}}
    ecr = {region: {"repositories": [entry]}}
    accounts[account] = {**accounts.get(account, {}), "ecr": ecr, "unread": unread}
    return {"schema": SCHEMA, "accounts": accounts}


_CONTROL = {"--scp": ControlKind.SERVICE, "--rcp": ControlKind.RESOURCE}
_WHOLE = re.compile(r"([0-9]{12})/([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})/(.+)")
_ARN = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/([^\s\"\\,]+)")
_REGION_ASKED = re.compile(r'aws:RequestedRegion\\*"\s*:\s*(?:\[\s*)?\\*"([a-z0-9-]+)', re.IGNORECASE)
_ANY_REGION = "us-east-1"


class _GivenPolicy(Struct, frozen=True):
    """What is known of the repository's policy: its part of a snapshot, and the account whose registry it is in."""

    entry: dict[str, Any]
    registry: str = ""
    unread: tuple[dict[str, str], ...] = ()


_UNREAD = _GivenPolicy({}, unread=({"what": POLICY_CALL, "code": "no --repository-policy was given"},))


def _policy(path: str, context: Context) -> _GivenPolicy:
    """A policy document, also from within the output of `aws ecr get-repository-policy`."""
    remedy = "give the policy document, or what aws ecr get-repository-policy prints"
    text = read_snapshot(path, context, remedy=remedy)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotUnreadable(f"{name_of(path)} is not JSON", remedy=remedy) from error
    match found:
        case {"policyText": policy, "registryId": str(registry)} if ACCOUNT_ID.fullmatch(registry):
            return _GivenPolicy({"policy": policy}, registry)
        case {"policyText": policy}:
            return _GivenPolicy({"policy": policy})
        case _:
            return _GivenPolicy({"policy": found})


def _place(repository: str, text: bytes, holder: str, registry: str) -> tuple[str, str, str]:
    """Account, region and name of a repository, from what the policies of the account say of it.

    A policy that names another region's repository allows nothing here, so a guess could be a wrong no. Raises
    UsageError if the policies name several that the name could mean.
    """
    whole = _WHOLE.fullmatch(repository) or _ARN.fullmatch(repository)
    if whole is not None:
        first, second, name = whole.groups()
        return (first, second, name) if ACCOUNT_ID.fullmatch(first) else (second, first, name)
    said = unquote(text.decode(errors="replace"))
    named = {
        (account, region) for region, account, name in _ARN.findall(said) if literal_glob(name).matches(repository)
    }
    places = {one for one in named if one[0] == registry} if registry else named
    own = {one for one in places if one[0] == holder} or places
    if len(own) > 1:
        shown = listed([f"{account}/{region}/{repository}" for account, region in sorted(own)], 5)
        raise UsageError(
            f"the policies name {len(own)} repositories {printable(repository, 120)}", remedy=f"write {shown}"
        )
    asked = _REGION_ASKED.search(said)
    regions = {region for region, account, _ in _ARN.findall(said) if account == (registry or holder)}
    otherwise = regions.pop() if len(regions) == 1 else asked[1] if asked else _ANY_REGION
    account, region = next(iter(own), (registry or holder, otherwise))
    return account, region, repository
