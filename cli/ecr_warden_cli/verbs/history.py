"""`history`: the runs that wrote or told something."""

import argparse
from collections.abc import Sequence
from datetime import UTC

from ecr_warden.alerting.who import describe_cause
from ecr_warden.model.codec.requests import DAYS_AT_MOST, ENTRIES_AT_MOST
from ecr_warden.model.reply import HistoryReply, StatusReply
from ecr_warden.model.request import AskHistory, AskStatus
from ecr_warden.model.run import RunEntry
from ecr_warden.model.target import Target, TargetError, parse_target

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, Failure, UsageError
from ecr_warden_cli.hub import Speaking, add_hub_arguments, expect, json_of, speak

# Each is a question of its own.
_ASKED_AT_MOST = 20

SUMMARY = "list the latest runs that wrote or had something to tell, newest first"
EXAMPLE = "ecr-warden history repository/222222222222/eu-central-1/shop/checkout --limit 5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="?",
        help="a target as status prints it, a repository's name, or a pattern of such names ('shop/*')",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_within(1, ENTRIES_AT_MOST),
        default=20,
        help=f"at most so many (20, {ENTRIES_AT_MOST} at most)",
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=_within(0, DAYS_AT_MOST),
        default=7,
        help=f"without TARGET: of today and so many days before (7; {DAYS_AT_MOST} is the most)",
    )
    add_hub_arguments(parser)


class _within:  # noqa: N801 - argparse calls it like a function
    """A whole number in a range."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 9 and self._least <= int(text) <= self._most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number from {self._least} to {self._most}")


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line a run."""
    speaking = speak(arguments, context)
    targets: Sequence[Target | None] = [None] if arguments.target is None else _meant(arguments.target, speaking)
    runs = [
        entry
        for target in targets
        for entry in expect(HistoryReply, speaking.ask(AskHistory(target, arguments.limit, arguments.days))).entries
    ]
    runs.sort(key=lambda entry: entry.started_at, reverse=True)
    reply = HistoryReply(tuple(runs[: arguments.limit]))
    if arguments.json:
        context.console.answer(json_of(reply))
        return Exit.FINE
    for entry in reply.entries:
        context.console.line(_line(entry))
    if not reply.entries:
        context.console.line("no run had anything to tell")
    return Exit.FINE


def _meant(text: str, speaking: Speaking) -> list[Target]:
    """The targets that a text means; one in full need not be in the accepted spec any more. Raises Failure."""
    try:
        return [parse_target(text)]
    except TargetError:
        status = expect(StatusReply, speaking.ask(AskStatus((text,))))
    if status.unread:
        remedy = "name one target in full, such as repository/ACCOUNT/REGION/NAME"
        raise Failure(f"not all targets are known: {status.unread[0]}", remedy=remedy)
    if len(status.targets) > _ASKED_AT_MOST:
        remedy = f"name at most {_ASKED_AT_MOST} by a narrower pattern, or leave TARGET out for the runs of all"
        raise UsageError(f"{text} means {len(status.targets)} targets", remedy=remedy)
    return [parse_target(one.target) for one in status.targets]


def _line(entry: RunEntry) -> str:
    at = f"{entry.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    writes = f"{entry.written} written" if entry.written != 1 else "1 written "
    cause = describe_cause(entry.cause)
    return f"{at}  {entry.run_id}  {entry.result or 'open':<15}  {writes}  {entry.target}  {cause}"
