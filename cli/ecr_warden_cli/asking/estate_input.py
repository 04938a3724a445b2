"""Where the questions about access read: the hub, a snapshot, the AWS CLI's output, or accounts."""

import argparse
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid
from ecr_warden.access_spec.accounts import REGIONS, is_name
from ecr_warden.access_spec.spec import SpecAccount
from ecr_warden.audit.repaired import Waits, as_repaired
from ecr_warden.collect.estate import Piece, Reading, policy_times
from ecr_warden.collect.observed import LiveEstate, unread_of
from ecr_warden.core.codec.accounts import joined
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.codec.compressed import decompress
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.estate import Estate
from ecr_warden.core.part import part_of_key
from ecr_warden.core.target import REGION, parse_target
from ecr_warden.hub.reply import EstateReply, StatusReply
from ecr_warden.hub.request import AskEstate, AskStatus
from ecr_warden.state.target_status import Standing
from ecr_warden_cli.asking.naming import aliases_of
from ecr_warden_cli.asking.snapshot import MAX_BYTES, SCHEMA, control_policies, estate_of, load_snapshot
from ecr_warden_cli.hub.client import HubClient, accepted_version, expect, speak, text_of, unintelligible
from ecr_warden_cli.hub.comparison import AtHub, OfFile, hub_profile, parse_profiles
from ecr_warden_cli.terminal.context import ArgumentGroup, Arguments, Context, Failure, UsageError, argument
from ecr_warden_cli.terminal.inputs import (
    DEFAULT_SPEC,
    EXAMPLE,
    HUB_PROFILE,
    HUB_REGION,
    load_bytes,
    load_compiled,
    name_of,
    read_file,
    read_json,
)
from iam_access.document.document import parse_document
from iam_access.errors import NamedError
from iam_access.inventory.accounts import ControlKind
from iam_access.inventory.inventory import Policy
from iam_access.inventory.printed import Json, SnapshotError
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut, listed, printable, show_time
from iam_access.text.strict_json import DocumentError

_OF_HUB = "what the hub has read of the accounts, and the version of the spec that it accepted"
_OF_SPEC = "a spec, or - for stdin: its accounts, unless a file has them"
_FILES = "write a snapshot with: ecr-warden snapshot --spec SPEC > FILE"


class ReadFrom(Enum):
    """Where a question is answered from."""

    HUB = auto()
    SNAPSHOT = auto()
    SPEC = auto()
    PROFILES = auto()


class OpenedEstate(Struct, frozen=True):
    """The input of a verb: the estate, the spec if there is one, and the accounts' IDs by the names that people use."""

    graph: RepositoryGraph
    spec: Valid | None
    accounts: Mapping[str, str]
    began: Mapping[str, datetime] = {}
    """When the hub began to read each part of it."""
    file: str = DEFAULT_SPEC
    """The spec's."""
    is_spec_alone: bool = False
    """No account was read."""
    hub: str = ""
    """The hub's account, where it was asked."""

    @property
    def read_at(self) -> datetime | None:
        """When the hub read the oldest of it."""
        return min(self.began.values(), default=None)

    @property
    def estate(self) -> Estate:
        return self.graph.estate

    @property
    def read(self) -> Estate:
        """What was read of the accounts: nothing for a spec alone."""
        return replace(self.estate, accounts={}) if self.is_spec_alone else self.estate

    @property
    def basis(self) -> str:
        """By what an answer holds."""
        return "by the spec" if self.is_spec_alone else "by the policies that could be read"


_CONTROL = {"--scp": ControlKind.SERVICE, "--rcp": ControlKind.RESOURCE}


def source_arguments(*, snapshots: bool = True, hub: str = _OF_HUB, spec: str = _OF_SPEC) -> Arguments:
    """Where to read; `snapshots`: whether the verb reads one; `hub`, `spec`: what it takes from these."""
    read = (
        argument("--hub", action="store_true", help=hub),
        argument("--hub-region", metavar="REGION", help=f"the hub's region; {HUB_REGION}"),
        argument("--spec", metavar="SPEC", help=spec),
        argument(
            "--profile",
            metavar="[ACCOUNT=]PROFILE",
            action="append",
            default=[],
            help="with --spec: the AWS profile for an account, by its alias or ID; once per account. Alone: the "
            "account of that profile, and what to call it. With --hub: one profile, for the hub's account; "
            f"{HUB_PROFILE}",
        ),
        argument(
            "--region",
            metavar="REGION",
            action="append",
            default=[],
            help="with profiles alone: a region to read repositories in; default: each profile's own",
        ),
    )
    return (ArgumentGroup("where to read (default: the hub)", (*read, *_WHAT_LIMITS) if snapshots else read),)


