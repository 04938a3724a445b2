"""A new version of the spec: accepted, held for a person, or refused; until then the accepted one stays in force."""

from collections.abc import Iterator
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.access_spec import Invalid, Valid, load_spec
from ecr_warden.collect.wiring import WatchRecords
from ecr_warden.core.address import by_target
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec, DocumentTakeover, Removal
from ecr_warden.core.job import AcceptSpec, Cause, CauseKind, JudgeVersion, Misplaced, ReadForVersion
from ecr_warden.core.judgement import Judgement
from ecr_warden.core.queue import Jobs
from ecr_warden.core.spec_failures import SpecMissing, SpecUnusable
from ecr_warden.repair.targets import spec_for
from ecr_warden.state.hold import OPEN, Decision, Hold, HoldState, OfVersion
from ecr_warden.state.holds import Holds, Verdicts
from ecr_warden.state.specs import Specs
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted, SpecRefused
from ecr_warden.versions.announce import AnnounceVersions, Texts, in_words
from ecr_warden.versions.changes import Versions, recent, rolls_out, succeeding, without
from ecr_warden.versions.next_version import Step, VersionEffect, VersionFacts, VersionPlace, next_version, seen_first
from ecr_warden.versions.standing import ReadStanding, StandingVersions
from ecr_warden.versions.unwritable import unwritable
from iam_access.text.printable import printable

type Seen = SpecAccepted | SpecRefused | HoldOpened | None


class Candidate(Struct, frozen=True):
    """A version that may take effect in place of what stands."""

    ground: OfVersion
    versions: Versions
    data: bytes | None = None
    """Its text; None for the one in force, where it takes over what has changed."""
    warnings: Texts = ((), 0)

    @property
    def what(self) -> str:
        """What waits, for people."""
        version = f"version {self.ground.version} of the spec"
        return f"{version}, where it takes over what has changed since," if self.ground.again else version


class Refusal(Struct, frozen=True):
    """The bucket's current version, or why there is none, and what is wrong with it."""

    version: str
    problems: Texts


