"""`versions`: the versions of the spec and what became of them, or the text of one."""

import argparse
from itertools import islice
from typing import Any

from ecr_warden.core.codec.base import to_json
from ecr_warden.core.job import short_name
from ecr_warden.hub.request import MAX_ENTRIES
from ecr_warden_cli.hub.client import (
    HUB_ARGUMENTS,
    accepted_version,
    open_hub,
    parse_version,
    speak,
    text_of,
    version_in_bucket,
)
from ecr_warden_cli.hub.spec_story import Fate, Log, Story, read_log, stories
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, Verb, argument
from ecr_warden_cli.terminal.inputs import within
from iam_access.text.printable import cut, show_time

_ACCEPTED = "accepted"
"""In place of the ID of the version that is in force."""
_LIMIT = 20


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    return _list(arguments, context) if arguments.version is None else _show(arguments, context)


def _show(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the text as it was uploaded."""
    if arguments.version != _ACCEPTED:
        version, data = version_in_bucket(arguments.version, arguments, context)
    else:
        client = speak(arguments, context)
        accepted = accepted_version(client)
        if accepted is None:
            raise Failure("no version of the spec is in force", remedy="ecr-warden status says why")
        version, data = accepted.version, text_of(accepted, client.hub)
    text = data.decode(errors="replace")
    if arguments.json:
        context.console.answer({"version": version, "text": text})
        return Exit.FINE
    context.console.note(f"version {version}")
    context.console.block(text.rstrip("\n"))
    return Exit.FINE


def _list(arguments: argparse.Namespace, context: Context) -> Exit:
    """List the versions of the spec, newest first."""
    with context.console.doing("the hub and S3 are asked"):
        log = read_log(speak(arguments, context))
        uploads = list(islice(open_hub(arguments, context).uploads(), arguments.limit + 1))
    versions = list(stories(uploads[: arguments.limit], log))
    more = len(uploads) > len(versions)
    if arguments.json:
        since = None if log.since is None else show_time(log.since)
        context.console.answer({"versions": list(map(_version_to_json, versions)), "more": more, "logSince": since})
    else:
        _show_versions(versions, log, context.console)
        if more:
            context.console.line("there are older ones: raise --limit", Style.ODD)
    return Exit.FINE


def _version_to_json(story: Story) -> dict[str, Any]:
    return {
        "version": story.version,
        "uploadedAt": show_time(story.uploaded_at),
        "uploadedBy": None if story.uploaded_by is None else to_json(story.uploaded_by),
        "fate": story.fate,
        "since": None if story.since is None else show_time(story.since),
        "decidedBy": None if story.decided_by is None else to_json(story.decided_by),
        "text": story.text,
    }


_STYLES = {Fate.IN_FORCE: Style.GOOD, Fate.HELD: Style.ODD, Fate.REFUSED: Style.BAD}


def _show_versions(versions: list[Story], log: Log, console: Console) -> None:
    for version in versions:
        console.line(f"{version.version}  {_fate_of(version)}", _STYLES.get(version.fate))
        console.line(f"  {_upload_of(version)}")
        if version.text and version.fate in (Fate.REFUSED, Fate.HELD):
            console.line(f"  {cut(version.text, 500)}")
    if not versions:
        console.line("no version of the spec was ever uploaded")
    if log.since is not None:
        console.line(f"what became of versions before {show_time(log.since)} was not read", Style.ODD)


def _fate_of(story: Story) -> str:
    """`in force since 2026-11-24T10:00:00Z, by bob`."""
    word = "in force" if story.fate is Fate.IN_FORCE else story.fate
    at = "" if story.since is None else f" {'since' if story.fate is Fate.IN_FORCE else 'at'} {show_time(story.since)}"
    return f"{word}{at}" + (f", by {short_name(story.decided_by)}" if story.decided_by is not None else "")


def _upload_of(story: Story) -> str:
    """`uploaded at 2026-11-24T09:58:00Z by alice`."""
    by = "the hub does not know by whom" if story.uploaded_by is None else f"by {short_name(story.uploaded_by)}"
    return f"uploaded at {show_time(story.uploaded_at)}{', ' if story.uploaded_by is None else ' '}{by}"


VERSIONS = Verb(
    "ecr-warden versions --limit 5\n  ecr-warden versions accepted > accepted.yaml",
    (
        argument(
            "version",
            metavar="VERSION",
            nargs="?",
            type=parse_version,
            help=f"print the text of this version, by its ID or its beginning, or of the one in force: {_ACCEPTED}",
        ),
        argument(
            "--limit",
            metavar="N",
            type=within(1, MAX_ENTRIES),
            default=_LIMIT,
            help=f"how many are listed, the newest first (default {_LIMIT}, at most {MAX_ENTRIES})",
        ),
        *HUB_ARGUMENTS,
    ),
    _run,
    "Lists the versions of the spec, the newest first: who uploaded them, and what became of them. With VERSION prints "
    "the text of one.",
)
