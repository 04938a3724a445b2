"""What the message on one run, or on the runs of one incident, says: by whom, what was done, and what is to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import replace

from ecr_warden.core.address import Address
from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.remedies import RECONCILE
from ecr_warden.core.result import Result, Severity
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import DONE, Field, MessageState
from ecr_warden.notify.run_titles import (
    describe_result,
    is_gone,
    lasted,
    reasons,
    state_in_words,
    state_of,
    title_of,
    where,
)
from ecr_warden.notify.wording import (
    IF_NOT_MEANT,
    LOOK,
    by,
    command,
    describe_actor,
    describe_address,
    describe_cause,
    describe_difference,
    describe_done,
    describe_target,
    images_of,
    to_do,
    who_wrote,
    written,
)
from ecr_warden.repair.alerts import OutcomeKind, RunEnded
from ecr_warden.state.switch import STOPPED
from iam_access.text.printable import count, first, show_time

_CALLERS, _RUN_IDS, _SHOWN = 3, 6, 3
# A target that was repaired this often within one incident is contested.
_FIGHT = 3

_INTRUDER = (
    "The call came from a session of ecr-warden's own write role that ecr-warden did not open.",
    "Its sessions end in the IAM console of that account: role ecr-warden-write, Revoke sessions; ecr-warden opens new "
    "ones.",
    "See whom it trusts: aws iam get-role --profile ... --role-name ecr-warden-write; restore it: docs/security.md",
)

_AGAIN = (
    "The document was opened again after each repair: this was at least the third within a minute.",
    "Whoever does it can write the document. ecr-warden takes the access away each time.",
)
_OF_FIGHT = ("Somebody keeps restoring a version of the document: the messages on this fight count the repair.",)
_APPLIED = (OutcomeKind.APPLIED, OutcomeKind.NARROWED)


def describe_run(run: RunEnded) -> Parts:
    """What one run found and did."""
    asked, then = _to_do(run)
    fields = [
        *_whose(run),
        Field("Where", where(run)),
        Field(DONE, f"{_done(run)} (run {run.run_id})"),
        to_do(asked),
        command(then),
        *([images_of(run.target)] if LOOK in asked else ()),
    ]
    notes = [
        *_going_on(run),
        *(_INTRUDER if run.intruder else ()),
        *_contest(run),
        *(_AGAIN if run.again else ()),
        *(_OF_FIGHT if run.of_fight else ()),
    ]
    return Parts(state_of(run), title_of(run), fields, [listing("note", notes), *_sections(run)], lasted=lasted(run))


def _whose(run: RunEnded) -> Iterator[Field]:
    """Who opened it and, if that is another, who or what had it looked at."""
    is_asked = run.cause.rolls_out or not run.differences
    opener = run.cause if is_asked else run.opened.by
    if run.of_version and not is_asked:
        opener = Cause(CauseKind.SPEC, run.spec_version)
    elif opener is None and not (run.cause.action or run.cause.kind in (CauseKind.PAUSE, CauseKind.SPEC)):
        opener = run.cause
    yield Field("By", "unknown: no event says so") if opener is None else by(opener)
    if opener != run.cause:
        yield Field("Ended by" if state_of(run) is MessageState.CLOSED else "Found by", describe_cause(run.cause))


def _done(run: RunEnded) -> str:
    """What was written, and unless that is all, why no more."""
    done = [describe_done(change).text for change in run.changes if change.outcome in _APPLIED]
    all_done = "; ".join(first(done, _SHOWN))
    if run.result is Result.CONVERGED:
        return all_done or "what was due"
    return "; ".join(filter(None, (all_done, describe_result(run))))


def _to_do(run: RunEnded, *, by_several: bool = False) -> tuple[str, str]:
    """What a person has to do, in a line, and the command for it."""
    look = f"ecr-warden history {run.run_id}"
    again = f"ecr-warden reconcile {written(run.target)}"
    if run.intruder:
        return (
            "end its sessions, and let ecr-warden write nothing until you know who can assume its role",
            "ecr-warden stop",
        )
    if run.contested:
        found = [*_contested(run), *(drift.address for drift in run.differences)]
        return "revoke the other caller's right to write it", who_wrote(found[0]) if found else look
    match run.result:
        case Result.FAILED:
            remedy = next((change.remedy for change in run.changes if change.remedy), "end what keeps it from writing")
            return remedy if RECONCILE in remedy else f"{remedy}; then have it repaired", again
        case Result.UNKNOWN:
            remedy = next((line for drift in run.differences for line in drift.access), "let ecr-warden read it")
            return f"{remedy}; then have it compared", again
        case Result.REPORTED if any(reason.startswith("paused by ") for reason in reasons(run)):
            return "end the pause, then it is repaired", f"ecr-warden resume {run.target}"
        case Result.REPORTED if STOPPED in reasons(run):
            return "find out who stopped all writes, then let ecr-warden write: it repairs this too", "ecr-warden start"
        case Result.REPORTED:
            return _by_hand(run), look
        case Result.IN_SYNC | Result.CONVERGED:
            return _once_over(run, look, by_several=by_several)
        case Result.WAITING if run.applied:
            return _once_over(run, look, by_several=by_several)
        case _ if run.severity is Severity.CRITICAL:
            return f"{LOOK} meanwhile; the next run goes on", look
        case _:
            return "nothing, the next run goes on", look


def _by_hand(run: RunEnded) -> str:
    """What to do where ecr-warden leaves a drift."""
    if any(map(is_gone, run.differences)):
        return "create it, or take it out of the spec"
    reason = next((held.reason for held in run.held), None)
    if reason is HoldReason.OBSERVE_MODE:
        return "repair it by hand, or let the spec say mode: enforce"
    return "repair it by hand, or end what keeps ecr-warden from it"


def _once_over(run: RunEnded, look: str, *, by_several: bool) -> tuple[str, str]:
    """What to do about who made a drift that is repaired."""
    if run.goes_on is not None:
        return "end the sessions, then restart what runs with the role", run.ending
    if not run.differences and not run.applied:
        return "nothing", look
    if state_of(run) is MessageState.DONE:
        if run.severity is Severity.CRITICAL:
            return IF_NOT_MEANT, "ecr-warden versions"
        return "nothing", look
    opener, since = run.opened.by, run.opened.since
    window = f"between {show_time(since)} and {show_time(run.finished_at)}" if since else "meanwhile"
    if (opener is None or opener.actor is None) and run.differences[0].kind in _WRITTEN:
        return f"find out who did it, for no event says so; {LOOK} {window}", who_wrote(run.differences[0].address)
    if run.severity is not Severity.CRITICAL:
        return "nothing, unless it happens again", look
    if opener is None:
        return f"{LOOK} {window}", look
    may_not = "none of them may" if by_several else f"{short_name(opener.actor)} may not"
    return f"make sure that {may_not} do it again; {LOOK} {window}", look


def _going_on(run: RunEnded) -> Iterator[str]:
    """That sessions outlive the repair, and until when."""
    if run.goes_on is not None:
        yield (
            f"Sessions that were opened through it meanwhile go on, until {show_time(run.goes_on)} at the latest: "
            "the spec lets AWS services alone assume the role, and to end sessions would end the services' own."
        )


_WRITTEN = (DriftKind.CHANGED, DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE)


def _sections(run: RunEnded) -> list[Listing]:
    left = [held for held in run.held if held.reason is not HoldReason.UNREADABLE]
    undone = [describe_done(change) for change in run.changes if change.outcome not in _APPLIED]
    ended = ["Whoever uses a session that was ended has to assume the role again."]
    return [
        listing("note", ended if any(change.sessions for change in run.changes) else []),
        Listing("difference", tuple(map(describe_difference, run.differences)), "Found:"),
        Listing("change", tuple(undone), "Not done:"),
        listing("reason", list(dict.fromkeys(held.explain for held in left)), title="Left unchanged:"),
    ]


def describe_runs(runs: Sequence[RunEnded]) -> Parts:
    """What all runs of an incident found and did: a target once, the worst first."""
    ranked = sorted(_by_target(runs), key=lambda its: max(map(_urgency, its)), reverse=True)
    last = [max(its, key=lambda run: run.finished_at) for its in ranked]
    state = min(map(state_of, last), key=[*MessageState].index)
    concerned = [its for its, run in zip(ranked, last, strict=True) if state_of(run) is state]
    worst = _in_window(max(concerned[0], key=_urgency), runs)
    asked, then = _to_do(worst, by_several=len({run.opened.by and run.opened.by.actor for run in runs}) > 1)
    fields = [
        *_callers(runs),
        Field("Finished at", show_time(max(run.finished_at for run in runs))),
        to_do(asked),
        command(then if len(ranked) == 1 else "ecr-warden status"),
        *([images_of(worst.target)] if LOOK in asked else ()),
    ]
    title = _summary(concerned, len(ranked))
    return Parts(state, title, fields, [Listing("target", tuple(map(_of_target, ranked)))])


def _in_window(worst: RunEnded, runs: Sequence[RunEnded]) -> RunEnded:
    """The worst with the window of the whole incident."""
    begun = [run.opened.since for run in runs if run.opened.since is not None]
    opened = replace(worst.opened, since=min(begun, default=None))
    return replace(worst, opened=opened, finished_at=max(run.finished_at for run in runs))


def _summary(concerned: Sequence[Sequence[RunEnded]], targets: int) -> str:
    """`eve can pull from shop/checkout (2 of 12 targets)`: of those in the gravest state."""
    worst = max(concerned[0], key=_urgency)
    fights = sum(map(_is_fight, concerned))
    if targets == 1:
        times = f", {len(concerned[0])} times" if len(concerned[0]) > 1 else ""
        return f"{title_of(worst)}{times}{', CONTESTED' if fights else ''}"
    of_all = f" of {targets}" if len(concerned) < targets else ""
    contested = f", {fights} CONTESTED" if fights else ""
    return f"{title_of(worst)} ({len(concerned)}{of_all} targets{contested})"


def _by_target(runs: Sequence[RunEnded]) -> list[list[RunEnded]]:
    by_target: dict[str, list[RunEnded]] = {}
    for run in runs:
        by_target.setdefault(run.target.key, []).append(run)
    return list(by_target.values())


def _of_target(runs: Sequence[RunEnded]) -> Entry:
    worst = max(runs, key=_urgency)
    last = max(runs, key=lambda run: run.finished_at)
    contested = "CONTESTED, " if _is_fight(runs) else ""
    again = f"; {contested}{count(len(runs), 'time')} within one incident" if len(runs) > 1 else ""
    ids = ", ".join(first([run.run_id for run in runs], _RUN_IDS))
    head = (
        f"{describe_target(last.target)}: {state_in_words(last)}{again} ({'run' if len(runs) == 1 else 'runs'} {ids})"
    )
    if all(run.severity is Severity.INFO and not run.cause.rolls_out for run in runs):
        return Entry(head)
    # Failures and their remedies come first: each of many runs has room for a few lines.
    failures = [describe_done(change) for change in worst.changes if change.outcome is OutcomeKind.FAILED]
    found = map(describe_difference, worst.differences)
    held = [Entry(text) for text in dict.fromkeys(held.explain for held in worst.held)]
    return Entry(head, Listing("line", _flat([*failures, *found, *held])))


def _flat(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries and what is under them, one after the other, each text once."""
    whole = [one for entry in entries for one in (entry, *(entry.under.entries if entry.under else ()))]
    return tuple(map(Entry, dict.fromkeys(entry.text for entry in whole)))


