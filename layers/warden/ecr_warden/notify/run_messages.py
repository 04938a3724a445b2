"""What the message on one run, or on the runs of one incident, says: who, what differed, and whether it is over."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ecr_warden.core.job import Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.result import Result, Severity
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import Field
from ecr_warden.notify.run_titles import DONE, describe_result, state_of, title_of
from ecr_warden.notify.wording import (
    call_fields,
    describe_actor,
    describe_address,
    describe_cause,
    describe_difference,
    describe_done,
    describe_target,
    name_of,
    who,
    who_wrote,
)
from ecr_warden.repair.alerts import OutcomeKind, RunEnded
from iam_access.text.printable import count, first, show_time

_CALLERS, _RUN_IDS = 3, 6
# A target that was repaired this often within one incident is contested.
_FIGHT = 3

_INTRUDER = (
    "The call came from a session of ecr-warden's own write role that ecr-warden did not open.",
    "End its sessions: IAM console of that account, role ecr-warden-write, Revoke sessions; ecr-warden opens new ones.",
    "Until you know who can assume it, let ecr-warden write nothing: ecr-warden stop",
    "See whom it trusts: aws iam get-role --profile ... --role-name ecr-warden-write; restore it: docs/security.md",
)

_AGAIN = (
    "The document was opened again after each repair: this was at least the third within a minute.",
    "Whoever does it can write the document. ecr-warden takes the access away each time; revoke their right to write.",
)
_OF_FIGHT = ("Somebody keeps restoring a version of the document: the messages on this fight count the repair.",)


def describe_run(run: RunEnded) -> Parts:
    """What one run found and did."""
    fields = [
        Field("Who" if run.cause.kind is CauseKind.EVENT else "Cause", who(run.cause)),
        *call_fields(run.cause),
        Field("Where", describe_target(run.target)),
        Field("Result", describe_result(run)),
        Field("Finished at", show_time(run.finished_at)),
        Field("Spec", run.spec_version),
        Field("Run", run.run_id),
        Field("See", _see(run)),
    ]
    notes = [
        *_going_on(run),
        *(_INTRUDER if run.intruder else ()),
        *_contest(run),
        *(_AGAIN if run.again else ()),
        *(_OF_FIGHT if run.of_fight else ()),
    ]
    return Parts(title_of(run), fields, [listing("note", notes), *_sections(run)])


def _going_on(run: RunEnded) -> Iterator[str]:
    """That sessions outlive the repair, until when, and how to end them."""
    if run.goes_on is not None:
        yield (
            f"Sessions that were opened through it meanwhile go on, until {show_time(run.goes_on)} at the latest: "
            "the spec lets AWS services alone assume the role, and to end sessions would end the services' own."
        )
        yield f"To end all of them, then restart what runs with the role: {run.ending}"


def _see(run: RunEnded) -> str:
    """The next commands."""
    commands = [f"ecr-warden history {run.run_id}"]
    if run.result in (Result.FAILED, Result.STILL_DRIFTED, Result.UNKNOWN):
        commands.append(f"once the cause is fixed: ecr-warden reconcile {run.target}")
    is_unknown = run.cause.actor is None and not run.cause.rolls_out and not run.contested
    if is_unknown and run.differences and run.differences[0].kind in _WRITTEN:
        commands.append(f"who did it: {who_wrote(run.differences[0].address)}")
    return "; ".join(commands)


_WRITTEN = (DriftKind.CHANGED, DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE)


def _sections(run: RunEnded) -> list[Listing]:
    left = [held for held in run.held if held.reason is not HoldReason.UNREADABLE]
    return [
        Listing("difference", tuple(map(describe_difference, run.differences)), "Found:"),
        Listing("outcome", tuple(map(describe_done, run.changes)), "Done:"),
        listing("reason", list(dict.fromkeys(held.explain for held in left)), title="Left unchanged:"),
    ]


def describe_runs(runs: Sequence[RunEnded], *, is_follow_up: bool) -> Parts:
    """What all runs of an incident found and did: a target once, the worst first."""
    fields = [
        *_callers(runs),
        Field("Finished at", show_time(max(run.finished_at for run in runs))),
        Field("See", "ecr-warden status; ecr-warden history RUN"),
    ]
    ranked = sorted(_by_target(runs), key=lambda its: max(map(_urgency, its)), reverse=True)
    return Parts(_summary(runs, is_follow_up), fields, [Listing("target", tuple(map(_of_target, ranked)))])


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
    head = f"{describe_target(last.target)}: {state_of(last)}{again} ({'run' if len(runs) == 1 else 'runs'} {ids})"
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


def _summary(runs: Sequence[RunEnded], is_follow_up: bool) -> str:
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
        said = f"{name_of(last[0].target)}: {describe_result(last[0])}{times}"
    else:
        counts = ((right, done), (wrong, "NOT" if right else f"NOT {done}"), (due, DONE))
        (number, ended), *others = [(number, ended) for number, ended in counts if number]
        said = f"{number} {more}{'target' if number == 1 else 'targets'} {ended}"
        said += "".join(f", {number} {ended}" for number, ended in others)
    contested = f", {fights} CONTESTED" if fights and len(last) > 1 else ", CONTESTED" if fights else ""
    return f"{said}{contested}{_by(runs)}"


def _by(runs: Sequence[RunEnded]) -> str:
    callers = dict.fromkeys(short_name(run.cause.actor) for run in runs if run.cause.kind is CauseKind.EVENT)
    if not callers:
        return ""
    return f", after calls by {next(iter(callers)) if len(callers) == 1 else f'{len(callers)} callers'}"


def _callers(runs: Sequence[RunEnded]) -> Iterator[Field]:
    causes = Counter(_in_words(run.cause) for run in runs if not run.cause.rolls_out)
    callers = [f"{text} ({number}x)" if number > 1 else text for text, number in causes.most_common()]
    if callers:
        label = "Who" if all(run.cause.kind is CauseKind.EVENT for run in runs) else "Cause"
        yield Field(label, "; ".join(first(callers, _CALLERS)))


def _in_words(cause: Cause) -> str:
    return describe_actor(cause.actor) if cause.kind is CauseKind.EVENT else describe_cause(cause)


def _contest(run: RunEnded) -> Iterator[str]:
    """Which document, how often, the known caller, and how to find and stop the others; nothing of other runs."""
    if not run.contested:
        return
    met = [change.address for change in run.changes if change.outcome is OutcomeKind.CONFLICT]
    addresses = met or run.applied
    documents = ", ".join(map(describe_address, addresses))
    if run.result is Result.CONFLICT:
        when = f"between ecr-warden's read and its write, {run.contested} times in a row"
    else:
        when = f"right after each of ecr-warden's repairs ({count(run.contested, 'time')} in a row)"
    yield f"Another caller wrote the {documents} {when}, at attempt {run.attempt} of the job; their version is live."
    if run.cause.kind is CauseKind.EVENT and run.cause.actor is not None:
        yield f"The call that triggered this run came from {describe_actor(run.cause.actor)}."
    yield from (f"Find out who writes it: {who_wrote(address)}" for address in addresses[:1])
    yield (
        "Revoke their permission to write it; ecr-warden tries again at once if the document gives too much, "
        "else after their next write and at each sweep."
    )
