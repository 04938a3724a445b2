"""`show RUN`: one run in full."""

import argparse
import re

from ecr_warden.alerting.messages import message_of
from ecr_warden.alerting.who import who
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.reply import RunReply
from ecr_warden.model.request import AskRun
from ecr_warden.model.run import OpenRun

from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.hub import add_hub_arguments, expect, json_of, speak
from ecr_warden_cli.words import lines_of

SUMMARY = "show what a run found, who had caused it, and what it did"
EXAMPLE = "ecr-warden show 20261124T145000Z1f2e3d4c5b6a"

_RUN = re.compile(r"[A-Za-z0-9]{1,64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN", type=_run_id, help="the run's id, from an alert or from history")
    add_hub_arguments(parser)


def _run_id(text: str) -> str:
    if not _RUN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r:.80} is no run's id: these are letters and digits")
    return text


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the run as its alert told it; with --json with its plan, pre-images included."""
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
    message = message_of([report], known_accounts=report.accounts)
    console.line(message.title, Style.HEADING)
    fields = [field for field in message.fields if field.label != "See"]
    width = max(len(field.label) for field in fields) + 1
    for field in fields:
        console.line(f"{field.label + ':':<{width}} {field.text}")
    for line in message.lines:
        console.line(line)


def _show_open(run: OpenRun, console: Console) -> None:
    console.line(f"run {run.run_id} has not ended", Style.ODD)
    console.line(f"Who:    {who(run.cause)}")
    console.line(f"Where:  {run.plan.target}")
    console.line(f"Began:  {run.started_at.isoformat()}")
    for line in lines_of(run.plan):
        console.line(line)
