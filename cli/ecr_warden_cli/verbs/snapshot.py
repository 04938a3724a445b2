"""`snapshot`: everything that the questions about access need, as a file."""

import argparse
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecr_warden.core.codec.snapshot import MAX_BYTES, SCHEMA
from ecr_warden.core.target import REGION
from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.dumps import Dump, DumpUnusable, snapshot_accounts
from ecr_warden_cli.estate_input import add_source, snapshot_from, source_of
from ecr_warden_cli.inputs import load_compiled, name_of, read_file
from iam_access.inventory.printed import Json
from iam_access.text.printable import cut


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    made = _of_files(arguments, context) if arguments.files else _of_accounts(arguments, context)
    context.console.block(json.dumps(made, indent=1))
    return Exit.FINE


def _of_accounts(arguments: argparse.Namespace, context: Context) -> bytes | Json:
    source = source_of(arguments)
    spec = load_compiled(arguments.spec, context) if arguments.spec else None
    made, _ = snapshot_from(source, spec, arguments, context, with_tags=True)
    return made


def _of_files(arguments: argparse.Namespace, context: Context) -> Json:
    """A snapshot of what the AWS CLI printed into files; raises Failure."""
    if arguments.spec or arguments.hub or arguments.hub_region or arguments.profile:
        raise UsageError("--from with --spec, --hub or --profile", remedy="give the files of the AWS CLI alone")
    if len(arguments.region) > 1:
        raise UsageError("--from with several --region", remedy="give the one of the files that do not say theirs")
    region = arguments.region[0] if arguments.region else None
    if region is not None and not REGION.fullmatch(region):
        raise UsageError(f"--region {cut(region, 80)}", remedy="write it as AWS does, for example eu-central-1")
    paths = tuple(file for path in arguments.files for file in _files(path))
    dumps = context.console.progress(_dumps(paths, context), of=len(paths), doing="files read")
    accounts = snapshot_accounts(dumps, region)
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
        data = read_file(path, context.stdin, MAX_BYTES, code=DumpUnusable.code, remedy=remedy)
        if len(data) > MAX_BYTES:
            smaller = "leave AWS's own policies out of it, as docs/who-can.md does with --filter"
            raise DumpUnusable(f"{name_of(path)} has more than {MAX_BYTES} bytes", remedy=smaller)
        try:
            # A shell of Windows writes UTF-16, with the mark that says so.
            is_wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
            yield Dump(name_of(path), data.decode("utf-16" if is_wide else "utf-8-sig"))
        except UnicodeDecodeError as error:
            raise DumpUnusable(f"{name_of(path)} is not text in UTF-8", remedy=remedy) from error


def _add_snapshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="files",
        nargs="+",
        action="extend",
        default=[],
        help="what the AWS CLI printed: files, folders of them, or - for stdin; no account is read. --region then is "
        "the region of policies of which no file or path says it",
    )
    add_source(parser, files=False)


SNAPSHOT = Verb(
    "ecr-warden snapshot --spec access.yaml --profile ci=ci-read > estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json\n"
    "  ecr-warden snapshot --from dump/ > estate.json",
    _add_snapshot,
    _run_snapshot,
)
