"""From where `plan` and `verify` read: from here, a file against the accounts; or at the hub, the accepted spec."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecr_warden_cli.console import cut
from ecr_warden_cli.context import UsageError


@dataclass(frozen=True, slots=True)
class Here:
    """A file against the accounts, with a person's own credentials; `profiles` as `ACCOUNT=PROFILE`."""

    spec: str
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AtHub:
    """Targets of the accepted spec, read by the hub; the fields are those that the verbs of the hub have."""

    targets: tuple[str, ...]
    hub_region: str | None
    profile: str | None


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare SPEC and its --profile, and --hub with what the verbs of the hub have."""
    name = parser.prog
    parser.usage = (
        f"{name} SPEC [--profile ACCOUNT=PROFILE ...] [--json]\n"
        f"       {name} --hub [TARGET ...] [--hub-region REGION] [--profile PROFILE] [--json]"
    )
    parser.add_argument(
        "places",
        metavar="SPEC | TARGET",
        nargs="*",
        help="the desired-state file (YAML or JSON), or - for stdin; with --hub targets as of status, all if left out",
    )
    parser.add_argument(
        "--hub", action="store_true", help="have the deployed hub read, and compare with the accepted spec"
    )
    parser.add_argument("--hub-region", metavar="REGION", help="with --hub: its region; the profile's if left out")
    parser.add_argument(
        "--profile",
        metavar="[ACCOUNT=]PROFILE",
        action="append",
        default=[],
        help="the AWS profile to read an account with, by its alias in the spec or its 12 digits; once an account. "
        "Without one the default credentials are used if they are of that account. With --hub: one, of the hub's "
        "account",
    )


def place_of(arguments: argparse.Namespace) -> Here | AtHub:
    """Where the arguments say to read; raises UsageError for those of the other place."""
    places: Sequence[str] = arguments.places
    if arguments.hub:
        if files := [place for place in places if _is_file(place)]:
            remedy = "leave it out, for --hub compares with the accepted spec; or leave --hub out to read this file"
            raise UsageError(f"--hub takes targets, and {files[0]} is a file", remedy=remedy)
        return AtHub(tuple(places), arguments.hub_region, _hub_profile(arguments.profile))
    if arguments.hub_region is not None:
        remedy = "add --hub to ask the hub, or leave it out to read from here"
        raise UsageError("--hub-region without --hub", remedy=remedy)
    match places:
        case [spec]:
            return Here(spec, tuple(arguments.profile))
        case []:
            remedy = f"give the desired-state file, or --hub for the accepted one; see {arguments.prog} --help"
            raise UsageError("no SPEC is given", remedy=remedy)
        case _:
            remedy = f"give one file, or --hub before targets; see {arguments.prog} --help"
            raise UsageError(f"{len(places)} files, {', '.join(places)}", remedy=remedy)


def _is_file(place: str) -> bool:
    """Whether it is a spec and no target: a repository may be named like one."""
    return place == "-" or (place.lower().endswith((".yaml", ".yml", ".json")) and Path(place).is_file())


def _hub_profile(profiles: Sequence[str]) -> str | None:
    match profiles:
        case []:
            return None
        case [profile] if "=" not in profile:
            return profile
        case _:
            given = " ".join(f"--profile {cut(profile, 200)}" for profile in profiles)
            raise UsageError(f"{given} with --hub", remedy="give one profile, of the hub's account: --profile PROFILE")
