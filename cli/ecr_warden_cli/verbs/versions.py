"""`spec history` and `spec rollback`: the versions of the spec, and the return to one of them."""

import argparse
from itertools import islice
from typing import Any

from ecr_warden.core.codec.base import to_json
from ecr_warden.core.job import short_name
from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.hub import add_hub_arguments, open_hub, speak, spec_of
from ecr_warden_cli.inputs import matching, within
from ecr_warden_cli.spec_story import Fate, Log, Story, read_log, stories
from ecr_warden_cli.verbs.publish import offer
from iam_access.text.printable import cut, show_time

_LIMIT, _MOST = 20, 1000
_version = matching("[A-Za-z0-9._-]{1,1024}", "is not a version: ecr-warden spec history lists them")


def _add_history_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit",
        metavar="N",
        type=within(1, _MOST),
        default=_LIMIT,
        help=f"the number of versions (default {_LIMIT}, at most {_MOST})",
    )
    add_hub_arguments(parser)


def _history(arguments: argparse.Namespace, context: Context) -> Exit:
    """List the versions, newest first."""
    with context.console.doing("the hub and S3 are asked"):
        log = read_log(speak(arguments, context))
        uploads = list(islice(open_hub(arguments, context).uploads(), arguments.limit + 1))
    versions = list(stories(uploads[: arguments.limit], log))
    more = len(uploads) > len(versions)
    if arguments.json:
        since = None if log.since is None else show_time(log.since)
        context.console.answer({"versions": list(map(_to_json, versions)), "more": more, "logSince": since})
    else:
        _show(versions, log, context.console)
        if more:
            context.console.line("there are older ones: raise --limit", Style.ODD)
    return Exit.FINE


def _to_json(one: Story) -> dict[str, Any]:
    return {
        "version": one.version,
        "uploadedAt": show_time(one.uploaded_at),
        "uploadedBy": None if one.uploaded_by is None else to_json(one.uploaded_by),
        "fate": one.fate,
        "since": None if one.since is None else show_time(one.since),
        "decidedBy": None if one.decided_by is None else to_json(one.decided_by),
        "text": one.text,
    }


_STYLES = {Fate.IN_FORCE: Style.GOOD, Fate.HELD: Style.ODD, Fate.REFUSED: Style.BAD}


def _show(versions: list[Story], log: Log, console: Console) -> None:
    for one in versions:
        console.line(f"{one.version}  {fate_of(one)}", _STYLES.get(one.fate))
        console.line(f"  {upload_of(one)}")
        if one.text and one.fate in (Fate.REFUSED, Fate.HELD):
            console.line(f"  {cut(one.text, 500)}")
    if not versions:
        console.line("no version of the spec was ever uploaded")
    if log.since is not None:
        console.line(f"what became of versions before {show_time(log.since)} was not read", Style.ODD)


def fate_of(one: Story) -> str:
    """`in force since 2026-11-24T10:00:00Z, by bob`."""
    word = "in force" if one.fate is Fate.IN_FORCE else one.fate
    at = "" if one.since is None else f" {'since' if one.fate is Fate.IN_FORCE else 'at'} {show_time(one.since)}"
    return f"{word}{at}" + (f", by {short_name(one.decided_by)}" if one.decided_by is not None else "")


def upload_of(one: Story) -> str:
    """`uploaded at 2026-11-24T09:58:00Z by alice`."""
    by = "the hub does not know by whom" if one.uploaded_by is None else f"by {short_name(one.uploaded_by)}"
    return f"uploaded at {show_time(one.uploaded_at)}{', ' if one.uploaded_by is None else ' '}{by}"


def _add_rollback_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", metavar="VERSION", type=_version, help="the version, from spec history")
    parser.add_argument("--yes", action="store_true", help="do not ask: for scripts")
    add_hub_arguments(parser)


def _rollback(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the version, and offer its text as a new one."""
    data = spec_of(arguments.version, arguments, context)
    return offer(data, f"version {arguments.version}", arguments, context)


HISTORY = Verb(
    "ecr-warden spec history --limit 5",
    _add_history_arguments,
    _history,
)
ROLLBACK = Verb(
    "ecr-warden spec rollback 3HL4kqtJvjVBH40Nrjfkd",
    _add_rollback_arguments,
    _rollback,
    "Uploads the text of an earlier version as a new one. First it shows who gains "
    "and who loses against the accepted version, and what stays as it is.",
)
