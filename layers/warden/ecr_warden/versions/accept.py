"""A new version of the spec: accepted, held for a person, or refused; until then the accepted one stays in force."""

from collections.abc import Sequence
from copy import replace
from itertools import repeat

from msgspec import Struct

from ecr_warden.access_spec import Invalid, Problem, Valid, load_spec
from ecr_warden.collect.wiring import WatchRecords
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import Clock
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import AcceptSpec, AuditAccess, Cause, CauseKind, Misplaced, SweepAll, reconcile_jobs
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.queue import Jobs
from ecr_warden.core.spec_failures import BaselineLost, SpecMissing, SpecUnusable
from ecr_warden.repair.alerts import COMPILED_SPEC, OwnChanged
from ecr_warden.repair.cutoff import keeps_trust_policy
from ecr_warden.repair.targets import spec_for
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.history import HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.state.hold import Hold, HoldState, OfVersion
from ecr_warden.state.specs import BegunVersion, RefusedVersion, Specs, SpecsInForce, SpecVersion
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted, SpecRefused
from ecr_warden.versions.baseline import baseline_of
from ecr_warden.versions.changes import (
    Versions,
    changed_patterns,
    changed_targets,
    newly_removed_patterns,
    succeeding,
    without,
)
from ecr_warden.versions.pending_versions import Acceptance, PendingVersion, PendingVersions, decided
from ecr_warden.versions.unwritable import unwritable
from iam_access.text.printable import cut, few, first, printable

PROBLEMS_REPORTED = 50
PROBLEMS_RECORDED = 4

type _Texts = tuple[tuple[str, ...], int]
"""Sentences, and how many more there are."""


type Seen = SpecAccepted | SpecRefused | HoldOpened | None


