"""`history`: what happened, and one run in full."""

import argparse
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from ecr_warden.core.job import CauseKind, short_name
from ecr_warden.core.lasting import duration
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.core.target import Target, TargetError, parse_target
from ecr_warden.hub.reply import HistoryReply, RunReply
from ecr_warden.hub.request import MAX_ENTRIES, MAX_HISTORIES, AskHistory, AskRun
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import COMMAND
from ecr_warden.notify.wording import describe_cause, who
from ecr_warden.repair.run_ended import run_ended
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, HubClient, checked, expect, json_of, known_targets, speak
from ecr_warden_cli.hub.plan_text import Reasons, plan_lines
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.dates import PAST, past, past_end, shifted
from ecr_warden_cli.terminal.inputs import within
from iam_access.text.printable import and_more, listed, show_time

_LIMIT = 20
_DAYS = 7
_RUN = re.compile(r"[0-9]{8}T[0-9]{0,6}(?:(?<=T[0-9]{6})Z[0-9a-f]{0,12})?")
"""The ID of a run, or its beginning: no repository has such a name, for they are in small letters."""


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    is_run = arguments.about is not None and _RUN.fullmatch(arguments.about) is not None
    if is_run and (arguments.since is not None or arguments.until is not None):
        raise UsageError("--since or --until with one run", remedy="leave them out")
    return _show(arguments, context) if is_run else _history(arguments, context)


