"""From alerts to the message that people get: what happened, by whom, whether it is over, and what it meant."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import assert_never

from ecr_warden.alerting.contest import describe_contest, who_wrote
from ecr_warden.alerting.failed_jobs import describe_failed_job, title_of_failed_jobs
from ecr_warden.alerting.layout import Entry, Listing, count, lay_out, listing
from ecr_warden.alerting.own import describe_own_change
from ecr_warden.alerting.severity import highest, is_outside, opens, severity
from ecr_warden.alerting.text import FIELDS, LINE, LINES, TEXT, TITLE, clean, first
from ecr_warden.alerting.titles import name_of, state_of, title_of
from ecr_warden.alerting.who import describe_actor, describe_cause, short_name, uploader, who
from ecr_warden.alerting.words import (
    describe_drift,
    describe_outcome,
    describe_result,
    describe_target,
    is_roll_out,
    parse_time,
    show_time,
    telling_of,
)
from ecr_warden.model.alert import (
    Alert,
    Field,
    JobFailed,
    Message,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.model.outcome import Failed, Result, RunReport
from ecr_warden.model.plan import HoldReason
from ecr_warden.model.severity import Severity

_CALLERS, _RUN_IDS = 3, 6
# A target that somebody drives from the spec so often within one incident is fought over.
FIGHT = 3
_RIGHT = (Result.CONVERGED, Result.IN_SYNC)

_UNLISTED = "repositories, users or roles cannot be listed"
_INTRUDER = (
    "This call came through a session of ecr-warden's own write role that ecr-warden did not open.",
    "Set the stop switch to `stopped` and find out who can assume that role.",
)


def message_of(alerts: Sequence[Alert], *, known_accounts: Collection[str] = (), is_follow_up: bool = False) -> Message:
    """One message for one alert or for all alerts of an incident; `alerts` is not empty.

    Its text is printable and bounded, and not yet escaped. `known_accounts`: see `severity`. `is_follow_up`: people
    were told of the first of this incident by itself.
    """
    level = highest([severity(alert, known_accounts=known_accounts) for alert in alerts])
    match list(alerts):
        case [RunReport() as report]:
            return _of_run(report, level)
        case [SpecRefused() as refused]:
            return _of_refused(refused, level)
        case [Unlisted() as unlisted]:
            return _of_unlisted(unlisted, level)
        case [OwnChanged() as changed]:
            return _of_own_change(changed, level)
        case [TargetsPaused() as paused]:
            return _of_paused(paused, level)
        case [TargetsResumed() as resumed]:
            return _of_resumed(resumed, level)
        case [JobFailed(), *_]:
            return _of_failed_jobs([alert for alert in alerts if isinstance(alert, JobFailed)], level)
        case several:
            return _of_many(several, level, known_accounts, is_follow_up)


def plain_message(alerts: Sequence[Alert], error: str) -> Message:
    """What is left to say of alerts for which `message_of` failed with `error`: what they are about."""
    fields = [Field("See", "ecr-warden history; ecr-warden show RUN")]
    lines = [
        f"{alert.plan.target}: {alert.result} (run {alert.run_id})"
        if isinstance(alert, RunReport)
        else type(alert).__name__
        for alert in alerts
    ]
    title = f"{count(len(alerts), 'alert')} that ecr-warden failed to describe ({error})"
    return _message(Severity.CRITICAL, title, fields, [listing("alert", lines)])


def _of_run(report: RunReport, level: Severity) -> Message:
    drifts = _drifts(report)
    fields = [
        _who(report.cause),
        *_call(report.cause),
        Field("Where", describe_target(report.plan.target)),
        Field("Result", describe_result(report)),
        Field("Done at", show_time(report.finished_at)),
        Field("Spec", report.plan.spec_version),
        Field("Run", report.run_id),
        Field("See", _see(report, drifts)),
    ]
    notes = [*(_INTRUDER if report.intruder else ()), *describe_contest(report)]
    return _message(level, title_of(report, drifts), fields, [listing("note", notes), *_sections(report)])


def _who(cause: Cause) -> Field:
    return Field("Who" if cause.kind is CauseKind.EVENT else "Cause", who(cause))


def _call(cause: Cause) -> Iterator[Field]:
    if cause.kind is CauseKind.EVENT and cause.action:
        yield Field("Call", cause.action)
        at = parse_time(cause.at)
        yield Field("Call at", show_time(at) if at is not None else "")


def _see(report: RunReport, drifts: Sequence[Drift]) -> str:
    """The commands that help."""
    commands = [f"ecr-warden show {report.run_id}"]
    if report.result in (Result.FAILED, Result.STILL_DRIFTED, Result.UNKNOWN):
        commands.append(f"once the cause is removed: ecr-warden apply {report.plan.target}")
    nobody_known = report.cause.actor is None and not is_roll_out(report) and not report.contested
    if nobody_known and drifts and drifts[0].kind in _WRITTEN:
        commands.append(f"who did it: {who_wrote(drifts[0].address)}")
    return "; ".join(commands)


_WRITTEN = (DriftKind.CHANGED, DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE)


def _sections(report: RunReport) -> list[Listing]:
    """What differed, what was done about it, and what was left."""
    home = _home(report)
    found = tuple(describe_drift(drift, telling_of(report, drift), home=home) for drift in _drifts(report))
    left = [held for held in report.plan.held if held.reason is not HoldReason.UNREADABLE]
    return [
        Listing("difference", found, "Found:"),
        Listing("outcome", tuple(map(describe_outcome, report.outcomes)), "Done:"),
        listing("reason", list(dict.fromkeys(held.explain for held in left)), title="Left as it is:"),
    ]


def _home(report: RunReport) -> Collection[str]:
    return {report.plan.target.account, *report.accounts}


def _drifts(report: RunReport) -> Sequence[Drift]:
    """First what lets in somebody from outside, then what opens the target otherwise.

    There is room for so much, and somebody may have filled it.
    """
    home = _home(report)

    def rank(drift: Drift) -> int:
        if drift.same_access or not opens(drift, home):
            return 2
        return 0 if any(is_outside(permission, home) for permission in drift.gained) else 1

    return sorted(report.plan.drifts, key=rank)


def _of_refused(refused: SpecRefused, level: Severity) -> Message:
    kept = f"version {refused.enforced}" if refused.enforced else "none: nothing is enforced yet"
    deleted = refused.cause.action == "s3:DeleteObject"
    fields = [
        Field("Deleted by" if deleted else "Uploaded by", uploader(refused.cause.actor)),
        Field("Version", refused.version),
        Field("Still enforced", kept),
        Field("See", "ecr-warden validate access.yaml"),
    ]
    problems = listing("problem", refused.problems, rest=refused.left_out)
    title = f"spec refused: {count(len(refused.problems) + refused.left_out, 'problem')}"
    return _message(level, title, fields, [problems])


def _of_own_change(changed: OwnChanged, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(changed.cause.actor)),
        *_call(changed.cause),
        Field("Where", f"account {changed.account}" if changed.account else "the hub"),
    ]
    title = f"ecr-warden's own {changed.thing} was changed by {short_name(changed.cause.actor)}"
    return _message(level, title, fields, [listing("line", list(describe_own_change(changed)))])


def _of_unlisted(unlisted: Unlisted, level: Severity) -> Message:
    fields = [
        Field("Spec", unlisted.version),
        Field(
            "Meanwhile",
            "sweeps find nothing there that the spec does not name; an event of a change is acted on as ever",
        ),
        Field("See", "ecr-warden verify --hub"),
    ]
    places = count(len(unlisted.problems) + unlisted.left_out, "place")
    title = f"{_UNLISTED} in {places}: what stands there is unknown"
    return _message(level, title, fields, [listing("place", unlisted.problems, rest=unlisted.left_out)])


def _of_paused(paused: TargetsPaused, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(paused.cause.actor)),
        Field("Reason", paused.reason),
        Field("Until", show_time(paused.until)),
        Field("Undo", f"ecr-warden resume {paused.targets[0] if len(paused.targets) == 1 else 'TARGET'}"),
    ]
    targets = _targets(len(paused.targets) + paused.left_out)
    title = f"{targets} paused by {short_name(paused.cause.actor)}: watched, not written to"
    return _message(level, title, fields, [listing("target", paused.targets, rest=paused.left_out)])


def _of_resumed(resumed: TargetsResumed, level: Severity) -> Message:
    fields = [Field("Who", describe_actor(resumed.cause.actor)), Field("See", "ecr-warden status")]
    title = f"{_targets(len(resumed.targets) + resumed.left_out)} resumed by {short_name(resumed.cause.actor)}"
    return _message(level, title, fields, [listing("target", resumed.targets, rest=resumed.left_out)])


def _of_failed_jobs(failed: Sequence[JobFailed], level: Severity) -> Message:
    fields = [
        Field("Why", "see the log of ecr-warden-reconcile: `failed`, `Task timed out`, or memory used up"),
        Field(
            "Kept", "in the queue ecr-warden-jobs-dlq.fifo; docs/deploy.md, Dead letters, says how to run them again"
        ),
        Field("See", "ecr-warden status"),
    ]
    lines = dict.fromkeys(line for job in failed for line in describe_failed_job(job))
    return _message(level, title_of_failed_jobs(failed), fields, [listing("job", list(lines))])


def _of_many(alerts: Sequence[Alert], level: Severity, known_accounts: Collection[str], is_follow_up: bool) -> Message:
    """The alerts of one incident: each kind in a section of its own."""
    runs = [alert for alert in alerts if isinstance(alert, RunReport)]
    titles: list[str] = []
    fields: list[Field] = []
    sections: list[Listing] = []
    for alert in alerts:
        match alert:
            case SpecAccepted():
                changed = len(alert.changed) + alert.left_out[0]
                titles.append(f"spec accepted, {_targets(changed)} changed by it")
                fields += [Field("Uploaded by", uploader(alert.cause.actor)), Field("Version", alert.version)]
                fields += [Field("Replaces", alert.replaces)] if alert.replaces else []
                sections += _of_accepted(alert)
            case RunReport() | JobFailed():
                pass  # runs come together below, and failed jobs are gathered with no other kind
            case SpecRefused():
                title = f"spec version {alert.version} refused"
                sections.append(listing("problem", alert.problems, title=f"{title}:", rest=alert.left_out))
            case OwnChanged():
                title = f"ecr-warden's own roles in account {alert.account} were changed"
                titles += [title] if title not in titles else []
                sections.append(
                    listing("change", [f"{alert.thing}: {alert.cause.action} by {describe_actor(alert.cause.actor)}"])
                )
            case Unlisted():
                titles += [_UNLISTED] if _UNLISTED not in titles else []
                sections.append(listing("place", alert.problems, title="Cannot be listed:", rest=alert.left_out))
            case TargetsPaused():
                sections.append(listing("target", alert.targets, title="Paused:", rest=alert.left_out))
            case TargetsResumed():
                sections.append(listing("target", alert.targets, title="Resumed:", rest=alert.left_out))
            case _:
                assert_never(alert)
    if runs:
        titles.append(_summary(runs, is_follow_up))
        fields += _callers(runs)
        fields.append(Field("Done at", show_time(max(run.finished_at for run in runs))))
        fields.append(Field("See", "ecr-warden status; ecr-warden show RUN"))
        sections.insert(0, _of_runs(runs, known_accounts))
    return _message(level, "; ".join(titles) or "spec", fields, sections)


def _of_runs(runs: Sequence[RunReport], known_accounts: Collection[str]) -> Listing:
    """A target once, the worst first, with how often it was repaired where that was more than once."""
    by_target: dict[str, list[RunReport]] = {}
    for run in runs:
        by_target.setdefault(run.plan.target.key, []).append(run)
    told = sorted(by_target.values(), key=lambda its: max(_urgency(run, known_accounts) for run in its), reverse=True)
    return Listing("target", tuple(_of_target(its, known_accounts) for its in told))


def _of_target(runs: Sequence[RunReport], known_accounts: Collection[str]) -> Entry:
    worst = max(runs, key=lambda run: _urgency(run, known_accounts))
    last = max(runs, key=lambda run: run.finished_at)
    again = f"; {_fought(runs)}" if len(runs) > 1 else ""
    ids = ", ".join(first([run.run_id for run in runs], _RUN_IDS))
    head = f"{describe_target(last.plan.target)}: {state_of(last)}{again} ({'run' if len(runs) == 1 else 'runs'} {ids})"
    if all(severity(run, known_accounts=known_accounts) is Severity.INFO and not is_roll_out(run) for run in runs):
        return Entry(head)
    # Why it failed, and what to do, before what differed: of many runs there is room for a few lines each.
    home = _home(worst)
    failures = [describe_outcome(outcome) for outcome in worst.outcomes if isinstance(outcome, Failed)]
    found = [describe_drift(drift, telling_of(worst, drift), home=home) for drift in _drifts(worst)]
    held = [Entry(text) for text in dict.fromkeys(held.explain for held in worst.plan.held)]
    return Entry(head, Listing("line", _flat([*failures, *found, *held])))


def _flat(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries and what is under them, one after the other, each text once."""
    texts = [text for entry in entries for text in (entry.text, *(_under(entry)))]
    return tuple(map(Entry, dict.fromkeys(texts)))


