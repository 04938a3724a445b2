"""What becomes of a version of the spec that is not in force: it takes effect, is judged, waits, or is void."""

from copy import replace
from datetime import timedelta

from msgspec import Struct

from ecr_warden.core.address import by_target
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, DocumentTakeover, Removal
from ecr_warden.core.job import Cause, CauseKind, JudgeVersion, ReadForVersion
from ecr_warden.core.judgement import Judgement, WaitCode, WaitReason
from ecr_warden.core.queue import Jobs
from ecr_warden.core.spec_failures import SpecMissing
from ecr_warden.state.hold import HOLD_LASTS, OPEN, Decision, Hold, HoldState, OfVersion, VerdictRequest
from ecr_warden.state.holds import Holds, Verdicts
from ecr_warden.state.specs import Specs, SpecsInForce
from ecr_warden.versions.alerts import HoldOpened
from ecr_warden.versions.changes import Versions, recent, rolls_out
from ecr_warden.versions.holds import KeepHolds
from iam_access.text.printable import listed

ASKED_AGAIN, MOST_ASKED = timedelta(minutes=10), 12
"""How long after a verdict was asked for it is asked for again, and how often at most."""
_NAMED = 3


class PendingVersion(Struct, frozen=True):
    """A version that may take effect in place of what stands."""

    ground: OfVersion
    versions: Versions
    standing: SpecsInForce
    by: Cause
    data: bytes | None = None
    """Its text, None for one that is in force."""
    unknown: tuple[WaitReason, ...] = ()
    """Why it cannot be judged, or not as it should be."""
    can_be_judged: bool = True
    """It can, though perhaps not as it should be."""

    @property
    def what(self) -> str:
        """What waits, for people."""
        version = f"version {self.ground.version} of the spec"
        return f"{version}, where it takes over what has changed since," if self.ground.again else version


class Acceptance(Struct, frozen=True):
    """A version takes effect: `spec` in place of what stood, because of `by`."""

    spec: CompiledSpec
    by: Cause
    hold: Hold | None
    """Which of it is settled how."""
    state: HoldState
    text: bytes | None = None
    """Of a version that a person accepted."""