class _Example(argparse.Action):
    """Stands for --snapshot and --spec."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **settings)

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        if namespace.snapshot or namespace.spec:
            parser.error("--example with --snapshot or --spec")
        namespace.snapshot, namespace.spec = str(EXAMPLE / "estate.json"), str(EXAMPLE / "access.yaml")


_WHAT_LIMITS = (
    argument("--snapshot", metavar="FILE", help="a snapshot of the accounts, or - for stdin"),
    argument("--example", action=_Example, help="the snapshot and the spec that come with the command"),
    *(
        argument(
            option,
            metavar="[ACCOUNT=]FILE",
            action="append",
            default=[],
            help=f"the {kind.value.replace('policy', 'policies')} of an account, or of all that are read",
        )
        for option, kind in _CONTROL.items()
    ),
    argument(
        "--vpce",
        metavar="FILE",
        action="append",
        default=[],
        help="the policy of a VPC endpoint through which some requests come: it only takes away",
    ),
)
"""A snapshot, and the policies that only take away, which no account shows."""


_PLACES = {"--snapshot": ReadFrom.SNAPSHOT, "--spec": ReadFrom.SPEC}
"""Options that name a place, a file before the spec that goes with it."""


def source_of(arguments: argparse.Namespace) -> ReadFrom:
    """The place to read from; raises UsageError for options of two places, or one that has no meaning there."""
    given = [option for option in _PLACES if getattr(arguments, option.strip("-"))]
    if count_stdin(arguments) > 1:
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    if given and (arguments.hub or arguments.hub_region is not None):
        option = "--hub" if arguments.hub else "--hub-region"
        raise UsageError(f"{option} with {given[0]}", remedy="give one of them: the hub has accounts and a spec")
    if arguments.snapshot and arguments.profile:
        raise UsageError("--profile with --snapshot", remedy="leave it out: no account is read")
    of_hub = arguments.hub or arguments.hub_region is not None or not arguments.profile
    source = _PLACES[given[0]] if given else ReadFrom.HUB if of_hub else ReadFrom.PROFILES
    if arguments.region and source is not ReadFrom.PROFILES:
        raise UsageError(
            "--region without a --profile alone",
            remedy="leave it out: a snapshot, a spec and the hub have their regions",
        )
    return source


@contextmanager
def asking_hub(arguments: argparse.Namespace, context: Context) -> Iterator[HubClient]:
    """The hub; where nobody named it, an error says where else to read."""
    try:
        yield speak(AtHub((), arguments.hub_region, hub_profile(arguments.profile)), context)
    except NamedError as error:
        if not arguments.hub and arguments.hub_region is None:
            elsewhere = "to read elsewhere, name a place, such as --spec SPEC or --profile PROFILE"
            error.remedy = "; ".join(filter(None, (error.remedy, elsewhere)))
        raise


def open_estate(arguments: argparse.Namespace, context: Context) -> OpenedEstate:
    """Read the estate that the arguments name; raises Failure."""
    source = source_of(arguments)
    if source is ReadFrom.HUB:
        asked = _of_hub(arguments, context)
    else:
        spec = load_compiled(arguments.spec, context, accepted=True) if arguments.spec else None
        given, accounts = snapshot_from(source, spec, arguments, context)
        with context.console.doing("reading the policies"):
            estate = estate_from(given, arguments.snapshot, context)
        file = name_of(arguments.spec) if arguments.spec else DEFAULT_SPEC
        asked = OpenedEstate(RepositoryGraph(estate), spec, accounts, file=file)
    estate = asked.estate
    for option, kind in _CONTROL.items():
        for given_to in getattr(arguments, option.strip("-")):
            estate = _controlled(estate, given_to, option, kind, context)
    if arguments.vpce:
        estate = replace(estate, endpoints=tuple(_endpoint(path, context) for path in arguments.vpce))
    return asked if estate is asked.estate else replace(asked, graph=RepositoryGraph(estate))


def snapshot_from(
    source: ReadFrom,
    spec: Valid | None,
    arguments: argparse.Namespace,
    context: Context,
    *,
    all_tags: bool = False,
) -> tuple[bytes | Json, Mapping[str, str]]:
    """A snapshot of the accounts, and their IDs by the names that people use; raises Failure."""
    named = {} if spec is None else spec.spec.ids
    match source:
        case ReadFrom.HUB:
            with asking_hub(arguments, context) as client:
                return kept_estate(client)[0], named
        case ReadFrom.SNAPSHOT:
            return read_snapshot(arguments.snapshot, context), named
        case ReadFrom.SPEC:
            assert spec is not None
            profiles = parse_profiles(arguments.profile, spec.spec.accounts)
            return snapshot_of(spec.spec.accounts, profiles, context, all_tags=all_tags), named
        case ReadFrom.PROFILES:
            accounts, profiles = accounts_of_profiles(arguments.profile, arguments.region, context)
            read = snapshot_of(accounts, profiles, context, all_tags=all_tags)
            return read, {account.alias: account.id for account in accounts}


def accounts_of_profiles(
    given: Sequence[str], regions: Sequence[str], context: Context
) -> tuple[Sequence[SpecAccount], Mapping[str, str]]:
    """The accounts of the profiles, and the profile of each; raises Failure."""
    for region in regions:
        if not REGION.fullmatch(region):
            raise UsageError(f"--region {cut(region, 80)}", remedy="write it as AWS does, for example eu-central-1")
    names: dict[str, str] = {}
    profiles: dict[str, str] = {}
    where: dict[str, tuple[str, ...]] = {}
    for text in given:
        alias, _, profile = text.rpartition("=")
        if not profile or (alias and not is_name(alias)):
            raise UsageError(
                f"--profile {cut(text, 200)}", remedy="write ALIAS=PROFILE; an alias has letters, digits, - and _"
            )
        with context.console.doing("checking the credentials"):
            caller = context.aws().identify(profile)
        account, own_region = caller.account, caller.region
        if account in profiles:
            raise UsageError(f"two profiles of the account {account}", remedy="give one for each account")
        if not regions and own_region is None:
            raise UsageError(f"the profile {profile} has no region", remedy="give --region REGION")
        profiles[account] = profile
        where[account] = tuple(dict.fromkeys(regions)) or (str(own_region),)
        if alias in names.values():
            raise UsageError(f"the name {alias} is given twice", remedy="give each account a name of its own")
        if alias:
            names[account] = alias
    _say_regions(sorted({region for own in where.values() for region in own}), context, are_given=bool(regions))
    aliases = aliases_of(profiles, names)
    context.console.aliases.update(aliases)
    return tuple(SpecAccount(aliases[one], one, where[one]) for one in sorted(profiles)), profiles


def _say_regions(names: Sequence[str], context: Context, *, are_given: bool) -> None:
    """Say which regions are read, unless they are given, and which are not known."""
    if not are_given:
        read = ", ".join(names)
        context.console.note(f"repositories are read in {read} only, the profiles' own; to read others: --region")
    for region in names:
        if region not in REGIONS:
            meant = advice(nearest(region, sorted(REGIONS)))
            context.console.note(f"the region {region} is not known: {meant}nothing may be there")


def _of_hub(arguments: argparse.Namespace, context: Context) -> OpenedEstate:
    """The estate that the hub has read, and the version of the spec that it accepted."""
    with asking_hub(arguments, context) as client:
        spec = accepted_of_hub(client, context)
        graph, began = hub_graph(client, None if spec is None else spec.compiled, context)
        account = client.hub.account()
    return OpenedEstate(graph, spec, {} if spec is None else spec.spec.ids, began, hub=account)


def accepted_of_hub(client: HubClient, context: Context) -> Valid | None:
    """The accepted version of the spec, as the hub keeps it or else from its bucket; raises Failure."""
    kept = accepted_version(client)
    if kept is None:
        return None
    return load_bytes(text_of(kept, client.hub), "the accepted version", context, accepted=True)


def hub_graph(
    client: HubClient, accepted: CompiledSpec | None, context: Context
) -> tuple[RepositoryGraph, Mapping[str, datetime]]:
    """The estate that the hub has read last, asked for now, and when it began to read each part; raises Failure.

    What its runs wrote since then is in it, of each target that is enforced, not paused, and was seen in sync since.
    """
    kept, began, read = kept_estate(client)
    now = replace(estate_from(kept, None, context), taken_at=context.clock.now())
    if accepted is None:
        return RepositoryGraph(now), began
    in_sync = {
        target.key: one.last.at
        for one in expect(StatusReply, client.ask(AskStatus())).targets
        if one.standing is Standing.OK and one.last is not None and one.pause is None
        if accepted.mode_of(target := parse_target(one.target)) is Mode.ENFORCE
    }
    repaired = {key for key, at in in_sync.items() if at >= read.get(key, read.get(part_of_key(key), now.taken_at))}
    seen = as_repaired(now, accepted, lambda key: None if key in repaired else Waits.NOBODY)
    return RepositoryGraph(seen), began


def kept_estate(client: HubClient) -> tuple[Json, Mapping[str, datetime], Mapping[str, datetime]]:
    """The hub's own parts of the estate as a snapshot, which is as old as the oldest, and when reading each began.

    The last is that too, with the times of policies that were read by themselves, by the repository's key. Raises
    Failure.
    """
    parts = expect(EstateReply, client.ask(AskEstate())).parts
    fetched = client.console.progress(map(partial(_part, client), parts), of=len(parts), doing="parts fetched")
    found = dict(zip(parts, fetched, strict=True))
    accounts = joined({part: entry for part, (_, entry) in found.items()})
    began = {part: at for part, (at, _) in found.items()}
    read = began | {key: at for one in found.items() for key, at in policy_times(Piece(one[0], *one[1])).items()}
    taken = min(began.values(), default=None)
    return {"schema": SCHEMA, "takenAt": taken and taken.isoformat(), "accounts": accounts}, began, read


def _part(client: HubClient, part: str) -> tuple[datetime, dict[str, Any]]:
    reply = expect(EstateReply, client.ask(AskEstate(part)))
    try:
        entry = decompress(b64decode(reply.piece, validate=True))
    except (CodecError, ValueError) as error:
        raise unintelligible(f"the part {part} cannot be opened") from error
    if reply.began is None:
        raise unintelligible(f"the part {part} has no time")
    return reply.began, entry


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
        with _naming(path):
            levels = control_policies(text, kind, name)
        old = changed[name]
        is_service = kind is ControlKind.SERVICE
        changed[name] = replace(old, service_control=levels) if is_service else replace(old, resource_control=levels)
    return replace(estate, accounts=changed)


def _endpoint(path: str, context: Context) -> Policy:
    """The policy of a VPC endpoint, under the file's name; raises Failure."""
    raw = read_json(path, context.stdin, MAX_BYTES, code="snapshot-unreadable", remedy=_ENDPOINT)
    try:
        return Policy(name_of(path), parse_document(raw))
    except DocumentError as error:
        raise Failure(f"{name_of(path)}: {error.message}", code="snapshot-unreadable", remedy=error.remedy) from error