def _under(entry: Entry) -> list[str]:
    return [one.text for one in entry.under.entries] if entry.under is not None else []


def _fought(runs: Sequence[RunReport]) -> str:
    if _is_fight(runs):
        return f"CONTESTED, {count(len(runs), 'time')} within one incident"
    return f"{count(len(runs), 'time')} within one incident"


def _is_fight(runs: Sequence[RunReport]) -> bool:
    return sum(bool(run.applied) for run in runs) >= FIGHT or any(run.contested for run in runs)


def _urgency(run: RunReport, known_accounts: Collection[str]) -> tuple[int, bool]:
    level = severity(run, known_accounts=known_accounts)
    return list(Severity).index(level), run.result not in _RIGHT


def _of_accepted(accepted: SpecAccepted) -> Iterator[Listing]:
    _, released, warnings = accepted.left_out
    yield listing("warning", accepted.warnings, title="Warnings:", rest=warnings)
    yield listing("target", accepted.released, title="Released, their documents stay:", rest=released)


def _summary(runs: Sequence[RunReport], is_follow_up: bool) -> str:
    """`12 targets repaired, 1 NOT`, by how each target stands after its last run."""
    by_target: dict[str, list[RunReport]] = {}
    for run in sorted(runs, key=lambda run: run.finished_at):
        by_target.setdefault(run.plan.target.key, []).append(run)
    last = [its[-1] for its in by_target.values()]
    right = sum(run.result in _RIGHT for run in last)
    wrong = len(last) - right
    done = "rolled out" if all(map(is_roll_out, runs)) else "repaired"
    more = "more " if is_follow_up else ""
    fights = sum(map(_is_fight, by_target.values()))
    if len(last) == 1:
        said = f"{name_of(last[0].plan.target)}: {describe_result(last[0])}{_times(len(runs), more)}"
    elif right:
        said = f"{right} {more}{'target' if right == 1 else 'targets'} {done}{f', {wrong} NOT' if wrong else ''}"
    else:
        said = f"{wrong} {more}targets NOT {done}"
    contested = f", {fights} CONTESTED" if fights and len(last) > 1 else ", CONTESTED" if fights else ""
    return f"{said}{contested}{_by(runs)}"