class AcceptVersions(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    holds: Holds
    verdicts: Verdicts
    jobs: Jobs
    clock: Clock
    standing: ReadStanding
    announcements: AnnounceVersions
    watch_records: WatchRecords
    file_name: str
    """Of the spec, in its problems."""
    patience: timedelta
    """How long after it was seen first a version without verdict waits for a person."""

    def process(self, job: AcceptSpec) -> Seen:
        """Have each version go on by `next_version`, the bucket's current one last.

        Returns what was announced of a version that took effect, or else of the last one; None if nothing was. Once a
        version has taken effect, what stands is another: the others are looked at by the next job.
        """
        # In this order, so that the current version is at least as new as the accepted one.
        stands = self.standing.read(job.cause)
        if job.misplaced is not None:
            return self._report_misplaced(job.cause, job.misplaced, stands)
        current = self._current(stands)
        waiting = {hold.id: hold for hold in self.holds.waiting()}
        candidates = {one.ground.id: one for one in self._taking_over(job, stands, waiting)}
        if isinstance(current, Candidate):
            candidates[current.ground.id] = current
        seen: Seen = None
        for hold in waiting.values():
            if hold.id not in candidates:
                seen = self._leave(job.cause, hold, stands, current) or seen
        for hold_id, candidate in candidates.items():
            taken = self._consider(job.cause, candidate, stands, waiting.get(hold_id))
            if isinstance(taken, SpecAccepted):
                return taken
            seen = taken or seen
        return self._refuse(job.cause, current, stands) or seen

    def _current(self, stands: StandingVersions) -> Candidate | Refusal | None:
        """The bucket's current version; None if it is in force."""
        try:
            current = self.specs.current()
        except SpecUnusable as error:
            return Refusal(error.fingerprint, ((str(error),), 0))
        if current.version == stands.enforced:
            return None
        match load_spec(current.data, version=current.version):
            case Invalid(problems):
                return Refusal(current.version, in_words(problems, self.file_name))
            case Valid(compiled=compiled) if why := unwritable(compiled, self.watch_records.all()):
                return Refusal(current.version, (why, 0))
            case Valid(compiled=compiled, warnings=warnings):
                new, standing = succeeding(stands.accepted, compiled), stands.digests
                digests = standing.baseline, standing.accepted, self.specs.keep(new)
                ground = OfVersion(current.version, stands.enforced or "", digests)
                versions = Versions(stands.baseline, stands.accepted, new)
                return Candidate(ground, versions, current.data, in_words(warnings, self.file_name))

    def _taking_over(self, job: AcceptSpec, stands: StandingVersions, waiting: dict[str, Hold]) -> Iterator[Candidate]:
        """The version in force, as it would take over documents that had changed before it did."""
        accepted, standing = stands.accepted, stands.digests
        if accepted is None or not stands.is_known:
            return
        grounds = [hold.ground for hold in waiting.values() if hold.ground.again]
        if job.moved is not None and (entry := spec_for(job.moved, accepted)) is not None:
            digests = standing.baseline, self.specs.keep(without(accepted, entry)), standing.accepted
            grounds.append(OfVersion(accepted.version, accepted.version, digests))
        for ground in grounds:
            older = self.specs.kept(ground.digests[1])
            if older is not None and ground.fits(standing.accepted, standing.baseline):
                yield Candidate(ground, Versions(stands.baseline, older, accepted))

    def _leave(
        self, cause: Cause, hold: Hold, stands: StandingVersions, current: Candidate | Refusal | None
    ) -> SpecAccepted | None:
        """A version that is not the bucket's current one any more, or that is in force."""
        is_new = not hold.ground.again or hold.state is HoldState.BEGUN
        if stands.accepted is not None and hold.ground.version == stands.accepted.version and is_new:
            before = self.specs.kept(hold.ground.digests[1]) if hold.ground.digests[1] else None
            return self._announce(cause, hold, before, stands.accepted)
        instead = current.ground.id if isinstance(current, Candidate) else ""
        self._carry_out(
            cause, hold, next_version(hold, VersionFacts(self.clock.now(), VersionPlace.SUPERSEDED, instead))
        )
        return None

    def _consider(
        self, cause: Cause, candidate: Candidate, stands: StandingVersions, hold: Hold | None
    ) -> SpecAccepted | HoldOpened | None:
        versions, now = candidate.versions, self.clock.now()
        hold = hold or self.holds.find(candidate.ground.id)
        is_kept = hold is not None and hold.ground == candidate.ground
        judged = self.verdicts.find(hold) if hold is not None and is_kept and hold.state in OPEN else None
        if hold is None or not is_kept:
            hold = seen_first(candidate.ground, candidate.what, cause, now)
        is_late = hold.state is HoldState.JUDGING and now - hold.since >= self.patience
        facts = VersionFacts(
            now,
            VersionPlace.CANDIDATE,
            by=cause,
            is_free=versions.only_observe and not versions.new.also_allowed,
            unknown=stands.unknown,
            can_be_judged=stands.can_be_compared,
            judged=judged,
            notes=self.verdicts.notes(hold) if is_late else {},
            patience=self.patience,
        )
        begun, effects = next_version(hold, facts)
        opened = self._carry_out(cause, hold, (begun, effects))
        if VersionEffect.TAKE_EFFECT not in effects:
            return opened
        judgement = (judged and judged.judgement) or Judgement()
        spec = spec_in_force(versions, judgement, now, by_person=begun.is_accepted)
        self.specs.accept(
            spec,
            over=stands.digests,
            text=self._text(candidate) if begun.is_accepted else None,
            at=None if candidate.ground.again else now,
        )
        return self._announce(cause, begun, versions.accepted, spec, candidate.warnings)

    def _carry_out(self, cause: Cause, hold: Hold, step: Step) -> HoldOpened | None:
        """Keep the next state of a version: what people hear of comes before it, what is asked for after it.

        That it takes effect, and that it is in force, is left to whoever has the version at hand.
        """
        following, effects = step
        opened = self.announcements.hold(cause, following) if VersionEffect.TELL in effects else None
        if following != hold:
            (self.holds.open if following.state in OPEN else self.holds.settle)(following)
        if VersionEffect.ASK in effects:
            has_to_read = following.asked is not None and following.asked.parts
            self.jobs.enqueue([(ReadForVersion if has_to_read else JudgeVersion)(cause, hold.id)])
        return opened

    def _announce(
        self, cause: Cause, hold: Hold, before: CompiledSpec | None, spec: CompiledSpec, warnings: Texts = ((), 0)
    ) -> SpecAccepted:
        """Announce a version that is in force, also one whose process died before it had."""
        by = cause if hold.asked is None else hold.asked.cause
        if hold.is_accepted and hold.decision is not None:
            by = decided(hold.decision)
        announced = self.announcements.in_force(by, before, spec, warnings)
        self._carry_out(cause, hold, next_version(hold, VersionFacts(self.clock.now(), VersionPlace.IN_FORCE)))
        if self.specs.refused():
            self.specs.note_refused("")
        return announced

    def _refuse(
        self, cause: Cause, current: Candidate | Refusal | None, stands: StandingVersions
    ) -> SpecRefused | None:
        """Report the bucket's current version once if it is refused, and that the accepted one is back."""
        if not isinstance(current, Refusal):
            if current is None and self.specs.refused():
                self.announcements.restored(cause, stands.enforced or "")
                self.specs.note_refused("")
            return None
        if self.specs.refused() == current.version:
            return None
        refusal = self.announcements.refused(cause, current.version, stands.enforced, current.problems)
        self.specs.note_refused(current.version)
        return refusal

    def _report_misplaced(self, cause: Cause, stray: Misplaced, stands: StandingVersions) -> SpecRefused | None:
        """Report each version of a file under another key once; without versioning, each upload once."""
        seen = stray.version or cause.id
        if self.specs.reported(stray.key) == seen:
            return None
        problem = f"'{printable(stray.key)}' is not read, only {self.file_name} is: upload the spec under that key"
        refusal = self.announcements.refused(cause, stray.version, stands.enforced, ((problem,), 0), misplaced=True)
        self.specs.note_reported(stray.key, seen)
        return refusal

    def _text(self, candidate: Candidate) -> bytes | None:
        if candidate.data is not None:
            return candidate.data
        try:
            return self.specs.text(candidate.ground.version)
        except SpecMissing:
            return None


def spec_in_force(versions: Versions, judgement: Judgement, now: datetime, *, by_person: bool) -> CompiledSpec:
    """A version as it takes effect; what was not judged it takes over whatever it is.

    Whoever accepts it has seen what it removes, so that the count of removals begins anew.
    """
    new, before = versions.new, versions.accepted
    earlier = {at: one for documents in new.taken_over.values() for at, one in documents.items()}
    taken = {at: one for at, one in earlier.items() if not rolls_out(before, new, at)}
    taken |= {at: DocumentTakeover(live, new.version) for at, live in judgement.taken_over.items()}
    removals = () if before is None else recent(before.removals, now)
    removals += (Removal(now, judgement.removed),) if judgement.removed else ()
    return replace(new, taken_over=by_target(taken), removals=() if by_person else removals)


def decided(decision: Decision) -> Cause:
    """The cause of what a person decided: the command, whichever job carries it out."""
    return Cause(
        CauseKind.CALLER, decision.id, decision.verdict, at=decision.at.isoformat(timespec="seconds"), actor=decision.by
    )
