"""`plan`: what differs, and what enforcing the spec would write."""

import argparse
from copy import replace
from typing import Any

from msgspec import Struct

from ecr_warden.access_spec.compile import identity_providers
from ecr_warden.audit.providers import ProviderGap, trusts_of
from ecr_warden.audit.providers import gaps as provider_gaps
from ecr_warden.core.codec.values import to_json
from ecr_warden.core.desired import Mode
from ecr_warden.hub.plan import plan_spec, scope_gaps, why_observed
from ecr_warden.hub.reply import PlanReply
from ecr_warden.hub.request import AskPlan
from ecr_warden.versions.access_lines import DiffNames, lines_of
from ecr_warden_cli.asking.estate_input import estate_for
from ecr_warden_cli.editing.spec_diff import SpecDiff, diff
from ecr_warden_cli.hub.client import expect, plan_extras, recreated_lines, say_unread, selection_of, speak
from ecr_warden_cli.hub.comparison import (
    NO_SPEC,
    PLACE_ARGUMENTS,
    AtHub,
    LiveStatus,
    OfFile,
    count_by_status,
    differ,
    exit_of,
    narrowed,
    place_of,
    status_of,
)
from ecr_warden_cli.hub.plan_text import gap_to_json, held_of, show_gaps, show_targets, write_scope_lines
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Verb
from ecr_warden_cli.terminal.inputs import load_compiled
from ecr_warden_cli.verbs.diff import show_access
from iam_access.text.printable import and_more, count


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print each target that is not in sync, then the totals."""
    place = place_of(arguments)
    read = _read(place, context)
    reply = read.reply
    statuses = _statuses(reply)
    if arguments.json:
        answer: dict[str, Any] = {
            "specVersion": reply.version,
            "mode": reply.mode,
            "plans": [to_json(plan) for plan in reply.plans],
            "summary": _summary(reply, statuses),
        }
        extras = (
            {"identityProviders": list(read.needed), "providerGaps": list(map(gap_to_json, read.gaps))}
            if isinstance(place, OfFile)
            else plan_extras(reply)
        )
        context.console.answer(answer | extras | {"writeScope": to_json(reply.write_scope)})
    else:
        show_gaps(context.console, read.gaps)
        _show(reply, statuses, read.access, context)
    return Exit.ERROR if reply.unread else exit_of(statuses)


class _Read(Struct, frozen=True):
    """The plans, and where a spec is at hand the identity providers that it needs and lacks."""

    reply: PlanReply
    needed: tuple[str, ...] = ()
    gaps: tuple[ProviderGap, ...] = ()
    access: SpecDiff | None = None
    """Who gains and who loses by the whole spec."""


def _read(place: OfFile | AtHub, context: Context) -> _Read:
    match place:
        case OfFile():
            return _read_of_file(place, context)
        case AtHub():
            client = speak(place, context)
            with context.console.doing("the hub reads the accounts"):
                return _Read(expect(PlanReply, client.ask(AskPlan(selection_of(place)))))


def _read_of_file(place: OfFile, context: Context) -> _Read:
    spec = load_compiled(place.spec, context, remedy=NO_SPEC)
    live = estate_for(place, spec, context)
    every, accounts = plan_spec(spec.compiled, lambda _: live, context.clock)
    plans = narrowed(every, place.targets, context.console.aliases)
    reasons = ((str(plan.target), why_observed(spec.compiled, plan.target)) for plan in plans if plan.changes)
    reply = PlanReply(
        version=spec.compiled.version,
        mode=spec.compiled.overall_mode,
        targets=len(plans),
        plans=plans,
        left={target: why for target, why in reasons if why is not None},
        write_scope=scope_gaps(spec.compiled, every, accounts, of=[plan.target for plan in plans]),
    )
    lacking = provider_gaps(tuple(trusts_of(spec.compiled)), accounts.providers())
    access = diff(None, spec.compiled, context.clock.now(), baseline=None, live=live) if not place.targets else None
    return _Read(reply, identity_providers(spec.spec), lacking, access)


def _statuses(reply: PlanReply) -> list[LiveStatus]:
    """Each target's status. The hub sends no plan for a target in sync, and omits only targets that differ."""
    listed = [status_of(plan.drifts, plan.changes) for plan in reply.plans]
    omitted = [LiveStatus.DIFFERS] * reply.omitted
    return listed + omitted + [LiveStatus.OK] * (reply.targets - len(listed) - len(omitted))


def _summary(reply: PlanReply, statuses: list[LiveStatus]) -> dict[str, int]:
    changes = sum(len(plan.changes) for plan in reply.plans if str(plan.target) not in reply.left)
    return count_by_status(statuses) | {"changes": changes, "held": sum(len(held_of(plan)) for plan in reply.plans)}


def _show(reply: PlanReply, statuses: list[LiveStatus], access: SpecDiff | None, context: Context) -> None:
    console = context.console
    differing = (plan for plan, status in zip(reply.plans, statuses, strict=False) if status is not LiveStatus.OK)
    show_targets(console, differing, reply.left, apart=True)
    differs = any(plan.drifts for plan in reply.plans)
    if access is not None and differs:
        show_access(
            replace(access, targets={}, settings=(), endings={}),
            lines_of(access.changes, DiffNames(console.aliases)),
            console,
        )
    elif differs:
        console.line("gains and losses are of the documents above, whatever other policies give")
    console.lines(recreated_lines(reply), Style.ODD)
    say_unread(reply.unread, context)
    if reply.omitted:
        console.line(f"{and_more(reply.omitted, 'target')} that differ; name fewer targets to see them", Style.ODD)
    console.lines(write_scope_lines(reply.write_scope, writes=any(plan.changes for plan in reply.plans)), Style.ODD)
    summary = _summary(reply, statuses)
    if summary["changes"] and reply.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so ecr-warden reports this and writes nothing", Style.ODD)
    counts = f"{summary['ok']} ok, {differ(summary['differs'])}, {summary['unreadable']} unreadable"
    writes = f"{summary['changes']} to write, {summary['held']} held"
    console.line(f"{count(summary['targets'], 'target')}: {counts}; {writes}", Style.HEADING)


PLAN = Verb(
    "ecr-warden plan examples/seed/access.yaml\n  ecr-warden plan --target 'shop/*'",
    PLACE_ARGUMENTS,
    _run,
    "Shows what differs between a spec and the accounts as the hub last read them, and what would be written if the "
    "spec was in force. Without FILE that is the accepted version, for which the hub reads the accounts now.",
)