class PendingVersions(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    jobs: Jobs
    holds: Holds
    verdicts: Verdicts
    keep: KeepHolds
    clock: Clock
    patience: timedelta
    """How long after it was seen first a version without verdict is held."""

    def consider(self, cause: Cause, pending: PendingVersion) -> Acceptance | HoldOpened | None:
        """What becomes of a version now; None if that was announced before, or awaits a verdict."""
        hold = self._hold_on(pending.ground)
        if hold is not None and hold.is_rejected:
            self.keep.settle(cause, hold, HoldState.REJECTED)
        elif hold is not None and hold.is_accepted:
            return self._by_person(cause, pending, hold)
        elif hold is None or hold.state in OPEN:
            return self._by_itself(cause, pending, hold)
        return None

    def _by_itself(self, cause: Cause, pending: PendingVersion, hold: Hold | None) -> Acceptance | HoldOpened | None:
        versions = pending.versions
        if versions.only_observe and not versions.new.also_allowed and pending.can_be_judged:
            return Acceptance(self._next(pending, Judgement()), pending.by, hold, HoldState.JUDGED)
        if hold is None:
            now = self.clock.now()
            request = VerdictRequest(pending.by, now)
            hold = Hold(pending.ground, pending.what, (), now, now + HOLD_LASTS, state=HoldState.JUDGING, asked=request)
            if pending.can_be_judged:
                self._ask(cause, hold)
                return None
        if not pending.can_be_judged:
            return self._wait(cause, hold, pending.unknown)
        judged = self.verdicts.find(hold)
        judgement = None if judged is None else judged.judgement
        if judgement is None:
            hold = self._ask_to_read(cause, hold, () if judged is None else judged.unread)
            return self._await(cause, self._ask_again(cause, hold))
        if not judgement.held:
            by = cause if hold.asked is None else hold.asked.cause
            return Acceptance(self._next(pending, judgement), by, hold, HoldState.JUDGED)
        if any(reason.code is WaitCode.NOT_JUDGED for reason in judgement.held):
            hold = self._ask_again(cause, hold)
        found = replace(hold, gains=judgement.gains, loses=judgement.loses)
        return self._wait(cause, found, (*judgement.held, *pending.unknown))

    def _by_person(self, cause: Cause, pending: PendingVersion, hold: Hold) -> Acceptance:
        """A version that a person accepted, judged or not: it is the baseline from now on."""
        judged, decision = self.verdicts.find(hold), hold.decision
        spec = self._next(pending, None if judged is None else judged.judgement)
        by = cause if decision is None else decided(decision)
        text = self._text(pending.ground.version) if pending.data is None else pending.data
        return Acceptance(replace(spec, removals=()), by, hold, HoldState.ACCEPTED, text)

    def _next(self, pending: PendingVersion, judgement: Judgement | None) -> CompiledSpec:
        """The version as it takes effect; without a judgement it takes over whatever is there."""
        versions, now = pending.versions, self.clock.now()
        new, before = versions.new, versions.accepted
        earlier = {at: one for documents in new.taken_over.values() for at, one in documents.items()}
        taken = {at: one for at, one in earlier.items() if not rolls_out(before, new, at)}
        if judgement is None:
            return replace(new, taken_over=by_target(taken))
        taken |= {at: DocumentTakeover(live, new.version) for at, live in judgement.taken_over.items()}
        removals = () if before is None else recent(before.removals, now)
        removed = (Removal(now, judgement.removed),) if judgement.removed else ()
        return replace(new, taken_over=by_target(taken), removals=(*removals, *removed))

    def _hold_on(self, ground: OfVersion) -> Hold | None:
        """The hold on a ground; None if what became of it says nothing of the version now."""
        hold = self.holds.find(ground.id)
        if hold is None or hold.ground != ground:
            return None
        return hold if hold.state in (*OPEN, HoldState.ENDED, HoldState.REJECTED) else None

    def _ask(self, cause: Cause, hold: Hold) -> None:
        self.holds.open(hold)
        has_to_read = hold.asked is not None and hold.asked.parts
        self.jobs.enqueue([ReadForVersion(cause, hold.id) if has_to_read else JudgeVersion(cause, hold.id)])

    def _ask_to_read(self, cause: Cause, hold: Hold, parts: tuple[str, ...]) -> Hold:
        """Have parts read first that the verdict needs, unless that was asked for."""
        request = hold.asked
        if request is not None and not {*parts} <= {*request.parts}:
            hold = replace(hold, asked=replace(request, parts=parts, at=self.clock.now()))
            self._ask(cause, hold)
        return hold

    def _ask_again(self, cause: Cause, hold: Hold) -> Hold:
        """Ask once more after a while: a request may be lost, and what could not be read may be readable by then."""
        request, now = hold.asked, self.clock.now()
        if request is not None and request.times < MOST_ASKED and now - request.at >= ASKED_AGAIN:
            hold = replace(hold, asked=replace(request, at=now, times=request.times + 1))
            self._ask(cause, hold)
        return hold

    def _await(self, cause: Cause, hold: Hold) -> HoldOpened | None:
        """Have a version wait for a person that is not judged in time."""
        if hold.state is not HoldState.JUDGING or self.clock.now() - hold.since < self.patience:
            return None
        unread = sorted({*(hold.asked.parts if hold.asked is not None else ())} - {*self.verdicts.notes(hold)})
        text = f"it was not judged within {self.patience.total_seconds() / 60:.0f} minutes"
        text += f"; not read yet: {listed(unread, _NAMED)}" if unread else ""
        return self._wait(cause, hold, (WaitReason(WaitCode.NOT_JUDGED, text),))

    def _wait(self, cause: Cause, hold: Hold, why: tuple[WaitReason, ...]) -> HoldOpened | None:
        """Have a version wait, unless it does so for the same reasons already."""
        if hold.state is HoldState.WAITING and hold.why == why:
            return None
        return self.keep.wait(cause if hold.asked is None else hold.asked.cause, replace(hold, why=why))

    def _text(self, version: str) -> bytes | None:
        try:
            return self.specs.text(version)
        except SpecMissing:
            return None


def decided(decision: Decision) -> Cause:
    """The cause of what a person decided: the command, whichever job carries it out."""
    at = decision.at.isoformat(timespec="seconds")
    return Cause(CauseKind.CALLER, decision.id, decision.verdict, at=at, actor=decision.by)