_ENDPOINT = "give the policy document of the VPC endpoint"


def count_stdin(arguments: argparse.Namespace) -> int:
    """The number of files that the arguments read from stdin."""
    files = [arguments.snapshot, arguments.spec]
    files += (path.rpartition("=")[2] for path in (*arguments.scp, *arguments.rcp, *arguments.vpce))
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
    """The bytes of a file of at most a snapshot's size; raises Failure."""
    return read_file(path, context.stdin, MAX_BYTES, code="snapshot-unreadable", remedy=remedy)


def snapshot_of(
    accounts: Sequence[SpecAccount], profiles: Mapping[str, str], context: Context, *, all_tags: bool
) -> Json:
    """A snapshot of the accounts, read with their profiles (by account ID); raises Failure."""
    parts = context.aws().read_parts(accounts, profiles, all_tags=all_tags)
    return snapshot_in(readings_in(parts, accounts, context), context)


def estate_for(place: OfFile, spec: Valid, context: Context) -> LiveEstate:
    """Everything in the accounts with which a spec is compared, and why something was not read; raises Failure."""
    if place.snapshot is not None:
        return seen_in(place.snapshot, context)
    if not place.profiles:
        try:
            return seen_by_hub(speak(place.hub, context), context)
        except NamedError as error:
            error.remedy = "; ".join(
                filter(None, (error.remedy, "to read the accounts yourself: --profile ACCOUNT=PROFILE"))
            )
            raise
    accounts = spec.spec.accounts
    parts = context.aws().read_parts(accounts, parse_profiles(place.profiles, accounts), all_tags=False)
    readings = readings_in(parts, accounts, context)
    return LiveEstate(estate_from(snapshot_in(readings, context), None, context), unread_of(readings))


