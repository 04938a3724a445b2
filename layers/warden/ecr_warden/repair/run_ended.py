"""A run as it is announced: what differed, who could do what because of it, and what was done, in words.

Whoever gets it needs neither the documents nor the policy language. Nothing that somebody wrote into an account may
keep a run from being announced: what cannot be put into words is counted.
"""

from collections.abc import Collection, Iterator, Sequence
from copy import replace

from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.core.codec.access import bounded
from ecr_warden.core.drift import Drift
from ecr_warden.core.ecr import ECR
from ecr_warden.core.framings import DRIFT, GIVEN, PLAN, ROLLED_OUT, WAS_OPEN, incident
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.lasting import Opened, duration
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, Conflict, Failed, Outcome, RunReport, Skipped
from ecr_warden.core.sessions import denied_by, ending_sessions, whole_second
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.alerts import Difference, DoneChange, OutcomeKind, RunEnded, Unrepaired
from ecr_warden.repair.severity import (
    gives_outsiders,
    home_of,
    is_outside,
    is_power,
    may_have_let_in,
    opens,
    severity_of_run,
)
from iam_access.delta.delta import PermissionDelta
from iam_access.delta.describe import phrases_of
from iam_access.delta.phrases import Framing, Phrase, wording
from iam_access.delta.service import ASSUME, OTHER, ActionGroup
from iam_access.document.document import Document
from iam_access.text.printable import printable


def run_ended(report: RunReport) -> RunEnded:
    """What is announced of a run."""
    plan, home = report.plan, home_of(report)
    effect, *more_effects = _effects(report, home) or [""]
    severity = severity_of_run(report)
    return RunEnded(
        cause=report.cause,
        run_id=report.run_id,
        target=plan.target,
        spec_version=plan.spec_version,
        result=report.result,
        severity=severity,
        differences=tuple(
            difference_of(drift, _framing_of(report, drift), home=home, lacks=_lacks_of(report, drift))
            for drift in _worst_first(plan.drifts, home)
        ),
        changes=tuple(_done(outcome, report.narrowed_only) for outcome in report.outcomes),
        held=tuple(Unrepaired(held.drift.address, held.reason, held.explain) for held in plan.held),
        started_at=report.started_at,
        finished_at=report.finished_at,
        attempt=report.attempt,
        intruder=report.intruder,
        contested=report.contested,
        again=report.again,
        of_fight=report.of_fight,
        goes_on=report.goes_on,
        # Beside what a version gives somebody else may have opened it: that is closed, and has who did it.
        of_version=report.of_version and (gives_outsiders(report) or not any(drift.gained for drift in plan.drifts)),
        opened=report.opened,
        ending=ending_sessions(plan.target, whole_second(report.finished_at)) if report.goes_on else "",
        effect=effect,
        more_effects=len(more_effects),
        lets_in=may_have_let_in(report, severity),
    )


def left_by(report: RunReport) -> Opened:
    """What a run leaves to later ones, with its effect."""
    return replace(report.opened, effect=next(iter(_effects(report, home_of(report))), ""))


def _effects(report: RunReport, home: Collection[str]) -> list[str]:
    """What somebody could do or not do by a run's drift, the gravest first; none where the gravest is not known."""
    found: dict[str, None] = {}
    try:
        for drift in _worst_first(report.plan.drifts, home):
            framing = _EFFECTS.get(_framing_of(report, drift), WAS_OPEN)
            sides = _by_side(drift, framing, _lacks_of(report, drift))
            effect = _effect_of(drift, report, "could" if framing in (WAS_OPEN, ROLLED_OUT) else "can")
            is_known = effect or drift.access is not None
            if not is_known and not found and drift.kind in (DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE):
                return []
            found |= dict.fromkeys(filter(None, [effect]))
            # What a version gives outsiders from now on is graver than what is over.
            for side, how in sides[::-1] if gives_outsiders(report) else sides:
                words = _of_one(_EFFECTS.get(how, how), drift.address)
                found |= dict.fromkeys(wording(_used(phrase, report), words) for phrase in _phrases(side, home))
    except Exception:  # an attacker may have written what it describes
        return []
    return [*found]


