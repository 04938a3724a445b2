"""`grants`: who the accepted spec lets in."""

import argparse

from ecr_warden.model.reply import Grant, GrantsReply
from ecr_warden.model.request import AskGrants

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.hub import add_hub_arguments, expect, json_of, speak
from ecr_warden_cli.times import shown

SUMMARY = "list who may pull and push by the accepted spec"
EXAMPLE = "ecr-warden grants --hub-region eu-central-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_hub_arguments(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line a grant, by repository; no account is read."""
    console = context.console
    reply = expect(GrantsReply, speak(arguments, context).ask(AskGrants()))
    if arguments.json:
        console.answer(json_of(reply))
        return Exit.FINE
    heading = ""
    for grant in reply.grants:
        if grant.repository != heading:
            heading = grant.repository
            console.line(heading + (f" (but {', '.join(grant.excluded)})" if grant.excluded else ""), Style.HEADING)
        console.line(f"  {_line(grant)}")
    if reply.literals:
        console.line("kept as they stand, so whom they let in is not listed above:", Style.ODD)
        for address in reply.literals:
            console.line(f"  {address}")
    console.line(f"{len(reply.grants)} grants; spec {reply.version}", Style.HEADING)
    return Exit.FINE


def _line(grant: Grant) -> str:
    through = f" through {grant.through}" if grant.through else ""
    until = f" until {shown(grant.until)}" if grant.until else ""
    return f"{grant.access}  {grant.who}{through}{until}"