def _history(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per run and per entry of the history log."""
    now = context.clock.now()
    since, until = (None if one is None else one(now) for one in (arguments.since, arguments.until))
    until = until if until is not None and until < now else None
    if since is None and arguments.about is None:
        since = shifted(until or now, timedelta(days=-_DAYS))
    if since is not None and since > (until or now):
        raise UsageError(
            f"--since {show_time(since)} is later than the end, {show_time(until or now)}", remedy="give an earlier one"
        )
    client = speak(arguments, context)
    targets = () if arguments.about is None else tuple(_selected(arguments.about, client))
    reply = expect(HistoryReply, client.ask(AskHistory(targets, arguments.limit, since, until)))
    if arguments.json:
        context.console.answer(json_of(reply))
    else:
        _print(reply, context.console, is_open=until is None)
    return Exit.FINE


def _print(reply: HistoryReply, console: Console, *, is_open: bool) -> None:
    """`is_open`: whether the time that was asked about has no end but now."""
    lines: list[tuple[datetime, str]] = [(entry.started_at, _run_line(entry)) for entry in reply.entries]
    lines += [(entry.at, _entry_line(entry)) for entry in reply.log]
    lines.sort(key=lambda line: line[0], reverse=True)
    for _, text in lines:
        console.lines(text.split("\n"))
    start, end = show_time(reply.since), show_time(reply.until)
    if end < start:
        console.line(f"nothing is kept of the time before {start}")
    elif not lines:
        console.line(f"nothing happened {f'since {start}' if is_open else f'between {start} and {end}'}")
    if reply.omitted:
        # The oldest line's second is shown again: further entries may share it.
        console.line(f"{and_more(reply.omitted)}; raise --limit, or see them with", Style.ODD)
        oldest = show_time(lines[-1][0]) if lines else start
        console.block(f"  --since {start} --until {oldest}")


def _selected(text: str, client: HubClient) -> Iterable[Target]:
    """The targets that a text selects; a full name may be of a removed target. Raises Failure."""
    try:
        return [parse_target(text)]
    except TargetError:
        targets = known_targets(client, (checked(text),))
    if len(targets) > MAX_HISTORIES:
        raise UsageError(
            f"{text} selects {len(targets)} targets",
            remedy=f"select at most {MAX_HISTORIES} with a narrower pattern, or leave TARGET out to see all runs",
        )
    return targets


def _run_line(entry: RunEntry) -> str:
    """Its target and its cause have a second line: a run and a repository fill one each."""
    ended = entry.result.words if entry.result else "open"
    written = f", {entry.written} written" if entry.written else ""
    head = f"{show_time(entry.started_at)}  {entry.run_id}  {ended}{written}"
    called = entry.cause.time if entry.cause.kind is CauseKind.EVENT and entry.cause.action else None
    if entry.written and called is not None and entry.finished_at is not None:
        head += f", {duration(round((entry.finished_at - called).total_seconds()))} after the call"
    return f"{head}\n  {entry.target}, {describe_cause(entry.cause)}"


def _entry_line(entry: HistoryEntry) -> str:
    """The two lines of an entry: its subject, as a run's; who did it, and what came of it."""
    what = _KIND_WORDS.get(entry.kind, entry.kind.replace("-", " "))
    head, targets = f"{show_time(entry.at)}  {what}", ""
    match entry.kind:
        case HistoryKind.SPEC_ACCEPTED | HistoryKind.SPEC_REFUSED:
            head += f"  {entry.id or '(no version)'}"
        case HistoryKind.PUBLISHED:
            head += f"  {entry.text}"
        case HistoryKind.HELD | HistoryKind.HOLD_ENDED | HistoryKind.HOLD_ACCEPTED | HistoryKind.HOLD_REJECTED:
            head += f"  {entry.id}"
        case HistoryKind.ACKNOWLEDGED:
            head += f"  incident {entry.id}"
        case HistoryKind.PAUSED | HistoryKind.RESUMED:
            targets = listed(entry.targets, len(entry.targets), more=entry.omitted)
        case _:
            pass
    if entry.since is not None:
        head += f", after {duration(round((entry.at - entry.since).total_seconds()))}"
    text = entry.text if entry.kind is not HistoryKind.PUBLISHED else ""
    who = f"by {short_name(entry.by)}" if entry.by is not None else ""
    if who and entry.kind in (HistoryKind.FINDING, HistoryKind.FINDING_ENDED):
        who = f"found after a call {who}"  # what a call led to is not said to be the caller's deed
    elif text.endswith(who):
        who = ""
    under = ": ".join(filter(None, (" ".join(filter(None, (targets, who))), text)))
    return f"{head}\n  {under}" if under else head


_KIND_WORDS = {
    HistoryKind.PUBLISHED: "uploaded",
    HistoryKind.OWN_PART: "a part of ecr-warden was changed",
    HistoryKind.WIRE_BROKEN: "wiring is not as it should be",
    HistoryKind.WIRE_RESTORED: "wiring is as it should be again",
}


def _show(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the run like its alert; with --json also its plan with the pre-images."""
    reply = expect(RunReply, speak(arguments, context).ask(AskRun(arguments.about)))
    if arguments.json:
        context.console.answer(json_of(reply))
        return Exit.FINE
    match reply.run:
        case RunReport():
            _show_report(reply.run, context.console)
        case OpenRun():
            _show_open(reply.run, context.console)
    return Exit.FINE


def _show_report(report: RunReport, console: Console) -> None:
    message = message_of([run_ended(report)])
    console.line(message.first_line, Style.HEADING)
    fields = [field for field in message.fields if field.label != COMMAND]
    width = max(len(field.label) for field in fields) + 3
    for field in fields:
        console.line(f"{field.label + ':':<{width}}{field.text}")
    console.lines(message.lines)


def _show_open(run: OpenRun, console: Console) -> None:
    console.line(f"run {run.run_id} has not ended", Style.ODD)
    console.line(f"Who:    {who(run.cause)}")
    console.line(f"Where:  {run.plan.target}")
    console.line(f"Began:  {run.started_at.isoformat()}")
    console.lines(plan_lines(run.plan, Reasons()))


HISTORY = Verb(
    "ecr-warden history shop/checkout --since 2h --hub-region eu-central-1\n"
    "  ecr-warden history 20261124T145000Z1f2e3d4c5b6a",
    (
        argument(
            "about",
            metavar="TARGET | RUN",
            nargs="?",
            help="a target as status prints it, a repository's name, or a pattern of such names ('shop/*'); or the ID "
            "of a run, from an alert or from this list, or its beginning, which shows that run in full",
        ),
        argument(
            "--limit",
            metavar="N",
            type=within(1, MAX_ENTRIES),
            default=_LIMIT,
            help=f"the number of entries (default {_LIMIT}, at most {MAX_ENTRIES}); the rest is counted",
        ),
        argument(
            "--since",
            metavar="TIME",
            type=past,
            help=f"start: {PAST}; default: {_DAYS} days, with TARGET the whole year that is kept",
        ),
        argument("--until", metavar="TIME", type=past_end, help=f"end: {PAST}; default: now"),
        *HUB_ARGUMENTS,
    ),
    _run,
)
