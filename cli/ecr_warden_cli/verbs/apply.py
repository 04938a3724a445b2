"""`apply`: have the hub reconcile now what differs, and wait for it."""

import argparse

from ecr_warden.model.desired import Mode
from ecr_warden.model.reply import PlanReply
from ecr_warden.model.request import Apply, AskPlan

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.hub import (
    add_hub_arguments,
    add_selection,
    add_wait,
    exit_of_runs,
    expect,
    new_id,
    runs_to_json,
    say_unread,
    selection_of,
    show_runs,
    speak,
    wait_for,
)
from ecr_warden_cli.words import lines_of

SUMMARY = "have the hub put right now what differs from the accepted spec, and wait for it"
EXAMPLE = "ecr-warden apply 'shop/*' --hub-region eu-central-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser, required=False)
    parser.add_argument("--dry-run", action="store_true", help="show what differs, and have nothing done about it")
    add_wait(parser)
    add_hub_arguments(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Show what differs, have it reconciled, show how each run ended."""
    console, speaking = context.console, speak(arguments, context)
    with console.doing("the hub reads the accounts"):
        plan = expect(PlanReply, speaking.ask(AskPlan(selection_of(arguments))))
    if not arguments.json:
        _show(plan, context)
    unread = Exit.ERROR if plan.unread else Exit.FINE
    if not plan.plans or plan.mode is Mode.OBSERVE or arguments.dry_run:
        if arguments.json:
            console.answer(_json_of(plan, enqueued=False))
        differing = bool(plan.plans)
        return unread or (Exit.DIFFERENT if differing else Exit.FINE)
    reply = speaking.command(Apply(new_id(), tuple(one.target for one in plan.plans)))
    answers, missing = wait_for(speaking, reply, context, arguments.wait)
    if arguments.json:
        console.answer(_json_of(plan, enqueued=reply.enqueued) | runs_to_json(reply, answers, missing))
        return unread or exit_of_runs(answers, missing)
    return show_runs(answers, missing, context) or unread


def _show(plan: PlanReply, context: Context) -> None:
    console = context.console
    for one in plan.plans:
        console.line(str(one.target), Style.HEADING)
        for line in lines_of(one):
            console.line(line)
    say_unread(plan.unread, context)
    if plan.omitted:
        console.line(f"and {plan.omitted} more targets that differ: apply again after this", Style.ODD)
    if not plan.plans:
        console.line(f"{plan.targets} targets: all as the accepted spec says", Style.GOOD)
    elif plan.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so nothing is written", Style.ODD)


def _json_of(plan: PlanReply, *, enqueued: bool) -> dict[str, object]:
    return {
        "specVersion": plan.version,
        "mode": plan.mode,
        "differing": [str(one.target) for one in plan.plans],
        "omitted": plan.omitted,
        "unread": list(plan.unread),
        "enqueued": enqueued,
    }
