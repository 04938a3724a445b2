"""`verify SPEC`: whether the live documents are as the spec says, target by target."""

import argparse

from ecr_warden.alerting.words import describe_address
from ecr_warden.model.codec.plans import drift_to_json
from ecr_warden.model.plan import Plan

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.live import Status, add_live_arguments, count_by_status, exit_of, read_live, status_of
from ecr_warden_cli.words import unreadable_of

SUMMARY = "say of each target whether its live documents are as the spec says; reads only"
EXAMPLE = "ecr-warden verify access.yaml --profile ci=ci-read --profile registry=registry-read"

_STYLES = {Status.OK: Style.GOOD, Status.DIFFERS: Style.ODD, Status.UNREADABLE: Style.BAD}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_live_arguments(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line a target, then a count."""
    live = read_live(arguments, context)
    # A spent session cut-off is a change without drift: the documents are as the spec says.
    plans = [plan for plan in live.plans if plan.drifts or live.spec.compiled.spec_of(plan.target) is not None]
    statuses = [status_of(plan.drifts) for plan in plans]
    counts = count_by_status(statuses)
    if arguments.json:
        targets = [
            {"target": str(plan.target), "status": status, "drifts": [drift_to_json(drift) for drift in plan.drifts]}
            for plan, status in zip(plans, statuses, strict=True)
        ]
        context.console.answer(
            {"specVersion": live.spec.compiled.version, "targets": targets, "summary": counts},
        )
        return exit_of(statuses)
    for plan, status in zip(plans, statuses, strict=True):
        context.console.line(f"{status:<10}  {plan.target}{_why(plan, status)}", _STYLES[status])
    ok, differs, unreadable = (counts[str(status)] for status in Status)
    last = f"{counts['targets']} targets: {ok} ok, {differs} differ, {unreadable} unreadable"
    context.console.line(last, Style.HEADING)
    return exit_of(statuses)


def _why(plan: Plan, status: Status) -> str:
    match status:
        case Status.OK:
            return ""
        case Status.DIFFERS:
            return ": " + ", ".join(f"{describe_address(drift.address)} {drift.kind}" for drift in plan.drifts)
        case Status.UNREADABLE:
            return ": " + "; ".join(unreadable_of(plan))
