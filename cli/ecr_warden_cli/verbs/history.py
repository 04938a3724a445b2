"""`history` and `show`: the runs that wrote or reported something, and one of them in full."""

import argparse
from collections.abc import Iterable
from datetime import datetime, timedelta

from ecr_warden.core.job import short_name
from ecr_warden.core.run import OpenRun, RunEntry, RunReport
from ecr_warden.core.target import Target, TargetError, parse_target
from ecr_warden.hub.reply import HistoryReply, RunReply
from ecr_warden.hub.request import MAX_ENTRIES, MAX_HISTORIES, AskHistory, AskRun
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.wording import describe_cause, who
from ecr_warden.state.decisions import AuditEntry, AuditKind
from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.hub import HubClient, add_hub_arguments, checked, expect, json_of, known_targets, speak
from ecr_warden_cli.inputs import before, matching, moment_or_duration, within
from ecr_warden_cli.plan_text import plan_lines
from iam_access.text.printable import and_more, listed, show_time

_LIMIT = 20
_DAYS = 7


def _add_history_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="a target as status prints it, a repository's name, or a pattern of such names ('shop/*')",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=within(1, MAX_ENTRIES),
        default=_LIMIT,
        help=f"the number of entries (default {_LIMIT}, at most {MAX_ENTRIES}); the rest is counted",
    )
    when = "a duration ago (30m, 2h, 3d), a date (its midnight in UTC) or a time with its zone (2026-11-27T18:00:00Z)"
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=moment_or_duration,
        help=f"start: {when}; default: {_DAYS} days, with TARGET the whole year that is kept",
    )
    parser.add_argument("--until", metavar="TIME", type=moment_or_duration, help=f"end: {when}; default: now")
    add_hub_arguments(parser)


def _history(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per run and per audit entry."""
    now = context.clock.now()
    since, until = _time(arguments.since, now), _time(arguments.until, now)
    if since is None and arguments.target is None:
        since = before(until or now, timedelta(days=_DAYS))
    if since is not None and since > (until or now):
        raise UsageError(
            f"--since {show_time(since)} is later than the end, {show_time(until or now)}", remedy="give an earlier one"
        )
    client = speak(arguments, context)
    targets = () if arguments.target is None else tuple(_selected(arguments.target, client))
    reply = expect(HistoryReply, client.ask(AskHistory(targets, arguments.limit, since, until)))
    if arguments.json:
        context.console.answer(json_of(reply))
    else:
        _print(reply, context.console, is_open=until is None)
    return Exit.FINE


def _time(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    return before(now, given) if isinstance(given, timedelta) else given


def _print(reply: HistoryReply, console: Console, *, is_open: bool) -> None:
    """`is_open`: whether the time that was asked about has no end but now."""
    lines: list[tuple[datetime, str]] = [(entry.started_at, _run_line(entry)) for entry in reply.entries]
    lines += [(entry.at, _audit_line(entry)) for entry in reply.audit]
    lines.sort(key=lambda line: line[0], reverse=True)
    for _, text in lines:
        for line in text.split("\n"):
            console.line(line)
    start, end = show_time(reply.since), show_time(reply.until)
    if end < start:
        console.line(f"nothing is kept of the time before {start}")
    elif not lines:
        console.line(f"nothing happened {f'since {start}' if is_open else f'between {start} and {end}'}")
    if reply.omitted:
        # The oldest line's second is shown again: further entries may share it.
        console.line(f"{and_more(reply.omitted)}; raise --limit, or see them with", Style.ODD)
        console.block(f"  --since {start} --until {show_time(lines[-1][0])}")


def _selected(text: str, client: HubClient) -> Iterable[Target]:
    """The targets that a text selects; a full name may be of a removed target. Raises Failure."""
    try:
        return [parse_target(text)]
    except TargetError:
        targets = known_targets(client, (checked(text),))
    if len(targets) > MAX_HISTORIES:
        remedy = f"select at most {MAX_HISTORIES} with a narrower pattern, or leave TARGET out to see all runs"
        raise UsageError(f"{text} selects {len(targets)} targets", remedy=remedy)
    return targets


def _run_line(entry: RunEntry) -> str:
    """Its target and its cause have a second line: a run and a repository fill one each."""
    head = f"{show_time(entry.started_at)}  {entry.run_id}  {entry.result or 'open'}, {entry.written} written"
    return f"{head}\n  {entry.target}, {describe_cause(entry.cause)}"


def _audit_line(entry: AuditEntry) -> str:
    """What it is about on the first line, as a run's; who did it, and what came of it, on the second."""
    head, targets = f"{show_time(entry.at)}  {entry.kind}", ""
    match entry.kind:
        case AuditKind.SPEC_ACCEPTED | AuditKind.SPEC_REFUSED:
            head += f"  {entry.id or '(no version)'}"
        case AuditKind.PUBLISHED:
            head += f"  {entry.text}"
        case AuditKind.HELD | AuditKind.HOLD_ENDED | AuditKind.HOLD_ACCEPTED | AuditKind.HOLD_REJECTED:
            head += f"  {entry.id}"
        case AuditKind.PAUSED | AuditKind.RESUMED:
            targets = listed(entry.targets, len(entry.targets), more=entry.omitted)
        case AuditKind.WRITES_STOPPED | AuditKind.WRITES_ENABLED:
            pass
    who = f"by {short_name(entry.by)}" if entry.by is not None else ""
    text = entry.text if entry.kind is not AuditKind.PUBLISHED else ""
    under = ": ".join(filter(None, (" ".join(filter(None, (targets, who))), text)))
    return f"{head}\n  {under}" if under else head


_run_id = matching("[A-Za-z0-9]{1,64}", "is not a run ID: they consist of letters and digits")


def _add_show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN", type=_run_id, help="the run ID, from an alert or from history")
    add_hub_arguments(parser)


def _show(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the run like its alert; with --json also its plan with the pre-images."""
    reply = expect(RunReply, speak(arguments, context).ask(AskRun(arguments.run_id)))
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
    message = message_of([report])
    console.line(message.title, Style.HEADING)
    fields = [field for field in message.fields if field.label != "See"]
    width = max(len(field.label) for field in fields) + 3
    for field in fields:
        console.line(f"{field.label + ':':<{width}}{field.text}")
    for line in message.lines:
        console.line(line)


def _show_open(run: OpenRun, console: Console) -> None:
    console.line(f"run {run.run_id} has not ended", Style.ODD)
    console.line(f"Who:    {who(run.cause)}")
    console.line(f"Where:  {run.plan.target}")
    console.line(f"Began:  {run.started_at.isoformat()}")
    for line in plan_lines(run.plan):
        console.line(line)


HISTORY = Verb(
    "ecr-warden history shop/checkout --since 2h --hub-region eu-central-1",
    _add_history_arguments,
    _history,
)
SHOW = Verb(
    "ecr-warden show 20261124T145000Z1f2e3d4c5b6a",
    _add_show_arguments,
    _show,
)