def _times(number: int, more: str) -> str:
    return f" {number} {more}times" if number > 1 else ""


def _by(runs: Sequence[RunReport]) -> str:
    callers = dict.fromkeys(short_name(run.cause.actor) for run in runs if run.cause.kind is CauseKind.EVENT)
    if not callers:
        return ""
    return f", after calls by {next(iter(callers)) if len(callers) == 1 else f'{len(callers)} callers'}"


def _callers(runs: Sequence[RunReport]) -> Iterator[Field]:
    causes = Counter(_in_words(run.cause) for run in runs if not is_roll_out(run))
    told = [f"{text} ({number}x)" if number > 1 else text for text, number in causes.most_common()]
    if told:
        label = "Who" if all(run.cause.kind is CauseKind.EVENT for run in runs) else "Cause"
        yield Field(label, "; ".join(first(told, _CALLERS)))


def _in_words(cause: Cause) -> str:
    return describe_actor(cause.actor) if cause.kind is CauseKind.EVENT else describe_cause(cause)


def _targets(number: int) -> str:
    return count(number, "target")


def _message(level: Severity, title: str, fields: Sequence[Field], sections: Sequence[Listing]) -> Message:
    given = [field for field in fields if field.text]
    return Message(
        level,
        clean(title, TITLE),
        tuple(Field(field.label, clean(field.text, TEXT)) for field in given[:FIELDS]),
        tuple(clean(line, LINE) for line in lay_out(_joined(sections), LINES)),
    )


def _joined(sections: Sequence[Listing]) -> list[Listing]:
    """Sections without a title that count the same, as one: each of many changes is no list of its own."""
    joined: list[Listing] = []
    for one in sections:
        before = joined[-1] if joined else None
        if before is not None and not one.title and (before.title, before.noun) == ("", one.noun):
            joined[-1] = Listing(one.noun, before.entries + one.entries, "", before.rest + one.rest)
        else:
            joined.append(one)
    return joined
