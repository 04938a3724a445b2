"""`pause` and `resume`: have the hub write nothing to targets for a while, and end that early."""

import argparse
from datetime import timedelta

from ecr_warden.core.pause import LONGEST_PAUSE
from ecr_warden.core.selection import is_pattern
from ecr_warden.core.target import new_targets, parse_target
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden.state.commands import MAX_PATTERNS, PauseUntil, Resume
from ecr_warden_cli.hub.client import (
    HUB_ARGUMENTS,
    REASON,
    WAIT,
    expect,
    json_of,
    known_targets,
    new_id,
    say_unread,
    selection_of,
    speak,
    targets_argument,
    wait_for,
)
from ecr_warden_cli.terminal.console import Exit, Style, worst
from ecr_warden_cli.terminal.context import ArgumentGroup, Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.dates import COMING, coming, duration
from iam_access.text.printable import count, show_time

_LONGEST = f"at most {LONGEST_PAUSE.days}d"


def _duration(text: str) -> timedelta:
    given = duration(text)
    if given is None or given > LONGEST_PAUSE:
        raise argparse.ArgumentTypeError(
            f"{text!a:.40} is not a duration up to {LONGEST_PAUSE.days}d, such as 30m or 2h"
        )
    return given


def _pause(arguments: argparse.Namespace, context: Context) -> Exit:
    """Pause the selected targets, and say until when."""
    until = arguments.until(context.clock.now()) if arguments.until else context.clock.now() + arguments.duration
    if until <= context.clock.now():
        raise UsageError(f"the end {show_time(until)} has passed", remedy="give a later end, or --for 2h")
    client = speak(arguments, context)
    # Raises if any target is unknown: a partial pause would pass for a complete one.
    targets = known_targets(client, selection_of(arguments))
    patterns = _patterns(arguments)
    reply = client.command(PauseUntil(new_id(), targets, arguments.reason, until, patterns))
    if arguments.json:
        asked = {"until": until.isoformat(), "reason": arguments.reason, "patterns": list(patterns)}
        context.console.answer(json_of(reply) | asked)
        return Exit.FINE
    context.console.lines(reply.targets)
    if patterns:
        context.console.line(f"and {new_targets(patterns)} until then")
    paused = f"{count(len(reply.targets), 'target')} paused until {show_time(until)}"
    context.console.line(
        f"{paused}: watched but not written to; recorded as requested by {reply.caller}",
        Style.HEADING,
    )
    context.console.line(
        "at the next tick after that, the hub compares them with the spec; ecr-warden resume does so at once"
    )
    return Exit.FINE


def _patterns(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The selected texts that may select more tomorrow than they do now."""
    patterns = tuple(filter(is_pattern, dict.fromkeys(selection_of(arguments))))
    if len(patterns) > MAX_PATTERNS:
        raise UsageError(f"{len(patterns)} patterns, at most {MAX_PATTERNS}", remedy="give them in several commands")
    return patterns


def _resume(arguments: argparse.Namespace, context: Context) -> Exit:
    """Resume the selected targets that are paused, and show how each run ended."""
    console, client = context.console, speak(arguments, context)
    status = expect(StatusReply, client.ask(AskStatus(selection_of(arguments))))
    paused = tuple(parse_target(target.target) for target in status.targets if target.pause is not None)
    unread = Exit.ERROR if status.unread else Exit.FINE
    if not arguments.json:
        say_unread(status.unread, context)
    if not paused:
        if arguments.json:
            console.answer({"targets": [], "unread": list(status.unread)})
        else:
            console.line("none of these targets is paused")
        return unread
    runs = wait_for(client, client.command(Resume(new_id(), paused, _patterns(arguments))), context, arguments.wait)
    if arguments.json:
        console.answer({"unread": list(status.unread)} | runs.to_json())
        return worst(unread, runs.exit)
    runs.show(console)
    return worst(unread, runs.exit)


PAUSE = Verb(
    "ecr-warden pause shop/checkout --for 2h --reason 'migration, ticket 4711'",
    (
        targets_argument(required=True),
        REASON,
        ArgumentGroup(
            "",
            (
                argument("--for", dest="duration", metavar="DURATION", type=_duration, help=f"30m, 2h, 3d; {_LONGEST}"),
                argument("--until", metavar="TIME", type=coming, help=f"the end: {COMING}; {_LONGEST}"),
            ),
        ),
        *HUB_ARGUMENTS,
    ),
    _pause,
)
RESUME = Verb(
    "ecr-warden resume shop/checkout",
    (
        targets_argument(required=True),
        WAIT,
        *HUB_ARGUMENTS,
    ),
    _resume,
)
