"""`resume`: end pauses early, have what was paused reconciled, and wait for it."""

import argparse

from ecr_warden.model.reply import StatusReply
from ecr_warden.model.request import AskStatus, Resume
from ecr_warden.model.target import parse_target

from ecr_warden_cli.console import Exit, worst
from ecr_warden_cli.context import Context
from ecr_warden_cli.hub import (
    add_hub_arguments,
    add_selection,
    expect,
    new_id,
    say_unread,
    selection_of,
    speak,
)
from ecr_warden_cli.hub_runs import add_wait, wait_for

SUMMARY = "end pauses early, have the hub reconcile what was paused, and wait for it"
EXAMPLE = "ecr-warden resume shop/checkout"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser, required=True)
    add_wait(parser)
    add_hub_arguments(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Resume what is selected and paused, and show how each run ended."""
    console, speaking = context.console, speak(arguments, context)
    status = expect(StatusReply, speaking.ask(AskStatus(selection_of(arguments))))
    paused = tuple(parse_target(one.target) for one in status.targets if one.pause is not None)
    unread = Exit.ERROR if status.unread else Exit.FINE
    if not arguments.json:
        say_unread(status.unread, context)
    if not paused:
        if arguments.json:
            console.answer({"targets": [], "unread": list(status.unread)})
        else:
            console.line("nothing of it is paused")
        return unread
    reply = speaking.command(Resume(new_id(), paused))
    runs = wait_for(speaking, reply, context, arguments.wait)
    if arguments.json:
        console.answer({"unread": list(status.unread)} | runs.to_json())
        return worst(unread, runs.exit)
    runs.show(console)
    return worst(unread, runs.exit)
