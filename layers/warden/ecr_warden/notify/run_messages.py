"""What the message on one run, or on the runs of one incident, says: who, what differed, and whether it is over."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ecr_warden.core.drift import Drift
from ecr_warden.core.framings import DRIFT
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Conflict, Failed, RunReport
from ecr_warden.core.sessions import whole_second
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import Field
from ecr_warden.notify.run_titles import DONE, describe_result, framing_of, narrowed_only, state_of, title_of
from ecr_warden.notify.wording import (
    call_fields,
    describe_actor,
    describe_address,
    describe_cause,
    describe_drift,
    describe_outcome,
    describe_target,
    ending_sessions,
    name_of,
    who,
    who_wrote,
)
from ecr_warden.repair.severity import home_of, is_outside, opens, severity_of_run
from iam_access.text.printable import count, first, show_time

_CALLERS, _RUN_IDS = 3, 6
# A target that was repaired this often within one incident is contested.
_FIGHT = 3

_INTRUDER = (
    "The call came from a session of ecr-warden's own write role that ecr-warden did not open.",
    "Set the stop switch to `stopped` and find out who can assume that role.",
)

_AGAIN = (
    "The document was opened again after each repair: this was at least the third within a minute.",
    "Whoever does it can write the document. ecr-warden takes the access away each time; revoke their right to write.",
)
_OF_FIGHT = ("Somebody keeps restoring a version of the document: the messages on this fight count the repair.",)


def describe_run(report: RunReport) -> Parts:
    """What one run found and did."""
    drifts = _drifts(report)
    fields = [
        Field("Who" if report.cause.kind is CauseKind.EVENT else "Cause", who(report.cause)),
        *call_fields(report.cause),
        Field("Where", describe_target(report.plan.target)),
        Field("Result", describe_result(report)),
        Field("Finished at", show_time(report.finished_at)),
        Field("Spec", report.plan.spec_version),
        Field("Run", report.run_id),
        Field("See", _see(report, drifts)),
    ]
    notes = [
        *_going_on(report),
        *(_INTRUDER if report.intruder else ()),
        *_contest(report),
        *(_AGAIN if report.again else ()),
        *(_OF_FIGHT if report.of_fight else ()),
    ]
    return Parts(title_of(report, drifts), fields, [listing("note", notes), *_sections(report, drifts)])


def _going_on(report: RunReport) -> Iterator[str]:
    """That sessions outlive the repair, until when, and how to end them."""
    if report.goes_on is not None:
        yield (
            f"Sessions that were opened through it meanwhile go on, until {show_time(report.goes_on)} at the latest: "
            "the spec lets AWS services alone assume the role, and to end sessions would end the services' own."
        )
        command = ending_sessions(report.plan.target, whole_second(report.finished_at))
        yield f"To end all of them, then restart what runs with the role: {command}"


def _see(report: RunReport, drifts: Sequence[Drift]) -> str:
    """The next commands."""
    commands = [f"ecr-warden history {report.run_id}"]
    if report.result in (Result.FAILED, Result.STILL_DRIFTED, Result.UNKNOWN):
        commands.append(f"once the cause is fixed: ecr-warden apply {report.plan.target}")
    is_unknown = report.cause.actor is None and not report.cause.rolls_out and not report.contested
    if is_unknown and drifts and drifts[0].kind in _WRITTEN:
        commands.append(f"who did it: {who_wrote(drifts[0].address)}")
    return "; ".join(commands)


_WRITTEN = (DriftKind.CHANGED, DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE)


def _sections(report: RunReport, drifts: Sequence[Drift]) -> list[Listing]:
    home = home_of(report)
    partly, lacks = narrowed_only(report), DRIFT
    found = tuple(
        describe_drift(drift, framing_of(report, drift), home=home, lacks=lacks if drift.address in partly else None)
        for drift in drifts
    )
    left = [held for held in report.plan.held if held.reason is not HoldReason.UNREADABLE]
    return [
        Listing("difference", found, "Found:"),
        Listing("outcome", tuple(describe_outcome(outcome, partly) for outcome in report.outcomes), "Done:"),
        listing("reason", list(dict.fromkeys(held.explain for held in left)), title="Left unchanged:"),
    ]


def _drifts(report: RunReport) -> Sequence[Drift]:
    """First what lets in an outsider, then what opens the target otherwise: an attacker may fill the space."""
    home = home_of(report)

    def rank(drift: Drift) -> int:
        if drift.same_access or not opens(drift, home):
            return 2
        return 0 if any(is_outside(permission, home) for permission in drift.gained) else 1

    return sorted(report.plan.drifts, key=rank)


def describe_runs(runs: Sequence[RunReport], *, is_follow_up: bool) -> Parts:
    """What all runs of an incident found and did: a target once, the worst first."""
    fields = [
        *_callers(runs),
        Field("Finished at", show_time(max(run.finished_at for run in runs))),
        Field("See", "ecr-warden status; ecr-warden history RUN"),
    ]
    ranked = sorted(_by_target(runs), key=lambda its: max(map(_urgency, its)), reverse=True)
    return Parts(_summary(runs, is_follow_up), fields, [Listing("target", tuple(map(_of_target, ranked)))])


def _by_target(runs: Sequence[RunReport]) -> list[list[RunReport]]:
    by_target: dict[str, list[RunReport]] = {}
    for run in runs:
        by_target.setdefault(run.plan.target.key, []).append(run)
    return list(by_target.values())


def _of_target(runs: Sequence[RunReport]) -> Entry:
    worst = max(runs, key=_urgency)
    last = max(runs, key=lambda run: run.finished_at)
    contested = "CONTESTED, " if _is_fight(runs) else ""
    again = f"; {contested}{count(len(runs), 'time')} within one incident" if len(runs) > 1 else ""
    ids = ", ".join(first([run.run_id for run in runs], _RUN_IDS))
    head = f"{describe_target(last.plan.target)}: {state_of(last)}{again} ({'run' if len(runs) == 1 else 'runs'} {ids})"
    if all(severity_of_run(run) is Severity.INFO and not run.cause.rolls_out for run in runs):
        return Entry(head)
    # Failures and their remedies come first: each of many runs has room for a few lines.
    home = home_of(worst)
    failures = [describe_outcome(outcome) for outcome in worst.outcomes if isinstance(outcome, Failed)]
    found = [describe_drift(drift, framing_of(worst, drift), home=home) for drift in _drifts(worst)]
    held = [Entry(text) for text in dict.fromkeys(held.explain for held in worst.plan.held)]
    return Entry(head, Listing("line", _flat([*failures, *found, *held])))


def _flat(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries and what is under them, one after the other, each text once."""
    whole = [one for entry in entries for one in (entry, *(entry.under.entries if entry.under else ()))]
    return tuple(map(Entry, dict.fromkeys(entry.text for entry in whole)))