def _effect_of(drift: Drift, report: RunReport, can: str) -> str:
    """What follows from a drift that no permission describes; "" if that is not known."""
    target, address = drift.address.target, drift.address
    use = report.uses.get(target.name, "")
    match address.kind, drift.kind:
        case AddressKind.ATTACHED_POLICY, DriftKind.UNEXPECTED:
            has = "has" if can == "can" else "had"
            return f"{target} {has} the policy {printable(address.name.rpartition('/')[2], 60)}"
        case AddressKind.ROLE, DriftKind.MISSING if use and not report.cause.rolls_out:
            return f"nobody {can} {use}: its role {'does' if can == 'can' else 'did'} not exist"
        case _, DriftKind.UNEXPECTED if _says_itself(drift):
            return f"nobody {can} {use or f'use {target}'}: all sessions denied"
        case AddressKind.IDENTITY_POLICY, _ if _says_itself(drift):
            return f"sessions that had ended {can} {use or f'use {target}'} again"
        case _ if _says_itself(drift):
            return f"{target}: {drift.explain}"
        case _:
            return ""


def _says_itself(drift: Drift) -> bool:
    """Whether what a drift says of itself tells what follows: of other settings, and of a cut-off."""
    if drift.address.kind is AddressKind.ROLE:
        return drift.kind is DriftKind.CHANGED
    return drift.address.name == DENY_OLDER_SESSIONS and drift.kind in _WRITTEN


_WRITTEN = (DriftKind.MISSING, DriftKind.CHANGED, DriftKind.UNEXPECTED)
_EFFECTS = {DRIFT: GIVEN, PLAN: PLAN, ROLLED_OUT: ROLLED_OUT}
"""In which words a title has what a list says in others; whatever else is listed is over."""


def _used(phrase: Phrase, report: RunReport) -> Phrase:
    """What it is about in short: of the right to assume a role what the role is for."""
    use = report.uses.get(phrase.what.rpartition("/")[2], "") if phrase.effect is ASSUME else ""
    detail = phrase.detail if phrase.effect is OTHER else ""
    short = replace(phrase, detail=detail, conditions=" under conditions" if phrase.conditions else "")
    return replace(short, effect=_USE, what=use) if use else short


_USE = ActionGroup("USE", (), "{}", "the right to {}")


def difference_of(
    drift: Drift, framing: Framing, *, home: Collection[str] = (), lacks: Framing | None = None
) -> Difference:
    """A drift in words, with a sentence for each access that the live document gave or lacked.

    Power over policies comes first, and principals of no account of `home` where it is given. `lacks`: the framing of
    what it lacked, if that is another one.
    """
    change = None if drift.change is None else bounded(drift.change)
    drift = drift if change is None else replace(drift, access=change)
    sides = _by_side(drift, framing, lacks)
    left_out = change.left_out if change is not None else 0
    try:
        access = [*_remedy(drift), *(line for side, how in sides for line in _access(side, how, home))]
    except Exception:  # an attacker may have written what it describes
        access, left_out = [], left_out + (len(change.gained) + len(change.lost) if change is not None else 0)
    return Difference(drift.address, drift.kind, drift.explain, tuple(access), left_out, drift.same_access, drift.code)


def _by_side(drift: Drift, framing: Framing, lacks: Framing | None) -> Sequence[tuple[Drift, Framing]]:
    return [(drift, framing)] if lacks is None else [*zip(_sides(drift), (framing, lacks), strict=False)]


def sides_of(drift: Drift, home: Collection[str]) -> tuple[Difference, ...]:
    """What the live document gives beyond the spec, and what it lacks; one difference if that cannot be parted."""
    return tuple(difference_of(side, DRIFT, home=home) for side in _sides(drift))


def _sides(drift: Drift) -> tuple[Drift, ...]:
    change = drift.change
    if change is None:
        return (drift,)
    return (
        replace(drift, access=replace(change, lost=())),
        replace(drift, access=replace(change, gained=(), left_out=0)),
    )


def _remedy(drift: Drift) -> Iterator[str]:
    """The remedy for a read error, on a line of its own: the error may be long."""
    remedy = drift.explain.partition("; ")[2]
    if drift.kind is DriftKind.UNREADABLE and remedy:
        yield remedy


