"""Reports of runs in words, one by itself or many of one incident: who, what differed, and whether it is over."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ecr_warden.alerting.contest import describe_contest, who_wrote
from ecr_warden.alerting.layout import Entry, Listing, count, listing
from ecr_warden.alerting.severity import is_outside, opens, severity
from ecr_warden.alerting.text import first
from ecr_warden.alerting.titles import name_of, state_of, title_of
from ecr_warden.alerting.who import describe_actor, describe_cause, who
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
from ecr_warden.model.alert import Field
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.job import Cause, CauseKind, short_name
from ecr_warden.model.outcome import Failed, Result, RunReport
from ecr_warden.model.plan import HoldReason
from ecr_warden.model.severity import Severity

_CALLERS, _RUN_IDS = 3, 6
# A target that somebody drives from the spec so often within one incident is fought over.
FIGHT = 3
_RIGHT = (Result.CONVERGED, Result.IN_SYNC)

_INTRUDER = (
    "This call came through a session of ecr-warden's own write role that ecr-warden did not open.",
    "Set the stop switch to `stopped` and find out who can assume that role.",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message is made of, neither cut nor cleaned."""

    title: str
    fields: Sequence[Field]
    sections: Sequence[Listing]


def parts_of_run(report: RunReport) -> Parts:
    """What one run found and did."""
    drifts = _drifts(report)
    fields = [
        _who(report.cause),
        *call_fields(report.cause),
        Field("Where", describe_target(report.plan.target)),
        Field("Result", describe_result(report)),
        Field("Done at", show_time(report.finished_at)),
        Field("Spec", report.plan.spec_version),
        Field("Run", report.run_id),
        Field("See", _see(report, drifts)),
    ]
    notes = [*(_INTRUDER if report.intruder else ()), *describe_contest(report)]
    return Parts(title_of(report, drifts), fields, [listing("note", notes), *_sections(report, drifts)])


def _who(cause: Cause) -> Field:
    return Field("Who" if cause.kind is CauseKind.EVENT else "Cause", who(cause))


def call_fields(cause: Cause) -> Iterator[Field]:
    """The call that an event reports, and when it was made."""
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


def _sections(report: RunReport, drifts: Sequence[Drift]) -> list[Listing]:
    """What differed, what was done about it, and what was left."""
    home = _home(report)
    found = tuple(describe_drift(drift, telling_of(report, drift), home=home) for drift in drifts)
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


def parts_of_runs(runs: Sequence[RunReport], known_accounts: Collection[str], *, is_follow_up: bool) -> Parts:
    """What all runs of an incident found and did: a target once, the worst first."""
    fields = [
        *_callers(runs),
        Field("Done at", show_time(max(run.finished_at for run in runs))),
        Field("See", "ecr-warden status; ecr-warden show RUN"),
    ]
    return Parts(_summary(runs, is_follow_up), fields, [_targets(runs, known_accounts)])


def _targets(runs: Sequence[RunReport], known_accounts: Collection[str]) -> Listing:
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
