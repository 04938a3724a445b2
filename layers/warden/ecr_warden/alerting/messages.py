"""From alerts to the message that people get: who, what, where, what was done, and what it would have allowed."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import assert_never

from ecr_warden.alerting.contest import describe_contest
from ecr_warden.alerting.own import describe_own_change
from ecr_warden.alerting.severity import highest, opens, severity
from ecr_warden.alerting.text import clean, first
from ecr_warden.alerting.who import describe_actor, short_name, who
from ecr_warden.alerting.words import (
    describe_address,
    describe_drift,
    describe_outcome,
    describe_result,
    describe_target,
)
from ecr_warden.model.alert import (
    Alert,
    Field,
    Message,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.drift import Drift
from ecr_warden.model.job import CauseKind
from ecr_warden.model.outcome import Failed, Result, RunReport
from ecr_warden.model.plan import HoldReason
from ecr_warden.model.severity import Severity

_TITLE, _TEXT, _LINE, _TAIL = 120, 360, 400, 220
_LINES = 40
_RUNS = 20
_LINES_OF_A_RUN = 4
_RIGHT = (Result.CONVERGED, Result.IN_SYNC)

_INTRUDER = (
    "This call came through a session of ecr-warden's own write role that ecr-warden did not open.",
    "Set the stop switch to `stopped` and find out who can assume that role.",
)


def message_of(alerts: Sequence[Alert], *, known_accounts: Collection[str] = ()) -> Message:
    """One message for one alert or for all alerts of an incident; `alerts` is not empty.

    Its text is printable and bounded, and not yet escaped. `known_accounts`: see `severity`.
    """
    level = highest([severity(alert, known_accounts=known_accounts) for alert in alerts])
    match list(alerts):
        case [SpecRefused() as refused]:
            return _of_refused(refused, level)
        case [RunReport() as report]:
            return _of_run(report, level)
        case [Unlisted() as unlisted]:
            return _of_unlisted(unlisted, level)
        case [OwnChanged() as changed]:
            return _of_own_change(changed, level)
        case [TargetsPaused() as paused]:
            return _of_paused(paused, level)
        case [TargetsResumed() as resumed]:
            return _of_resumed(resumed, level)
        case several:
            return _of_many(several, level, known_accounts)


def _of_run(report: RunReport, level: Severity) -> Message:
    fields = [
        Field("Who", who(report.cause)),
        Field("Call", report.cause.action),
        Field("Call at", report.cause.at),
        Field("Where", describe_target(report.plan.target)),
        Field("Result", describe_result(report)),
        Field("Done at", _time(report.finished_at)),
        Field("Spec", report.plan.spec_version),
        Field("Run", report.run_id),
        Field("See", _see(report)),
    ]
    lines = [*(_INTRUDER if report.intruder else ()), *describe_contest(report), *_lines_of(report)]
    return _message(level, _title(report), fields, lines)


def _see(report: RunReport) -> str:
    """The commands that help."""
    show = f"ecr-warden show {report.run_id}"
    if report.result in (Result.FAILED, Result.STILL_DRIFTED, Result.UNKNOWN):
        return f"{show}; once the cause is removed: ecr-warden apply {report.plan.target}"
    return show


def _title(report: RunReport) -> str:
    """`repository policy of shop/checkout: put right, after a call by mallory`."""
    documents = first(dict.fromkeys(describe_address(drift.address) for drift in _drifts(report)), 2)
    what = ", ".join(documents) + f" of {report.plan.target.name}" if report.plan.drifts else str(report.plan.target)
    intruder = "INTRUDER in the write role: " if report.intruder else ""
    after = f", after a call by {short_name(report.cause.actor)}" if report.cause.action else ""
    return f"{intruder}{what}: {describe_result(report)}{after}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines_of(report: RunReport) -> Iterator[str]:
    """What differed, what was done about it, and what was left."""
    if report.plan.drifts:
        yield "Found:"
        for drift in _drifts(report):
            yield from describe_drift(drift, home=_home(report))
    if report.outcomes:
        yield "Done:"
        yield from map(describe_outcome, report.outcomes)
    left = [held for held in report.plan.held if held.reason is not HoldReason.UNREADABLE]
    if left:
        yield "Left as it is:"
        yield from dict.fromkeys(held.explain for held in left)


def _home(report: RunReport) -> Collection[str]:
    return {report.plan.target.account, *report.accounts}


def _drifts(report: RunReport) -> Sequence[Drift]:
    """First what opens the target: there is room for so much, and somebody may have filled it."""
    return sorted(report.plan.drifts, key=lambda drift: drift.same_access or not opens(drift, _home(report)))


def _failures(report: RunReport) -> Iterator[str]:
    return (describe_outcome(outcome) for outcome in report.outcomes if isinstance(outcome, Failed))


def _of_refused(refused: SpecRefused, level: Severity) -> Message:
    kept = f"version {refused.enforced}" if refused.enforced else "none: nothing is enforced yet"
    count = len(refused.problems)
    fields = [
        Field(
            "Deleted by" if refused.cause.action == "s3:DeleteObject" else "Written by",
            describe_actor(refused.cause.actor),
        ),
        Field("Version", refused.version),
        Field("Still enforced", kept),
    ]
    fields.append(Field("See", "ecr-warden validate access.yaml"))
    title = f"spec refused: {count} problem{'' if count == 1 else 's'}"
    return _message(level, title, fields, list(refused.problems))


def _of_own_change(changed: OwnChanged, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(changed.cause.actor)),
        Field("Call", changed.cause.action),
        Field("Call at", changed.cause.at),
        Field("Where", f"account {changed.account}" if changed.account else "the hub"),
    ]
    title = f"ecr-warden's own {changed.thing} was changed by {short_name(changed.cause.actor)}"
    return _message(level, title, fields, list(describe_own_change(changed)))


def _of_unlisted(unlisted: Unlisted, level: Severity) -> Message:
    fields = [
        Field("Spec", unlisted.version),
        Field(
            "Meanwhile", "sweeps find nothing there that the file does not name; a reported change is looked at as ever"
        ),
        Field("See", "ecr-warden verify --hub"),
    ]
    count = len(unlisted.problems)
    where = "1 place" if count == 1 else f"{count} places"
    title = f"repositories, users or roles cannot be listed in {where}: what stands there is unknown"
    return _message(level, title, fields, list(unlisted.problems))


def _of_paused(paused: TargetsPaused, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(paused.cause.actor)),
        Field("Reason", paused.reason),
        Field("Until", _time(paused.until)),
        Field("Undo", f"ecr-warden resume {_selection(paused.targets)}"),
    ]
    title = f"{_count(len(paused.targets))} paused by {short_name(paused.cause.actor)}: watched, not written to"
    return _message(level, title, fields, list(first(paused.targets, _RUNS)))


def _of_resumed(resumed: TargetsResumed, level: Severity) -> Message:
    fields = [Field("Who", describe_actor(resumed.cause.actor)), Field("See", "ecr-warden status")]
    title = f"{_count(len(resumed.targets))} resumed by {short_name(resumed.cause.actor)}"
    return _message(level, title, fields, list(first(resumed.targets, _RUNS)))


def _selection(targets: Sequence[str]) -> str:
    return targets[0] if len(targets) == 1 else "TARGET"


def _of_many(alerts: Sequence[Alert], level: Severity, known_accounts: Collection[str]) -> Message:
    runs = [alert for alert in alerts if isinstance(alert, RunReport)]
    fields: list[Field] = []
    lines: list[str] = []
    title = ""
    for alert in alerts:
        match alert:
            case SpecAccepted():
                title = f"spec accepted, {_count(len(alert.changed))} changed by it"
                fields += [Field("Written by", describe_actor(alert.cause.actor)), Field("Version", alert.version)]
                fields += [Field("Replaces", alert.replaces)] if alert.replaces else []
                lines += _of_accepted(alert)
            case SpecRefused():
                lines += [f"spec version {alert.version} refused", *first(alert.problems, 5)]
            case RunReport():
                pass
            case OwnChanged():
                title = title or f"ecr-warden's own roles in account {alert.account} were changed"
                lines.append(f"{alert.thing}: {alert.cause.action} by {describe_actor(alert.cause.actor)}")
            case Unlisted():
                lines += alert.problems
            case TargetsPaused() | TargetsResumed():
                lines += alert.targets
            case _:
                assert_never(alert)
    if runs:
        title = f"{title}; {_summary(runs)}" if title else _summary(runs)
        causes = dict.fromkeys(who(run.cause) for run in runs if run.cause.kind is not CauseKind.SPEC)
        fields += [Field("Cause", text) for text in first(causes, 2)]
        fields.append(Field("Done at", _time(max(run.finished_at for run in runs))))
        fields.append(Field("See", "ecr-warden status; ecr-warden show RUN"))
    ordered = sorted(runs, key=lambda run: _urgency(run, known_accounts), reverse=True)
    for run in ordered[:_RUNS]:
        lines.append(f"{describe_target(run.plan.target)}: {describe_result(run)} (run {run.run_id})")
        if severity(run, known_accounts=known_accounts) is not Severity.INFO:
            # Why it failed, and what to do, before what differed: of many runs there is room for a few lines each.
            told = dict.fromkeys((*_failures(run), *_lines_of(run)))
            lines += [f"  {line}" for line in first(told, _LINES_OF_A_RUN, more="more lines")]
    if len(ordered) > _RUNS:
        lines.append(f"and {_count(len(ordered) - _RUNS)} more")
    return _message(level, title or "spec", fields, lines)


def _urgency(run: RunReport, known_accounts: Collection[str]) -> tuple[int, bool]:
    level = severity(run, known_accounts=known_accounts)
    return list(Severity).index(level), run.result not in _RIGHT


def _of_accepted(accepted: SpecAccepted) -> Iterator[str]:
    yield from (f"warning: {warning}" for warning in first(accepted.warnings, 10))
    yield from (f"released, its documents stay: {key}" for key in first(accepted.released, 10))


def _summary(runs: Sequence[RunReport]) -> str:
    """`12 targets put right, 1 could not be`."""
    right = sum(run.result in _RIGHT for run in runs)
    wrong = len(runs) - right
    words = [f"{_count(right)} put right"] if right else []
    words += [f"{_count(wrong) if not right else wrong} not (yet) right"] if wrong else []
    return ", ".join(words)


def _count(targets: int) -> str:
    return "1 target" if targets == 1 else f"{targets} targets"


def _message(level: Severity, title: str, fields: Sequence[Field], lines: Sequence[str]) -> Message:
    return Message(
        level,
        clean(title, _TITLE),
        tuple(Field(field.label, clean(field.text, _TEXT)) for field in fields if field.text),
        tuple(clean(line, _LINE, tail=_TAIL) for line in first(lines, _LINES, more="more lines")),
    )