def _phrases(drift: Drift, home: Collection[str]) -> Sequence[Phrase]:
    """What a drift gives and takes, power over policies and outsiders first."""

    def comes_first(permission: PermissionDelta) -> bool:
        return is_power(permission) or (bool(home) and is_outside(permission, home))

    if drift.change is None:
        return ()
    target = drift.address.target
    return phrases_of(
        drift.change,
        ECR,
        subject=target.name if isinstance(target, RepositoryTarget) else str(target),
        comes_first=comes_first,
    )


def _access(drift: Drift, framing: Framing, home: Collection[str]) -> Iterator[str]:
    if drift.same_access and drift.kind is not DriftKind.CHANGED:
        yield "together the identity's inline policies allow what they should"
    how = _of_one(framing, drift.address)
    yield from dict.fromkeys(wording(phrase, how) for phrase in _phrases(drift, home))
    if drift.change is not None and drift.change.assumed:
        yield "too complex to compare exactly: every statement that differs is listed"


def _of_one(framing: Framing, address: Address) -> Framing:
    """In which words an identity lacks something: another of its policies may allow it.

    Nothing else allows what a trust policy lacks, or a repository policy for other accounts. A plan says this of all
    its documents at once.
    """
    if framing is PLAN or address.kind is not AddressKind.IDENTITY_POLICY:
        return framing
    return replace(framing, lost=framing.lost.replace("{detail}", "{detail} by this policy"))


def _worst_first(drifts: Sequence[Drift], home: Collection[str]) -> Sequence[Drift]:
    """First what lets in an outsider, then what opens the target otherwise: an attacker may fill the space."""

    def rank(drift: Drift) -> int:
        try:
            if drift.same_access or not opens(drift, home):
                return 2
            return 0 if any(is_outside(permission, home) for permission in drift.gained) else 1
        except Exception:  # an attacker may have written what cannot be rated
            return 0

    return sorted(drifts, key=rank)


def _framing_of(report: RunReport, drift: Drift) -> Framing:
    """The perspective from which a run's drift is described."""
    ended = report.result is Result.CONVERGED or (
        report.result not in (Result.STILL_DRIFTED, Result.NOT_YET_VISIBLE)
        and any(change.address == drift.address for change in report.applied)
    )
    if report.cause.rolls_out:
        if ended:
            return ROLLED_OUT
        return PLAN if report.result in _GOES_ON else DRIFT
    return incident(_lasted(report)) if ended else DRIFT


def _lacks_of(report: RunReport, drift: Drift) -> Framing | None:
    """In which words it says what a document lacked, where these are others: it lacks it still, or never had it."""
    if drift.address in report.narrowed_only:
        return DRIFT
    return ROLLED_OUT if report.of_version and _framing_of(report, drift) not in (DRIFT, PLAN) else None


_GOES_ON = (Result.NOT_YET_VISIBLE, Result.WAITING, Result.INTERRUPTED)


def _lasted(report: RunReport) -> str:
    """From the call to the repair: `for 41 s`; without a known call, only its end."""
    seconds = report.opened.lasted(report.finished_at)
    return "until it was repaired" if seconds is None else f"for {duration(seconds)}"


def _done(outcome: Outcome, narrowed: Collection[Address]) -> DoneChange:
    change = outcome.change
    done = DoneChange(change.operation, change.address, OutcomeKind.APPLIED, change.why, _sessions(change))
    match outcome:
        case Applied():
            return replace(done, outcome=OutcomeKind.NARROWED) if change.address in narrowed else done
        case Skipped(reason=reason):
            return replace(done, outcome=OutcomeKind.SKIPPED, explain=reason)
        case Conflict():
            return replace(done, outcome=OutcomeKind.CONFLICT)
        case Failed(code=code, message=message, remedy=remedy):
            return replace(done, outcome=OutcomeKind.FAILED, explain=message, code=code, remedy=remedy)


def _sessions(change: Change) -> str:
    """Those that the cut-off denies which a change writes."""
    if change.address.name != DENY_OLDER_SESSIONS or change.operation is Operation.DELETE:
        return ""
    denied = denied_by(change.after) if isinstance(change.after, Document) else None
    return "older sessions" if denied is None else f"sessions {denied}"
