"""`plan SPEC`: what differs, and what enforcing the spec would write."""

import argparse

from ecr_warden.model.codec.plans import plan_to_json
from ecr_warden.model.desired import Mode

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.live import Live, Status, add_live_arguments, count_by_status, exit_of, read_live, status_of
from ecr_warden_cli.words import held_of, lines_of

SUMMARY = "show what differs and what enforcing the spec would write; reads only"
EXAMPLE = "ecr-warden plan access.yaml --profile ci=ci-read --profile registry=registry-read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_live_arguments(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print each target that is not at spec, then a count."""
    live = read_live(arguments, context)
    statuses = [status_of(plan.drifts, plan.changes) for plan in live.plans]
    if arguments.json:
        context.console.answer(
            {
                "specVersion": live.spec.compiled.version,
                "mode": live.spec.compiled.mode,
                "plans": [plan_to_json(plan) for plan in live.plans],
                "summary": _summary(live, statuses),
            }
        )
    else:
        _show(live, statuses, context)
    return exit_of(statuses)


def _summary(live: Live, statuses: list[Status]) -> dict[str, int]:
    changes = sum(len(plan.changes) for plan in live.plans)
    held = sum(len(held_of(plan)) for plan in live.plans)
    return count_by_status(statuses) | {"changes": changes, "held": held}


def _show(live: Live, statuses: list[Status], context: Context) -> None:
    console = context.console
    for plan, status in zip(live.plans, statuses, strict=True):
        if status is Status.OK:
            continue
        console.line(str(plan.target), Style.BAD if status is Status.UNREADABLE else Style.HEADING)
        for line in lines_of(plan):
            console.line(line)
        console.line()
    summary = _summary(live, statuses)
    if summary["changes"] and live.spec.compiled.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so ecr-warden reports this and writes nothing", Style.ODD)
    counts = f"{summary['ok']} ok, {summary['differs']} differ, {summary['unreadable']} unreadable"
    writes = f"{summary['changes']} to write, {summary['held']} held"
    console.line(f"{summary['targets']} targets: {counts}; {writes}", Style.HEADING)