class AcceptVersions(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    jobs: Jobs
    alerts: AlertBus
    log: HistoryLog
    clock: Clock
    file_name: str
    """Of the spec, in its problems."""
    pending: PendingVersions
    watch_records: WatchRecords

    def process(self, job: AcceptSpec) -> Seen:
        """Process the bucket's current version; None if it was accepted, refused, held or reported before.

        A version that has to be judged is looked at again by the next job. What a process that died had accepted and
        not yet announced is enqueued and announced by the next one.
        """
        # In this order, so that the current version is at least as new as the accepted one.
        standing, accepted, enforced = self._stands(job.cause)
        waiting = self.pending.keep.end_overdue(job.cause)
        if job.misplaced is not None:
            return self._report_misplaced(job.cause, job.misplaced, enforced)
        announced = self._announce_begun(job.cause, accepted)
        known = _Known(standing, *self._baseline(job.cause), accepted, enforced)
        seen = self._take_over_again(job, known, waiting) if enforced else None
        if isinstance(seen, SpecAccepted):
            return seen
        try:
            current = self.specs.current()
        except SpecUnusable as error:
            return self._refuse(job, error.fingerprint, enforced, (str(error),))
        if current.version == enforced:
            self._settle_others(job.cause, known, waiting)
            self._forget_refusal()
            return announced or seen
        match load_spec(current.data, version=current.version):
            case Invalid(problems):
                self._settle_others(job.cause, known, waiting)
                return self._refuse(job, current.version, enforced, *self._in_words(problems))
            case Valid(compiled=compiled) if why := unwritable(compiled, self.watch_records.all()):
                self._settle_others(job.cause, known, waiting)
                return self._refuse(job, current.version, enforced, why)
            case Valid(compiled=compiled, warnings=warnings):
                pending = self._pending(job.cause, known, current, succeeding(accepted, compiled))
                self._settle_others(job.cause, known, waiting, instead=pending.ground.id)
                return self._consider(job.cause, pending, self._in_words(warnings))

    def _pending(self, cause: Cause, known: "_Known", current: SpecVersion, new: CompiledSpec) -> PendingVersion:
        """The bucket's current version, against what stands."""
        standing, enforced = known.standing, known.enforced or ""
        ground = OfVersion(current.version, enforced, (standing.baseline, standing.accepted, self.specs.keep(new)))
        is_known = known.accepted is None or bool(enforced)
        unknown = known.lost if is_known else (WaitReason(WaitCode.NOT_JUDGED, _NOT_KNOWN),)
        versions = Versions(known.baseline, known.accepted, new)
        return PendingVersion(ground, versions, standing, cause, current.data, unknown, can_be_judged=is_known)

    def _take_over_again(self, job: AcceptSpec, known: "_Known", waiting: Sequence[Hold]) -> Seen:
        """What becomes of documents that the version in force takes over, and that had changed before it did."""
        accepted, standing, seen = known.accepted, known.standing, None
        assert accepted is not None
        grounds = {hold.id: hold.ground for hold in waiting if hold.ground.again}
        entry = spec_for(job.moved, accepted) if job.moved is not None else None
        if entry is not None:
            digests = standing.baseline, self.specs.keep(without(accepted, entry)), standing.accepted
            ground = OfVersion(accepted.version, accepted.version, digests)
            grounds[ground.id] = ground
        for ground in grounds.values():
            older = self.specs.kept(ground.digests[1])
            if older is None or not ground.fits(standing.accepted, standing.baseline):
                continue
            pending = PendingVersion(
                ground, Versions(known.baseline, older, accepted), standing, job.cause, unknown=known.lost
            )
            seen = self._consider(job.cause, pending, ((), 0)) or seen
            if isinstance(seen, SpecAccepted):
                break
        return seen

    def _consider(self, cause: Cause, pending: PendingVersion, warnings: _Texts) -> SpecAccepted | HoldOpened | None:
        found = self.pending.consider(cause, pending)
        if not isinstance(found, Acceptance):
            return found
        done = self._accept(found, pending, warnings)
        if found.hold is not None:
            self.pending.keep.settle(cause, found.hold, found.state)
        return done

    def _settle_others(self, cause: Cause, known: "_Known", waiting: Sequence[Hold], instead: str = "") -> None:
        """Settle the holds on versions that are not the bucket's current one any more, or that are in force."""
        keep, standing = self.pending.keep, known.standing
        for hold in waiting:
            if hold.id == instead or (hold.ground.again and hold.ground.fits(standing.accepted, standing.baseline)):
                continue
            if hold.ground.version == known.enforced and not hold.ground.again:
                # It was carried out by a process that died before it kept that.
                keep.settle(cause, hold, HoldState.ACCEPTED if hold.is_accepted else HoldState.JUDGED)
            elif hold.is_rejected:
                keep.settle(cause, hold, HoldState.REJECTED)
            else:
                keep.settle(cause, hold, HoldState.VOID, instead=instead)

    def _baseline(self, cause: Cause) -> tuple[CompiledSpec | None, tuple[WaitReason, ...]]:
        """The baseline, and why it is not known, which is reported once."""
        try:
            return baseline_of(self.specs), ()
        except BaselineLost as error:
            self._report_changed(cause, error)
            return None, (WaitReason(WaitCode.NOT_JUDGED, error.message),)

    def _in_words(self, problems: Sequence[Problem]) -> _Texts:
        shown, left_out = few(problems, PROBLEMS_REPORTED)
        return tuple(problem.at(self.file_name) for problem in shown), left_out

    def compile_again(self, error: CompiledUnusable) -> CompiledSpec | None:
        """Compile the accepted version again from its text; None if the text is gone or no longer valid.

        Raises SpecSuperseded when another version was accepted meanwhile.
        """
        read = self._read_again(error.version)
        if read is None:
            return None
        rest, standing = error.rest(), self.specs.standing()
        compiled = replace(
            read,
            removals=rest.removals,
            removed=rest.removed,
            removed_patterns=rest.removed_patterns,
            taken_over=rest.taken_over,
        )
        self.specs.accept(compiled, over=standing)
        if not error.place:
            # Before a sweep finds what this release writes otherwise, and takes it for tampering.
            roles = [entry.target for entry in compiled.targets.values() if keeps_trust_policy(entry)]
            self.jobs.enqueue(reconcile_jobs(Cause(CauseKind.SPEC, compiled.version), roles))
        return compiled

    def _stands(self, cause: Cause) -> tuple[SpecsInForce, CompiledSpec | None, str | None]:
        """What stands: the accepted spec, compiled again if necessary, and the version that is enforced.

        If it cannot be compiled again, its content is unknown and nothing is enforced.
        """
        standing = self.specs.standing()
        try:
            accepted = self.specs.accepted()
            accepted = accepted and accepted.whole
        except CompiledUnusable as error:
            if error.place:
                self._report_changed(cause, error)
            accepted = self.compile_again(error)
            if accepted is None:
                return standing, error.rest(), None
            if error.place:
                self.specs.note_misplaced(error.place, "")  # changed again, it is news
            standing = replace(standing, accepted=self.specs.keep(accepted))
        return standing, accepted, accepted.version if accepted else None

    def _report_changed(self, cause: Cause, error: CompiledUnusable | BaselineLost) -> None:
        """Report once that somebody else changed what is kept; the actor of this job is not the culprit."""
        if self.specs.misplaced(error.place) != error.code:
            unknown = replace(cause, action="", actor=None)
            self.alerts.publish(OwnChanged(unknown, "", f"{COMPILED_SPEC} {error.place}"))
            self.specs.note_misplaced(error.place, error.code)

    def _report_misplaced(self, cause: Cause, stray: Misplaced, enforced: str | None) -> SpecRefused | None:
        """Report each version of a file under another key once; without versioning, each upload once."""
        seen = stray.version or cause.id
        if self.specs.misplaced(stray.key) == seen:
            return None
        problem = f"'{printable(stray.key)}' is not read, only {self.file_name} is: upload the spec under that key"
        refusal = SpecRefused(cause, stray.version, enforced, (problem,))
        self._announce_refusal(refusal)
        self.specs.note_misplaced(stray.key, seen)
        return refusal

    def _refuse(
        self, job: AcceptSpec, version: str, enforced: str | None, problems: tuple[str, ...], left_out: int = 0
    ) -> SpecRefused | None:
        if self.specs.noted() == RefusedVersion(version):
            return None
        refusal = SpecRefused(job.cause, version, enforced, problems, left_out)
        self._announce_refusal(refusal)
        self.specs.note(RefusedVersion(version))
        return refusal

    def _announce_refusal(self, refusal: SpecRefused) -> None:
        self.alerts.publish(refusal)
        texts = (*(cut(problem, 300) for problem in refusal.problems), *repeat("", refusal.left_out))
        self._record(HistoryKind.SPEC_REFUSED, refusal, "; ".join(first(texts, PROBLEMS_RECORDED)))

    def _record(self, kind: HistoryKind, alert: SpecAccepted | SpecRefused, text: str) -> None:
        self.log.record(HistoryEntry(kind, self.clock.now(), alert.version, alert.cause.actor, text))

    def _forget_refusal(self) -> None:
        """A spec that was deleted, came back and is deleted again is reported again."""
        if self.specs.noted() is not None:
            self.specs.note(None)

    def _accept(self, found: Acceptance, pending: PendingVersion, warnings: _Texts) -> SpecAccepted:
        spec, accepted = found.spec, pending.versions.accepted
        # Nothing else would show the next process what this one may leave to do.
        self.specs.note(BegunVersion(spec.version, accepted.version if accepted else ""))
        self.specs.accept(spec, over=pending.standing, text=found.text)
        announced = self._announce(found.by, accepted, spec, warnings)
        self._forget_refusal()
        return announced

    def _announce_begun(self, cause: Cause, accepted: CompiledSpec | None) -> SpecAccepted | None:
        """Announce the accepted version if the process that accepted it died before it had."""
        noted = self.specs.noted()
        if accepted is None or not isinstance(noted, BegunVersion) or noted.version != accepted.version:
            return None
        last = self.pending.holds.last_of(accepted.version)
        by = cause if last is None or last.decision is None else decided(last.decision)
        # Everything counts as changed if there was no earlier version, or it is gone.
        announced = self._announce(by, self._read_again(noted.replaces), accepted)
        self._forget_refusal()
        return announced

    def _read_again(self, version: str) -> CompiledSpec | None:
        """A version that was accepted, from its text; None if the text is gone or no longer valid, or for ""."""
        try:
            loaded = load_spec(self.specs.text(version), version=version, accepted=True) if version else None
        except SpecMissing:
            return None
        return loaded.compiled if isinstance(loaded, Valid) else None

    def _announce(
        self, by: Cause, accepted: CompiledSpec | None, compiled: CompiledSpec, warnings: _Texts = ((), 0)
    ) -> SpecAccepted:
        """Enqueue what the version changes against the one that it replaces, and announce it."""
        changed = changed_targets(accepted, compiled)
        patterns = changed_patterns(accepted, compiled)
        left = newly_removed_patterns(compiled)
        cause = Cause(CauseKind.SPEC, compiled.version, at=by.at, actor=by.actor)
        self.jobs.enqueue(reconcile_jobs(cause, changed))
        if accepted is None or patterns or left:
            # Of the first nothing is known yet; and only AWS knows which repositories fit.
            self.jobs.enqueue([SweepAll(cause)])
        self.jobs.enqueue([AuditAccess(cause)])
        announcement = SpecAccepted(
            cause=by,
            version=compiled.version,
            replaces=accepted.version if accepted else None,
            changed=(
                *(target.key for target in changed),
                *dict.fromkeys(pattern.target.key for pattern in (*patterns, *(pattern.pattern for pattern in left))),
            ),
            warnings=warnings[0],
            left_out=(0, warnings[1]),
        )
        self.alerts.publish(announcement)
        self._record(HistoryKind.SPEC_ACCEPTED, announcement, _effect(announcement))
        return announcement


class _Known(Struct, frozen=True):
    """What stands: `enforced` is the version in force, None if what it says is unknown."""

    standing: SpecsInForce
    baseline: CompiledSpec | None
    lost: tuple[WaitReason, ...]
    """Why the baseline is unknown."""
    accepted: CompiledSpec | None
    enforced: str | None


_NOT_KNOWN = "what the accepted version says cannot be known any more: it was compiled by another ecr-warden"
"""Why a version waits behind one that is not to be read: neither what it takes nor what it loosens is known."""


def _effect(accepted: SpecAccepted) -> str:
    replaces = f"replaces {accepted.replaces}" if accepted.replaces else "the first"
    counts = {
        "changed": len(accepted.changed),
        "warnings": len(accepted.warnings) + accepted.left_out[1],
    }
    return ", ".join([replaces, *(f"{count} {what}" for what, count in counts.items() if count)])