def seen_in(path: str, context: Context) -> LiveEstate:
    """The accounts as a snapshot shows them; raises Failure."""
    text = read_snapshot(path, context)
    with context.console.doing("reading the policies"):
        return LiveEstate(estate_from(text, path, context))


def seen_by_hub(client: HubClient, context: Context) -> LiveEstate:
    """The accounts as the hub has read them, and a note since when; raises Failure."""
    kept, began, _ = kept_estate(client)
    note_age(min(began.values(), default=None), context)
    return LiveEstate(estate_from(kept, None, context))


def note_age(read_at: datetime | None, context: Context) -> None:
    """Say since when the hub has read what an answer rests on."""
    if read_at is not None:
        context.console.note(f"by the policies as the hub has read them since {show_time(read_at)}")


def readings_in(
    parts: Iterator[tuple[str, Reading]], accounts: Sequence[SpecAccount], context: Context
) -> Mapping[str, Reading]:
    """The readings of the accounts, by part; people see how far it is."""
    number = sum(1 + len(account.regions) for account in accounts)
    return dict(context.console.progress(parts, of=number, doing="reading accounts and registries"))


def snapshot_in(readings: Mapping[str, Reading], context: Context) -> Json:
    """A snapshot, as it would be in a file."""
    taken = context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    accounts = joined({part: reading.entry for part, reading in readings.items()})
    return {"schema": SCHEMA, "takenAt": taken, "accounts": accounts}
