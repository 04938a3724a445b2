"""`check`: whether each target is as the spec says, and whether anybody else has access."""

import argparse
from copy import replace
from typing import Any

from ecr_warden.audit.finding import Condition, ConditionStatus
from ecr_warden.audit.health import AuditedAccess, Involved
from ecr_warden.core.codec.values import to_json
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.hub.plan import plan_spec
from ecr_warden.hub.reply import Checked, CheckReply
from ecr_warden.hub.request import AskCheck
from ecr_warden.hub.status import access_of
from ecr_warden.notify.wording import describe_address
from ecr_warden_cli.asking.estate_input import estate_for
from ecr_warden_cli.hub.client import expect, say_unread, selection_of, speak
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
from ecr_warden_cli.hub.findings_text import show_access
from ecr_warden_cli.hub.plan_text import Reasons, unreadable_of
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Verb
from ecr_warden_cli.terminal.inputs import load_compiled
from iam_access.text.printable import and_more, count

_STYLES = {
    LiveStatus.OK: Style.GOOD,
    LiveStatus.DIFFERS: Style.ODD,
    LiveStatus.UNREADABLE: Style.BAD,
    LiveStatus.UNPROVED: Style.BAD,
}
_MOST_URGENT_FIRST = (LiveStatus.DIFFERS, LiveStatus.UNREADABLE, LiveStatus.UNPROVED, LiveStatus.OK)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per target, the most urgent first, who has access besides, and the totals."""
    place = place_of(arguments)
    reply = _read(place, context)
    ranked = sorted(reply.targets, key=lambda checked: _MOST_URGENT_FIRST.index(_status_of(checked)))
    reply = replace(reply, targets=tuple(ranked))
    listed = [_status_of(target) for target in reply.targets]
    # The hub omits only targets that differ; unreadable ones are always listed.
    statuses = listed + [LiveStatus.DIFFERS] * reply.omitted
    if arguments.json:
        targets = [
            {
                "target": checked.target,
                "status": status,
                "drifts": [to_json(drift) for drift in checked.drifts],
                "audited": to_json(checked.audited),
            }
            for checked, status in zip(reply.targets, listed, strict=True)
        ]
        answer: dict[str, Any] = {
            "specVersion": reply.version,
            "targets": targets,
            "summary": count_by_status(statuses, tuple(LiveStatus)),
            "access": to_json(reply.access),
        }
        extras = {"omitted": reply.omitted, "unread": list(reply.unread)} if isinstance(place, AtHub) else {}
        context.console.answer(answer | extras)
    else:
        _show(reply, listed, statuses, context)
    return Exit.ERROR if reply.unread else exit_of(statuses)


def _read(place: OfFile | AtHub, context: Context) -> CheckReply:
    match place:
        case OfFile():
            spec = load_compiled(place.spec, context, remedy=NO_SPEC)
            live, compiled = estate_for(place, spec, context), spec.compiled
            every, _ = plan_spec(compiled, lambda _: live, context.clock)
            audited = _audit(live.estate, compiled, context)
            # Removing an expired session cut-off is a change without drift.
            plans = [
                plan
                for plan in narrowed(every, place.targets, context.console.aliases)
                if plan.drifts or compiled.spec_of(plan.target) is not None
            ]
            targets = tuple(Checked(str(plan.target), plan.drifts, _audited_of(plan.target, audited)) for plan in plans)
            return CheckReply(compiled.version, targets, access=access_of(audited.record, compiled))
        case AtHub():
            client = speak(place, context)
            with context.console.doing("the hub reads the accounts"):
                return expect(CheckReply, client.ask(AskCheck(selection_of(place))))


def _audit(estate: Estate, compiled: CompiledSpec, context: Context) -> AuditedAccess:
    """Who has access now, against the spec."""
    from ecr_warden_cli.asking.local_audit import local_audit  # noqa: PLC0415 - the hub audits by itself

    now = context.clock.now()
    with context.console.doing("finding out who can pull and push"):
        record = local_audit(estate, compiled, now)
    return AuditedAccess(Involved(compiled), record, now)


def _audited_of(target: Target, audited: AuditedAccess) -> Condition | None:
    """Of a repository of the spec."""
    is_of_spec = isinstance(target, RepositoryTarget) and audited.accepted.spec_of(target) is not None
    return audited.of(target) if is_of_spec and isinstance(target, RepositoryTarget) else None


def _status_of(checked: Checked) -> LiveStatus:
    """A repository is ok only if its documents are as the spec says, and nobody else has access."""
    status = status_of(checked.drifts)
    return status if status is not LiveStatus.OK or checked.audited is None else _BY_AUDIT[checked.audited.status]


_BY_AUDIT = {
    ConditionStatus.TRUE: LiveStatus.OK,
    ConditionStatus.FALSE: LiveStatus.DIFFERS,
    ConditionStatus.UNKNOWN: LiveStatus.UNPROVED,
}


def _show(reply: CheckReply, listed: list[LiveStatus], statuses: list[LiveStatus], context: Context) -> None:
    console, reasons = context.console, Reasons()
    for checked, status in zip(reply.targets, listed, strict=True):
        console.line(f"{status:<10}  {checked.target}{_why(checked, status, reasons)}", _STYLES[status])
    say_unread(reply.unread, context)
    if reply.omitted:
        console.line(f"{and_more(reply.omitted, 'target')} that differ; name fewer targets to see them", Style.ODD)
    show_access(reply.access, context, whole="--json")
    counts = count_by_status(statuses, tuple(LiveStatus))
    ok, differs, unreadable, unproved = (counts[str(status)] for status in LiveStatus)
    last = f"{count(counts['targets'], 'target')}: {ok} ok, {differ(differs)}, {unreadable} unreadable"
    last += f", {unproved} unaudited" if unproved else ""
    console.line(last, Style.HEADING)


def _why(checked: Checked, status: LiveStatus, reasons: Reasons) -> str:
    match status:
        case LiveStatus.OK:
            return ""
        case LiveStatus.DIFFERS if not checked.drifts and checked.audited is not None:
            return f": {checked.audited.message}"
        case LiveStatus.UNPROVED:
            return f": who has access is unknown: {checked.audited.message}" if checked.audited is not None else ""
        case LiveStatus.DIFFERS:
            if any(drift.kind is DriftKind.TARGET_MISSING for drift in checked.drifts):
                return ": it does not exist"
            return ": " + ", ".join(
                f"{describe_address(drift.address)} {_WORDS.get(drift.kind, drift.kind)}" for drift in checked.drifts
            )
        case LiveStatus.UNREADABLE:
            return ": " + "; ".join(reasons.of(one, checked.target) for one in unreadable_of(checked.drifts))


_WORDS = {
    DriftKind.PRINCIPAL_RECREATED: "names a recreated user or role",
    DriftKind.SETTLING: "not yet shown by AWS",
}
"""Of the kinds of drift whose own name does not say it."""


CHECK = Verb(
    "ecr-warden check\n  ecr-warden check examples/seed/access.yaml --target 'shop/*'",
    PLACE_ARGUMENTS,
    _run,
    "Says of each target whether it is as a spec says in the accounts as the hub last read them, and who else has "
    "access. Without FILE that is the accepted version, for which the hub reads the accounts now.",
)
