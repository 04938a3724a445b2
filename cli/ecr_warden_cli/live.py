"""Where `plan` and `check` read: a local spec against accounts or a snapshot, or the accepted spec through the hub."""

import argparse
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.plan import Change
from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import UsageError
from ecr_warden_cli.inputs import HUB_PROFILE, HUB_REGION
from iam_access.arn import ACCOUNT_ID
from iam_access.text.printable import cut


class Here(Struct, frozen=True):
    """A spec against the accounts, with a person's own credentials; `profiles` as `ACCOUNT=PROFILE`.

    `snapshot`: the file that is read instead of the accounts.
    """

    spec: str
    profiles: tuple[str, ...]
    snapshot: str | None = None


class AtHub(Struct, frozen=True):
    """Targets of the accepted spec, read by the hub."""

    targets: tuple[str, ...]
    hub_region: str | None
    profile: str | None


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare SPEC with --profile, and --hub with the hub's options."""
    name = parser.prog
    parser.usage = (
        f"{name} SPEC [--profile ACCOUNT=PROFILE ... | --snapshot FILE]\n"
        "         [--json]\n"
        f"       {name} --hub [TARGET ...]\n"
        "         [--hub-region REGION] [--profile PROFILE] [--json]"
    )
    parser.add_argument(
        "places",
        metavar="SPEC | TARGET",
        nargs="*",
        help="the spec (YAML or JSON), or - for stdin; with --hub: targets as in status, default: all",
    )
    parser.add_argument("--snapshot", metavar="FILE", help="a snapshot to read instead of accounts, or - for stdin")
    parser.add_argument("--hub", action="store_true", help="have the hub read the accounts, for its accepted spec")
    parser.add_argument("--hub-region", metavar="REGION", help=f"with --hub: its region; {HUB_REGION}")
    parser.add_argument(
        "--profile",
        metavar="[ACCOUNT=]PROFILE",
        action="append",
        default=[],
        help="the AWS profile for an account (its alias in the spec or its ID); once per account. An account without "
        "one is read with the default credentials if they belong to it. With --hub: one profile, for the hub's "
        f"account; {HUB_PROFILE}",
    )


def place_of(arguments: argparse.Namespace) -> Here | AtHub:
    """Where to read; raises UsageError if options of both places are given."""
    places: Sequence[str] = arguments.places
    if arguments.hub:
        if files := [place for place in places if _is_file(place)]:
            remedy = "leave the file out (--hub compares with the accepted spec), or leave --hub out"
            raise UsageError(f"--hub takes targets, and {files[0]} is a file", remedy=remedy)
        if arguments.snapshot is not None:
            raise UsageError("--snapshot with --hub", remedy="give one of them: the hub reads its accounts")
        return AtHub(tuple(places), arguments.hub_region, hub_profile(arguments.profile))
    if arguments.hub_region is not None:
        remedy = "add --hub to ask the hub, or leave --hub-region out"
        raise UsageError("--hub-region without --hub", remedy=remedy)
    match places:
        case [spec]:
            return Here(spec, tuple(arguments.profile), _snapshot_of(arguments, spec))
        case []:
            remedy = f"give a spec, or --hub for the accepted one; see {arguments.prog} --help"
            raise UsageError("no SPEC is given", remedy=remedy)
        case _:
            remedy = f"give one spec, or --hub before targets; see {arguments.prog} --help"
            raise UsageError(f"{len(places)} files, {', '.join(places)}", remedy=remedy)


def _snapshot_of(arguments: argparse.Namespace, spec: str) -> str | None:
    snapshot: str | None = arguments.snapshot
    if snapshot is not None and arguments.profile:
        raise UsageError("--profile with --snapshot", remedy="leave it out: no account is read")
    if snapshot == spec == "-":
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    return snapshot


def _is_file(place: str) -> bool:
    """Whether it is a file rather than a target; a repository may have a name like `a.yaml`."""
    return place == "-" or (place.lower().endswith((".yaml", ".yml", ".json")) and Path(place).is_file())


def hub_profile(profiles: Sequence[str]) -> str | None:
    """The one profile for the hub's account; raises UsageError."""
    match profiles:
        case []:
            return None
        case [profile] if "=" not in profile:
            return profile
        case _:
            given = " ".join(f"--profile {cut(profile, 200)}" for profile in profiles)
            raise UsageError(f"{given} with --hub", remedy="give one profile, for the hub's account: --profile PROFILE")


class LiveStatus(StrEnum):
    """A target's status. UNREADABLE wins: what cannot be read is never counted as fine.

    UNPROVED: its documents are as the spec says, and it is not known who has access (`check`).
    """

    OK = "ok"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"
    UNPROVED = "unaudited"


OF_DOCUMENTS = (LiveStatus.OK, LiveStatus.DIFFERS, LiveStatus.UNREADABLE)


def parse_profiles(texts: Sequence[str], accounts: Sequence[SpecAccount]) -> Mapping[str, str]:
    """`ACCOUNT=PROFILE` texts to profiles by account ID; raises UsageError."""
    ids = {account.alias: account.id for account in accounts} | {account.id: account.id for account in accounts}
    profiles: dict[str, str] = {}
    for text in texts:
        account, equals, profile = text.partition("=")
        if not (equals and account and profile):
            raise UsageError(f"--profile {cut(text, 200)}", remedy="write ACCOUNT=PROFILE, such as ci=my-ci-profile")
        if account not in ids:
            known = ", ".join(entry.alias for entry in accounts)
            kind = "the spec has no such account" if ACCOUNT_ID.fullmatch(account) else "the spec has no such alias"
            raise UsageError(f"--profile {cut(text, 200)}: {kind}", remedy=f"the accounts of the spec are {known}")
        if profiles.setdefault(ids[account], profile) != profile:
            raise UsageError(
                f"--profile {cut(text, 200)}: the account already has another profile", remedy="give one per account"
            )
    return profiles


def status_of(drifts: Sequence[Drift], changes: Sequence[Change] = ()) -> LiveStatus:
    """The status of a target."""
    if any(drift.kind is DriftKind.UNREADABLE for drift in drifts):
        return LiveStatus.UNREADABLE
    return LiveStatus.DIFFERS if drifts or changes else LiveStatus.OK


def exit_of(statuses: Sequence[LiveStatus]) -> Exit:
    """The exit code for all targets: what is unknown comes before what differs."""
    if LiveStatus.UNREADABLE in statuses or LiveStatus.UNPROVED in statuses:
        return Exit.ERROR
    return Exit.DIFFERENT if LiveStatus.DIFFERS in statuses else Exit.FINE


def count_by_status(statuses: Sequence[LiveStatus], kinds: Sequence[LiveStatus] = OF_DOCUMENTS) -> dict[str, int]:
    """`{"targets", "ok", "differs", "unreadable"}`."""
    return {"targets": len(statuses)} | {str(status): statuses.count(status) for status in kinds}


def differ(number: int) -> str:
    """`1 differs`, `2 differ`."""
    return f"{number} {'differs' if number == 1 else 'differ'}"
