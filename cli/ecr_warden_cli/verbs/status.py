"""`status`: what is wrong with the whole, in a sentence; then what the hub remembers of its targets."""

import argparse

from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden.state.target_status import Standing
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, expect, json_of, selection_of, speak, targets_argument
from ecr_warden_cli.hub.headline import headline, standings
from ecr_warden_cli.hub.status_text import show_status
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import Context, Verb


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print what is wrong, then groups of targets, then the totals; no account is read."""
    reply = expect(StatusReply, speak(arguments, context).ask(AskStatus(selection_of(arguments))))
    words = standings(reply)
    if arguments.json:
        form = json_of(reply)
        for entry in form["targets"]:
            entry["status"] = words[entry["target"]].value
        context.console.answer({"headline": headline(reply)[0], **form})
    else:
        show_status(reply, context, is_named=bool(arguments.targets))
    if Standing.UNKNOWN in words.values() or reply.unread:
        return Exit.ERROR
    return Exit.FINE if headline(reply)[1] else Exit.DIFFERENT


STATUS = Verb(
    "ecr-warden status --hub-region eu-central-1",
    (
        targets_argument(required=False),
        *HUB_ARGUMENTS,
    ),
    _run,
)