def _is_fight(runs: Sequence[RunReport]) -> bool:
    return sum(bool(run.applied) for run in runs) >= _FIGHT or any(run.contested for run in runs)


def _urgency(run: RunReport) -> tuple[int, bool]:
    return list(Severity).index(severity_of_run(run)), not run.result.is_fine


def _summary(runs: Sequence[RunReport], is_follow_up: bool) -> str:
    """`12 targets repaired, 1 NOT, 2 done`, by the last run of each target; done: what had become due."""
    by_target = _by_target(sorted(runs, key=lambda run: run.finished_at))
    last = [its[-1] for its in by_target]
    due = sum(all(describe_result(run) == DONE for run in its) for its in by_target)
    right = sum(run.result.is_fine for run in last) - due
    wrong = len(last) - right - due
    done = "rolled out" if all(run.cause.rolls_out for run in runs) else "repaired"
    more = "more " if is_follow_up else ""
    fights = sum(map(_is_fight, by_target))
    if len(last) == 1:
        times = f" {len(runs)} {more}times" if len(runs) > 1 else ""
        said = f"{name_of(last[0].plan.target)}: {describe_result(last[0])}{times}"
    else:
        counts = ((right, done), (wrong, "NOT" if right else f"NOT {done}"), (due, DONE))
        (number, ended), *others = [(number, ended) for number, ended in counts if number]
        said = f"{number} {more}{'target' if number == 1 else 'targets'} {ended}"
        said += "".join(f", {number} {ended}" for number, ended in others)
    contested = f", {fights} CONTESTED" if fights and len(last) > 1 else ", CONTESTED" if fights else ""
    return f"{said}{contested}{_by(runs)}"


def _by(runs: Sequence[RunReport]) -> str:
    callers = dict.fromkeys(short_name(run.cause.actor) for run in runs if run.cause.kind is CauseKind.EVENT)
    if not callers:
        return ""
    return f", after calls by {next(iter(callers)) if len(callers) == 1 else f'{len(callers)} callers'}"


def _callers(runs: Sequence[RunReport]) -> Iterator[Field]:
    causes = Counter(_in_words(run.cause) for run in runs if not run.cause.rolls_out)
    callers = [f"{text} ({number}x)" if number > 1 else text for text, number in causes.most_common()]
    if callers:
        label = "Who" if all(run.cause.kind is CauseKind.EVENT for run in runs) else "Cause"
        yield Field(label, "; ".join(first(callers, _CALLERS)))


def _in_words(cause: Cause) -> str:
    return describe_actor(cause.actor) if cause.kind is CauseKind.EVENT else describe_cause(cause)


def _contest(report: RunReport) -> Iterator[str]:
    """Which document, how often, the known caller, and how to find and stop the others; nothing of other runs."""
    if not report.contested:
        return
    met = [outcome.change.address for outcome in report.outcomes if isinstance(outcome, Conflict)]
    addresses = met or [change.address for change in report.applied]
    documents = ", ".join(map(describe_address, addresses))
    if report.result is Result.CONFLICT:
        when = f"between ecr-warden's read and its write, {report.contested} times in a row"
    else:
        when = f"right after each of ecr-warden's repairs ({count(report.contested, 'time')} in a row)"
    yield f"Another caller wrote the {documents} {when}, at attempt {report.attempt} of the job; their version is live."
    if report.cause.kind is CauseKind.EVENT and report.cause.actor is not None:
        yield f"The call that triggered this run came from {describe_actor(report.cause.actor)}."
    yield from (f"Find out who writes it: {who_wrote(address)}" for address in addresses[:1])
    yield (
        "Revoke their permission to write it; ecr-warden tries again at once if the document gives too much, "
        "else after their next write and at each sweep."
    )
