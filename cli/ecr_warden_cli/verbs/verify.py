"""`verify SPEC`, `verify --hub`: whether each target's live documents match the spec."""

import argparse
from typing import Any

from ecr_warden.alerting.wording import describe_address
from ecr_warden.model.codec.values import to_json
from ecr_warden.model.drift import DriftKind
from ecr_warden.model.reply import Verified, VerifyReply
from ecr_warden.model.request import AskVerify
from ecr_warden.policy.printable import and_more

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.hub import expect, say_unread, selection_of, speak
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
from ecr_warden_cli.plan_text import unreadable_of

_STYLES = {Status.OK: Style.GOOD, Status.DIFFERS: Style.ODD, Status.UNREADABLE: Style.BAD}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per target, then the totals."""
    place = place_of(arguments)
    reply = _read(place, context)
    listed = [status_of(one.drifts) for one in reply.targets]
    # The hub omits only targets that differ; unreadable ones are always listed.
    statuses = listed + [Status.DIFFERS] * reply.omitted
    if arguments.json:
        targets = [
            {"target": one.target, "status": status, "drifts": [to_json(drift) for drift in one.drifts]}
            for one, status in zip(reply.targets, listed, strict=True)
        ]
        answer: dict[str, Any] = {
            "specVersion": reply.version,
            "targets": targets,
            "summary": count_by_status(statuses),
        }
        extras = {"omitted": reply.omitted, "unread": list(reply.unread)} if isinstance(place, AtHub) else {}
        context.console.answer(answer | extras)
    else:
        _show(reply, listed, statuses, context)
    return Exit.ERROR if reply.unread else exit_of(statuses)


def _read(place: Here | AtHub, context: Context) -> VerifyReply:
    match place:
        case Here():
            live = read_live(place, context)
            compiled = live.spec.compiled
            # Removing an expired session cut-off is a change without drift.
            plans = [plan for plan in live.plans if plan.drifts or compiled.spec_of(plan.target) is not None]
            return VerifyReply(compiled.version, tuple(Verified(str(plan.target), plan.drifts) for plan in plans))
        case AtHub():
            client = speak(place, context)
            with context.console.doing("the hub reads the accounts"):
                return expect(VerifyReply, client.ask(AskVerify(selection_of(place))))


def _show(reply: VerifyReply, listed: list[Status], statuses: list[Status], context: Context) -> None:
    console = context.console
    for one, status in zip(reply.targets, listed, strict=True):
        console.line(f"{status:<10}  {one.target}{_why(one, status)}", _STYLES[status])
    say_unread(reply.unread, context)
    if reply.omitted:
        console.line(f"{and_more(reply.omitted, 'target')} that differ; name fewer targets to see them", Style.ODD)
    counts = count_by_status(statuses)
    ok, differs, unreadable = (counts[str(status)] for status in Status)
    last = f"{counts['targets']} targets: {ok} ok, {differs} differ, {unreadable} unreadable"
    console.line(last, Style.HEADING)


def _why(one: Verified, status: Status) -> str:
    match status:
        case Status.OK:
            return ""
        case Status.DIFFERS:
            if any(drift.kind is DriftKind.TARGET_MISSING for drift in one.drifts):
                return ": it does not exist"
            return ": " + ", ".join(f"{describe_address(drift.address)} {_words(drift.kind)}" for drift in one.drifts)
        case Status.UNREADABLE:
            return ": " + "; ".join(unreadable_of(one.drifts))


def _words(kind: DriftKind) -> str:
    match kind:
        case DriftKind.PRINCIPAL_RECREATED:
            return "names a recreated user or role"
        case DriftKind.SETTLING:
            return "not yet shown by AWS"
        case _:
            return str(kind)


VERIFY = Verb(
    "check whether each target's live documents match the spec; reads only",
    "ecr-warden verify access.yaml --profile ci=ci-read --profile registry=registry-read\n"
    "  ecr-warden verify --hub --hub-region eu-central-1",
    add_place_arguments,
    _run,
)
