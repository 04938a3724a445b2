"""What `plan` and `check` compare: a spec in a file with accounts or a snapshot, or the accepted one at the hub."""

import argparse
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import EVERYTHING
from ecr_warden.hub.selecting import select
from ecr_warden.state.commands import Selection
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import ArgumentGroup, Arguments, UsageError, argument
from ecr_warden_cli.terminal.inputs import HUB_PROFILE, HUB_REGION
from iam_access.arn import ACCOUNT_ID
from iam_access.text.printable import cut


class AtHub(Struct, frozen=True):
    """Targets of the accepted spec, read by the hub."""

    targets: tuple[str, ...]
    hub_region: str | None
    profile: str | None


class OfFile(Struct, frozen=True):
    """A spec in a file, and the targets to which it is narrowed, none for all.

    It is compared with the accounts as `hub` last read them, or as `snapshot` has them, or as they are, read with a
    person's own credentials: `profiles` as `ACCOUNT=PROFILE`.
    """

    spec: str
    targets: tuple[str, ...]
    hub: AtHub
    snapshot: str | None = None
    profiles: tuple[str, ...] = ()


PLACE_ARGUMENTS: Arguments = (
    argument(
        "spec", metavar="FILE", nargs="?", help="a spec (YAML or JSON), or - for stdin; default: the accepted version"
    ),
    argument(
        "--target",
        metavar="TARGET",
        action="append",
        default=[],
        help="only this: a target as in status, a repository's name, or a pattern of names ('shop/*'); may be repeated",
    ),
    ArgumentGroup(
        "where the accounts are read (default: the hub)",
        (
            argument("--snapshot", metavar="FILE", help="from a snapshot, or - for stdin"),
            argument(
                "--profile",
                metavar="[ACCOUNT=]PROFILE",
                action="append",
                default=[],
                help="with ACCOUNT: as they are now, with the AWS profile for that account (its alias in the spec or "
                "its ID); once per account. An account without one is read with the default credentials if they belong "
                f"to it. Without ACCOUNT: one profile, for the hub's account; {HUB_PROFILE}",
            ),
            argument("--hub-region", metavar="REGION", help=f"the hub's region; {HUB_REGION}"),
        ),
    ),
)
"""FILE, --target, and where the accounts are read."""


def place_of(arguments: argparse.Namespace) -> OfFile | AtHub:
    """The spec and the place where it is compared; raises UsageError if options of two places are given."""
    spec, targets, profiles = arguments.spec, tuple(arguments.target), tuple(arguments.profile)
    if spec is None and arguments.snapshot is not None:
        raise UsageError(
            "--snapshot without FILE",
            remedy="give the FILE that it is compared with; the accepted version: ecr-warden versions accepted",
        )
    if arguments.snapshot is not None and profiles:
        raise UsageError("--profile with --snapshot", remedy="leave it out: no account is read")
    if arguments.snapshot == spec == "-":
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    is_live = spec is not None and any("=" in profile for profile in profiles)
    if arguments.hub_region is not None and (is_live or arguments.snapshot is not None):
        other = "--snapshot" if arguments.snapshot is not None else f"--profile {cut(profiles[0], 200)}"
        raise UsageError(f"--hub-region with {other}", remedy="leave one of them out: the hub is not asked")
    hub = AtHub(targets, arguments.hub_region, None if is_live else hub_profile(profiles))
    return hub if spec is None else OfFile(spec, targets, hub, arguments.snapshot, profiles if is_live else ())


NO_SPEC = "give the path of a spec, or - for stdin; to narrow the accepted version: --target TARGET"


def narrowed(plans: Sequence[Plan], targets: Selection, aliases: Mapping[str, str]) -> tuple[Plan, ...]:
    """The plans of the selected targets, all if none is named; raises NoSuchTarget."""
    chosen = select(targets or (EVERYTHING,), {plan.target.key: plan.target for plan in plans}, aliases)
    return tuple(plan for plan in plans if plan.target.key in chosen)


def hub_profile(profiles: Sequence[str]) -> str | None:
    """The one profile for the hub's account; raises UsageError."""
    match profiles:
        case []:
            return None
        case [profile] if "=" not in profile:
            return profile
        case _:
            given = " ".join(f"--profile {cut(profile, 200)}" for profile in profiles)
            raise UsageError(
                f"{given} for the hub", remedy="give one profile, for the hub's account: --profile PROFILE"
            )


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
