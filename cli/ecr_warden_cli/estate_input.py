"""Where the questions about access read: a snapshot, the AWS CLI's output, or the accounts of the spec."""

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any

from ecr_warden.model.codec.snapshot import MAX_BYTES, SCHEMA, SnapshotError, estate_from_text
from ecr_warden.model.estate import Estate
from ecr_warden.proof.access import Graph
from ecr_warden.spec import Valid
from msgspec import Struct

from ecr_warden_cli.context import Context, Failure, UsageError
from ecr_warden_cli.inputs import load_compiled, name_of, read_file
from ecr_warden_cli.live import parse_profiles

_FILES = "write a snapshot with: ecr-warden snapshot SPEC > FILE"


class SnapshotUnreadable(Failure):
    """The file could not be read."""

    code = "snapshot-unreadable"


class Asked(Struct, frozen=True):
    """The input of a verb: the estate, and the spec if one was given."""

    graph: Graph
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
    source.add_argument("--repository-policy", metavar="FILE", help="with --iam: the policy of REPOSITORY")
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
    given = [name for name in ("snapshot", "iam") if getattr(arguments, name)]
    if len(given) > 1:
        raise UsageError("--snapshot with --iam", remedy="give one of them")
    if count_stdin(arguments) > 1:
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    if arguments.repository_policy and not arguments.iam:
        raise UsageError("--repository-policy without --iam", remedy="add --iam FILE, or give a --snapshot")
    spec = load_compiled(arguments.spec, context) if arguments.spec else None
    text: bytes | str
    if arguments.snapshot:
        text = _read(arguments.snapshot, context)
    elif arguments.iam:
        text = _of_cli(arguments, context, repository)
    elif spec is not None:
        text = read_live(spec, arguments.profile, context)
    else:
        raise UsageError("there is no input", remedy="give --snapshot FILE, --iam FILE, or --spec SPEC")
    return Asked(Graph(_estate(text, arguments.snapshot or arguments.iam, context)), spec)


def count_stdin(arguments: argparse.Namespace) -> int:
    """How many files the arguments read from stdin."""
    return sum(getattr(arguments, name) == "-" for name in ("snapshot", "iam", "repository_policy", "spec"))


def _estate(text: bytes | str, path: str | None, context: Context) -> Estate:
    """Parse a snapshot; raises SnapshotError, which names the file that was read."""
    try:
        return estate_from_text(text, at=context.clock.now())
    except SnapshotError as error:
        place = f"{name_of(path)}: " if path else ""
        raise SnapshotError(f"{place}{error.message}", remedy=error.remedy) from error


def _read(path: str, context: Context) -> bytes:
    return read_file(path, context.stdin, MAX_BYTES, failure=SnapshotUnreadable, remedy=_FILES)


def read_live(spec: Valid, profiles: Sequence[str], context: Context) -> str:
    accounts = spec.spec.accounts
    entries = context.read_accounts(accounts, parse_profiles(profiles, accounts))
    progress = context.console.progress(entries, of=len(accounts), doing="reading accounts")
    taken = context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"schema": SCHEMA, "takenAt": taken, "accounts": dict(progress)})


def _of_cli(arguments: argparse.Namespace, context: Context, repository: str | None) -> bytes | str:
    """The AWS CLI's output for one account as a snapshot, with the repository whose policy is given."""
    text = _read(arguments.iam, context)
    if not arguments.repository_policy or repository is None:
        return text
    holder = next(iter(_estate(text, arguments.iam, context).accounts))
    whole = _WHOLE.fullmatch(repository)
    account, region, name = whole.groups() if whole else (holder, _ANY_REGION, repository)
    policy = _policy(_read(arguments.repository_policy, context))
    accounts: dict[str, Any] = {holder: {"iam": json.loads(text)}}
    ecr = {region: {"repositories": [{"repositoryName": name, "policy": policy}]}}
    accounts[account] = {**accounts.get(account, {}), "ecr": ecr}
    return json.dumps({"schema": SCHEMA, "accounts": accounts})


_WHOLE = re.compile(r"([0-9]{12})/([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})/(.+)")


# If no region is given: only conditions on aws:RequestedRegion depend on it.
_ANY_REGION = "us-east-1"


def _policy(text: bytes) -> object:
    """A policy document, also from within the output of `aws ecr get-repository-policy`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotUnreadable("the repository policy is not JSON", remedy="give the policy document") from error
    return found.get("policyText", found) if isinstance(found, dict) else found
