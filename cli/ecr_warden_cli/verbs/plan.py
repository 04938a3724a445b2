"""`plan SPEC`, `plan --hub`: what differs, and what enforcing the spec would write."""

import argparse
from collections.abc import Sequence
from typing import Any

from ecr_warden.model.codec.plans import plan_to_json
from ecr_warden.model.desired import Mode
from ecr_warden.model.reply import PlanReply
from ecr_warden.model.request import AskPlan
from ecr_warden.planning.write_scope import ScopeGap
from ecr_warden.ports.documents import AccountUnread

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.hub import expect, made_again_lines, plan_extras, say_unread, selection_of, speak
from ecr_warden_cli.live import (
    AtHub,
    Here,
    Status,
    add_place_arguments,
    count_by_status,
    exit_of,
    place_of,
    read_live,
    status_of,
)
from ecr_warden_cli.plan_text import held_of, plan_lines, read_coverage, write_scope_lines, write_scopes_to_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print each target that is not at spec, then a count."""
    place = place_of(arguments)
    reply, fences = _read(place, context)
    statuses = _statuses(reply)
    if arguments.json:
        answer: dict[str, Any] = {
            "specVersion": reply.version,
            "mode": reply.mode,
            "plans": [plan_to_json(plan) for plan in reply.plans],
            "summary": _summary(reply, statuses),
        }
        extras = plan_extras(reply) if isinstance(place, AtHub) else {"fences": write_scopes_to_json(fences)}
        context.console.answer(answer | extras)
    else:
        _show(reply, statuses, fences, context)
    return Exit.ERROR if reply.unread else exit_of(statuses)


def _read(place: Here | AtHub, context: Context) -> tuple[PlanReply, tuple[ScopeGap | AccountUnread, ...]]:
    """The plans; and from here also whom the member stacks cover, of which the hub's reply says nothing."""
    match place:
        case Here():
            live = read_live(place, context)
            compiled = live.spec.compiled
            return PlanReply(compiled.version, compiled.mode, len(live.plans), live.plans), read_coverage(live)
        case AtHub():
            speaking = speak(place, context)
            with context.console.doing("the hub reads the accounts"):
                return expect(PlanReply, speaking.ask(AskPlan(selection_of(place)))), ()


def _statuses(reply: PlanReply) -> list[Status]:
    """How each target stands: the hub sends no plan of one that is at spec, and leaves out only such as differ."""
    told = [status_of(plan.drifts, plan.changes) for plan in reply.plans]
    left_out = [Status.DIFFERS] * reply.omitted
    return told + left_out + [Status.OK] * (reply.targets - len(told) - len(left_out))


def _summary(reply: PlanReply, statuses: list[Status]) -> dict[str, int]:
    changes = sum(len(plan.changes) for plan in reply.plans)
    held = sum(len(held_of(plan)) for plan in reply.plans)
    return count_by_status(statuses) | {"changes": changes, "held": held}


def _show(
    reply: PlanReply, statuses: list[Status], fences: Sequence[ScopeGap | AccountUnread], context: Context
) -> None:
    console, left = context.console, dict(reply.left)
    for plan, status in zip(reply.plans, statuses, strict=False):
        if status is Status.OK:
            continue
        console.line(str(plan.target), Style.BAD if status is Status.UNREADABLE else Style.HEADING)
        for line in plan_lines(plan):
            console.line(line)
        if why := left.get(str(plan.target)):
            console.line(f"  left as it is for now: {why}", Style.ODD)
        console.line()
    for line in made_again_lines(reply):
        console.line(line, Style.ODD)
    say_unread(reply.unread, context)
    if reply.omitted:
        console.line(f"and {reply.omitted} more targets that differ: name fewer targets to see them", Style.ODD)
    for line in write_scope_lines(fences, reply.plans):
        console.line(line, Style.ODD)
    summary = _summary(reply, statuses)
    if summary["changes"] and reply.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so ecr-warden reports this and writes nothing", Style.ODD)
    counts = f"{summary['ok']} ok, {summary['differs']} differ, {summary['unreadable']} unreadable"
    writes = f"{summary['changes']} to write, {summary['held']} held"
    console.line(f"{summary['targets']} targets: {counts}; {writes}", Style.HEADING)


PLAN = Verb(
    "show what differs and what enforcing the spec would write; reads only",
    "ecr-warden plan access.yaml --profile ci=ci-read --profile registry=registry-read\n"
    "  ecr-warden plan --hub 'shop/*' --hub-region eu-central-1",
    add_place_arguments,
    _run,
)
