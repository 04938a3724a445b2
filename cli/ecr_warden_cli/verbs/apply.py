"""`apply`: have the hub reconcile now what differs, and wait for it."""

import argparse

from ecr_warden.model.codec.requests import TARGETS_AT_MOST
from ecr_warden.model.desired import Mode
from ecr_warden.model.reply import PlanReply
from ecr_warden.model.request import Apply, AskPlan
from ecr_warden.model.target import parse_target

from ecr_warden_cli.console import Exit, Style, worst
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.hub import (
    add_hub_arguments,
    add_selection,
    add_wait,
    expect,
    made_again_lines,
    new_id,
    plan_extras,
    say_unread,
    selection_of,
    speak,
    wait_for,
)
from ecr_warden_cli.plan_text import plan_lines, unreadable_of


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser, required=False)
    parser.add_argument("--dry-run", action="store_true", help="show what differs, and have nothing done about it")
    add_wait(parser)
    add_hub_arguments(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Show what differs, have it reconciled, show how each run ended."""
    console, speaking = context.console, speak(arguments, context)
    with console.doing("the hub reads the accounts"):
        plan = expect(PlanReply, speaking.ask(AskPlan(selection_of(arguments))))
    due = tuple(dict.fromkeys((*(one.target for one in plan.plans), *map(parse_target, plan.made_again))))
    targets = due[:TARGETS_AT_MOST]
    left_out = plan.omitted + len(due) - len(targets)
    if not arguments.json:
        _show(plan, left_out, context)
    known = _exit_of_reading(plan, left_out)
    if not targets or plan.mode is Mode.OBSERVE or arguments.dry_run:
        if arguments.json:
            console.answer(_json_of(plan, enqueued=False))
        return worst(known, Exit.DIFFERENT if targets else Exit.FINE)
    reply = speaking.command(Apply(new_id(), targets))
    runs = wait_for(speaking, reply, context, arguments.wait)
    if arguments.json:
        console.answer(_json_of(plan, enqueued=reply.enqueued) | runs.to_json())
        return worst(known, runs.exit)
    runs.show(console)
    if unreadable := _unreadable(plan):
        count = "1 target" if len(unreadable) == 1 else f"{len(unreadable)} targets"
        console.line(f"{count} could not be read before: {', '.join(unreadable)}", Style.BAD)
    return worst(known, runs.exit)


def _exit_of_reading(plan: PlanReply, left_out: int) -> Exit:
    """What the runs cannot make good: whatever the hub could not read may hide more than their targets."""
    if plan.unread or _unreadable(plan):
        return Exit.ERROR
    return Exit.DIFFERENT if left_out else Exit.FINE


def _unreadable(plan: PlanReply) -> dict[str, tuple[str, ...]]:
    """The targets of which something could not be read, each with the reasons."""
    reasons = {str(one.target): unreadable_of(one.drifts) for one in plan.plans}
    return {target: why for target, why in reasons.items() if why}


def _show(plan: PlanReply, left_out: int, context: Context) -> None:
    console, left = context.console, dict(plan.left)
    for one in plan.plans:
        console.line(str(one.target), Style.HEADING)
        for line in plan_lines(one):
            console.line(line)
        if why := left.get(str(one.target)):
            console.line(f"  left as it is for now: {why}", Style.ODD)
    for line in made_again_lines(plan):
        console.line(line, Style.ODD)
    say_unread(plan.unread, context)
    if left_out:
        console.line(f"and {left_out} more targets that differ: apply again after this", Style.ODD)
    if plan.plans or plan.made_again:
        if plan.mode is Mode.OBSERVE:
            console.line("the spec says mode: observe, so nothing is written", Style.ODD)
    elif plan.unread:
        console.line(f"{plan.targets} targets: all that could be read are as the accepted spec says", Style.ODD)
    else:
        console.line(f"{plan.targets} targets: all as the accepted spec says", Style.GOOD)


def _json_of(plan: PlanReply, *, enqueued: bool) -> dict[str, object]:
    return {
        "specVersion": plan.version,
        "mode": plan.mode,
        "differing": [str(one.target) for one in plan.plans],
        "unreadable": [{"target": target, "reasons": list(why)} for target, why in _unreadable(plan).items()],
        **plan_extras(plan),
        "enqueued": enqueued,
    }


APPLY = Verb(
    "have the hub repair drift from the accepted spec now, and wait for it",
    "ecr-warden apply 'shop/*' --hub-region eu-central-1",
    _add_arguments,
    _run,
)