def _is_fight(runs: Sequence[RunEnded]) -> bool:
    return sum(bool(run.applied) for run in runs) >= _FIGHT or any(run.contested for run in runs)


def _urgency(run: RunEnded) -> tuple[int, bool]:
    return list(Severity).index(run.severity), not run.result.is_fine


def _callers(runs: Sequence[RunEnded]) -> Iterator[Field]:
    openers = (run.opened.by or run.cause for run in runs if not run.cause.rolls_out)
    causes = Counter(
        describe_actor(cause.actor) if cause.kind is CauseKind.EVENT else describe_cause(cause) for cause in openers
    )
    callers = [f"{text} ({number}x)" if number > 1 else text for text, number in causes.most_common()]
    if callers:
        yield Field("By", "; ".join(first(callers, _CALLERS)))


def _contest(run: RunEnded) -> Iterator[str]:
    """Which document, how often, the known caller, and how to find and stop the others; nothing of other runs."""
    if not run.contested:
        return
    documents = ", ".join(map(describe_address, _contested(run)))
    if run.result is Result.CONFLICT:
        when = f"between ecr-warden's read and its write, {run.contested} times in a row"
    else:
        when = f"right after each of ecr-warden's repairs ({count(run.contested, 'time')} in a row)"
    yield f"Another caller wrote the {documents} {when}, at attempt {run.attempt} of the job; their version is live."
    if run.cause.kind is CauseKind.EVENT and run.cause.actor is not None:
        yield f"The call that triggered this run came from {describe_actor(run.cause.actor)}."
    yield (
        "ecr-warden tries again at once if the document gives too much, else after their next write and at each sweep."
    )


def _contested(run: RunEnded) -> Sequence[Address]:
    """The documents that another caller keeps writing."""
    met = [change.address for change in run.changes if change.outcome is OutcomeKind.CONFLICT]
    return met or run.applied
