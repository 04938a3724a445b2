"""`snapshot`: everything that the questions about access need, as a file."""

import argparse
import json
from base64 import b64decode
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ecr_warden.core.codec.accounts import joined
from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.codec.compressed import decompress
from ecr_warden.core.codec.snapshot import MAX_BYTES, SCHEMA
from ecr_warden.core.target import REGION
from ecr_warden.hub.reply import EstateReply
from ecr_warden.hub.request import AskEstate
from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.dumps import Dump, DumpUnusable, snapshot_accounts
from ecr_warden_cli.estate_input import snapshot_of_spec
from ecr_warden_cli.hub import HubClient, expect, speak, unintelligible
from ecr_warden_cli.inputs import load_compiled, name_of, read_file
from ecr_warden_cli.live import AtHub, Here, add_hub_or_profiles, place_of
from iam_access.inventory.printed import Json
from iam_access.text.printable import cut


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    made = _of_files(arguments, context) if arguments.files else _of_accounts(arguments, context)
    context.console.block(json.dumps(made, indent=1))
    return Exit.FINE


def _of_accounts(arguments: argparse.Namespace, context: Context) -> Json:
    if arguments.region is not None:
        raise UsageError("--region without --from", remedy="leave it out: the spec names the regions of its accounts")
    match place_of(arguments):
        case Here(spec, profiles):
            return snapshot_of_spec(load_compiled(spec, context), profiles, context, with_tags=True)
        case AtHub(targets=(target, *_)):
            raise UsageError(
                f"{target} with --hub", remedy="leave it out: the accounts of the accepted spec are written"
            )
        case AtHub() as place:
            return kept_estate(speak(place, context))


def _of_files(arguments: argparse.Namespace, context: Context) -> Json:
    """A snapshot of what the AWS CLI printed into files; raises Failure."""
    if arguments.places or arguments.hub or arguments.hub_region or arguments.profile:
        raise UsageError("--from with a SPEC, --hub or --profile", remedy="give the files of the AWS CLI alone")
    if arguments.region is not None and not REGION.fullmatch(arguments.region):
        remedy = "write it as AWS does, for example eu-central-1"
        raise UsageError(f"--region {cut(arguments.region, 80)}", remedy=remedy)
    paths = tuple(file for path in arguments.files for file in _files(path))
    dumps = context.console.progress(_dumps(paths, context), of=len(paths), doing="files read")
    accounts = snapshot_accounts(dumps, arguments.region)
    if not accounts:
        remedy = "give outputs of aws iam get-account-authorization-details, and more as in docs/who-can.md"
        raise DumpUnusable("the files have no account", remedy=remedy)
    # Files may have been copied, so none of them says when it was read: it is as old as whoever wrote them knows.
    return {"schema": SCHEMA, "accounts": accounts}


def _files(path: str) -> tuple[str, ...]:
    """A file, or all files in a folder and its folders but hidden ones, sorted."""
    if path == "-" or not Path(path).is_dir():
        return (path,)
    return tuple(
        str(one)
        for one in sorted(Path(path).rglob("*"))
        if one.is_file() and not any(part.startswith(".") for part in one.relative_to(path).parts)
    )


def _dumps(paths: Sequence[str], context: Context) -> Iterator[Dump]:
    for path in paths:
        remedy = "give files that the AWS CLI wrote, or a folder of them"
        data = read_file(path, context.stdin, MAX_BYTES, failure=DumpUnusable, remedy=remedy)
        if len(data) > MAX_BYTES:
            smaller = "leave AWS's own policies out of it, as docs/who-can.md does with --filter"
            raise DumpUnusable(f"{name_of(path)} has more than {MAX_BYTES} bytes", remedy=smaller)
        try:
            # A shell of Windows writes UTF-16, with the mark that says so.
            is_wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
            yield Dump(name_of(path), data.decode("utf-16" if is_wide else "utf-8-sig"))
        except UnicodeDecodeError as error:
            raise DumpUnusable(f"{name_of(path)} is not text in UTF-8", remedy=remedy) from error


def kept_estate(client: HubClient) -> Json:
    """The hub's own pieces of the estate as a snapshot, which is as old as the oldest of them; raises Failure."""
    parts = expect(EstateReply, client.ask(AskEstate())).parts
    pieces = client.console.progress(map(partial(_piece, client), parts), of=len(parts), doing="parts fetched")
    found = dict(zip(parts, pieces, strict=True))
    accounts = joined({part: entry for part, (_, entry) in found.items()})
    taken = min((began for began, _ in found.values()), default=None)
    return {"schema": SCHEMA, "takenAt": taken and taken.isoformat(), "accounts": accounts}


def _piece(client: HubClient, part: str) -> tuple[datetime, dict[str, Any]]:
    reply = expect(EstateReply, client.ask(AskEstate(part)))
    try:
        entry = decompress(b64decode(reply.piece, validate=True))
    except (CodecError, ValueError) as error:
        raise unintelligible(f"the piece {part} cannot be opened") from error
    if reply.began is None:
        raise unintelligible(f"the piece {part} has no time")
    return reply.began, entry


def _add_snapshot(parser: argparse.ArgumentParser) -> None:
    name = parser.prog
    parser.usage = (
        f"{name} SPEC [--profile ACCOUNT=PROFILE ...]\n"
        f"       {name} --hub [--hub-region REGION] [--profile PROFILE]\n"
        f"       {name} --from FILE ... [--region REGION]"
    )
    parser.add_argument(
        "places", metavar="SPEC", nargs="*", help="the spec, whose accounts and regions are read; - for stdin"
    )
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="files",
        nargs="+",
        action="extend",
        default=[],
        help="what the AWS CLI printed: files, folders of them, or - for stdin; no account is read",
    )
    parser.add_argument(
        "--region", metavar="REGION", help="with --from: the region of policies of which no file or path says it"
    )
    add_hub_or_profiles(parser, hub="take what the deployed hub has read of the accounts")


SNAPSHOT = Verb(
    "ecr-warden snapshot access.yaml --profile ci=ci-read > estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json\n"
    "  ecr-warden snapshot --from dump/ > estate.json",
    _add_snapshot,
    _run_snapshot,
)
