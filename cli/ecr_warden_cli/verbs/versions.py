"""`versions`: the versions of the spec and what became of them, or the text of one."""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

from ecr_warden.core.codec.base import to_json
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
from ecr_warden_cli.hub.versions import ACCEPTED
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import name_of, read_spec, within
from ecr_warden_cli.terminal.outputs import replace_file, write_output
from ecr_warden_cli.verbs.hold import is_confirmed
from iam_access.text.printable import cut, show_time

_LIMIT = 20


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    if arguments.version is None and arguments.write is not None:
        raise UsageError(
            "--write takes the text of one version", remedy=f"name it: ecr-warden versions {ACCEPTED} --write FILE"
        )
    return _list(arguments, context) if arguments.version is None else _show(arguments, context)


def _show(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the text as it was uploaded."""
    if arguments.version != ACCEPTED:
        version, data = version_in_bucket(arguments.version, arguments, context)
    else:
        client = speak(arguments, context)
        accepted = accepted_version(client)
        if accepted is None:
            raise Failure("no version of the spec is in force", remedy="ecr-warden status says why")
        version, data = accepted.version, text_of(accepted, client.hub)
    written = arguments.write is not None and _write(data, f"version {version}", arguments, context)
    text = data.decode(errors="replace")
    if arguments.json:
        context.console.answer({"version": version, "text": text, "written": written})
    elif arguments.write is None:
        context.console.note(f"version {version}")
        context.console.block(text.rstrip("\n"))
    return Exit.FINE if arguments.write is None or written else Exit.DIFFERENT


def _write(data: bytes, name: str, arguments: argparse.Namespace, context: Context) -> bool:
    """Whether the text is in the file now; over another text it is written if a person agrees."""
    path, console = arguments.write, context.console
    before = read_spec(path, context.stdin) if Path(path).exists() else None
    if before is None:
        write_output(path, data.decode(errors="surrogateescape"))
    elif before != data:
        if not (arguments.yes or is_confirmed(f"replace {name_of(path)} by {name}?", context)):
            console.note(f"{name_of(path)} has another text, and nothing was written: answer yes, or add --yes")
            return False
        replace_file(path, before, data)
    console.note(f"{name_of(path)} {'already was' if before == data else 'is now'} {name}")
    return True


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
        fate, upload = version.lines
        console.line(fate, _STYLES.get(version.fate))
        console.line(upload)
        if version.text and version.fate in (Fate.REFUSED, Fate.HELD):
            console.line(f"  {cut(version.text, 500)}")
    if not versions:
        console.line("no version of the spec was ever uploaded")
    if log.since is not None:
        console.line(f"what became of versions before {show_time(log.since)} was not read", Style.ODD)


VERSIONS = Verb(
    "ecr-warden versions --limit 5\n  ecr-warden versions accepted > accepted.yaml",
    (
        argument(
            "version",
            metavar="VERSION",
            nargs="?",
            type=parse_version,
            help=f"print the text of this version, by its ID or its beginning, or of the one in force: {ACCEPTED}",
        ),
        argument(
            "--limit",
            metavar="N",
            type=within(1, MAX_ENTRIES),
            default=_LIMIT,
            help=f"how many are listed, the newest first (default {_LIMIT}, at most {MAX_ENTRIES})",
        ),
        argument(
            "--write", metavar="FILE", help="write the text of VERSION to a file; asks before it replaces another"
        ),
        argument("--yes", action="store_true", help="do not ask: for scripts"),
        *HUB_ARGUMENTS,
    ),
    _run,
    "Lists the versions of the spec, the newest first: who uploaded them, and what became of them. With VERSION prints "
    "the text of one, or writes it to a file.",
)
