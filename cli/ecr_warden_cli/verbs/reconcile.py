"""`reconcile`: have the hub repair drift now, and wait for it."""

import argparse

from ecr_warden.core.desired import Mode
from ecr_warden.core.target import parse_target
from ecr_warden.hub.reply import PlanReply
from ecr_warden.hub.request import AskPlan
from ecr_warden.state.commands import MAX_TARGETS, ReconcileTargets
from ecr_warden_cli.hub.client import (
    HUB_ARGUMENTS,
    WAIT,
    expect,
    new_id,
    plan_extras,
    recreated_lines,
    say_unread,
    selection_of,
    speak,
    targets_argument,
    wait_for,
)
from ecr_warden_cli.hub.plan_text import show_targets, unreadable_of
from ecr_warden_cli.terminal.console import Exit, Style, worst
from ecr_warden_cli.terminal.context import Context, Verb
from iam_access.text.printable import and_more, count


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Show what differs, have it repaired, show how each run ended."""
    console, client = context.console, speak(arguments, context)
    with console.doing("the hub reads the accounts"):
        plan = expect(PlanReply, client.ask(AskPlan(selection_of(arguments))))
    due = tuple(dict.fromkeys((*(one.target for one in plan.plans), *map(parse_target, plan.recreated))))
    targets = due[:MAX_TARGETS]
    left_out = plan.omitted + len(due) - len(targets)
    if not arguments.json:
        _show(plan, left_out, context)
    known = _exit_of_reading(plan, left_out)
    if not targets or plan.mode is Mode.OBSERVE:
        if arguments.json:
            console.answer(_json_of(plan, enqueued=False))
        return worst(known, Exit.DIFFERENT if targets else Exit.FINE)
    reply = client.command(ReconcileTargets(new_id(), targets))
    runs = wait_for(client, reply, context, arguments.wait)
    if arguments.json:
        console.answer(_json_of(plan, enqueued=reply.enqueued) | runs.to_json())
        return worst(known, runs.exit)
    runs.show(console)
    if unreadable := _unreadable(plan):
        console.line(
            f"{count(len(unreadable), 'target')} could not be read beforehand: {', '.join(unreadable)}", Style.BAD
        )
    return worst(known, runs.exit)


def _exit_of_reading(plan: PlanReply, left_out: int) -> Exit:
    """The exit code before any run: what the hub could not read may hide further drift."""
    if plan.unread or _unreadable(plan):
        return Exit.ERROR
    return Exit.DIFFERENT if left_out else Exit.FINE


def _unreadable(plan: PlanReply) -> dict[str, tuple[str, ...]]:
    """The targets that could not be read in full, with the reasons."""
    reasons = {str(one.target): unreadable_of(one.drifts) for one in plan.plans}
    return {target: why for target, why in reasons.items() if why}


def _show(plan: PlanReply, left_out: int, context: Context) -> None:
    console = context.console
    show_targets(console, plan.plans, plan.left)
    console.lines(recreated_lines(plan), Style.ODD)
    say_unread(plan.unread, context)
    if left_out:
        console.line(f"{and_more(left_out, 'target')} that differ; run reconcile again afterwards", Style.ODD)
    if plan.plans or plan.recreated:
        if plan.mode is Mode.OBSERVE:
            console.line("the spec says mode: observe, so nothing is written", Style.ODD)
    elif plan.unread:
        console.line(f"{count(plan.targets, 'target')}: all readable ones match the accepted spec", Style.ODD)
    else:
        console.line(f"{count(plan.targets, 'target')}: all match the accepted spec", Style.GOOD)


def _json_of(plan: PlanReply, *, enqueued: bool) -> dict[str, object]:
    return {
        "specVersion": plan.version,
        "mode": plan.mode,
        "differing": [str(one.target) for one in plan.plans],
        "unreadable": [{"target": target, "reasons": list(why)} for target, why in _unreadable(plan).items()],
        **plan_extras(plan),
        "enqueued": enqueued,
    }


RECONCILE = Verb(
    "ecr-warden reconcile 'shop/*' --hub-region eu-central-1",
    (
        targets_argument(required=False),
        WAIT,
        *HUB_ARGUMENTS,
    ),
    _run,
)
