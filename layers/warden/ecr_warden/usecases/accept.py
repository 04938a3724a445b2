"""A new version of the spec: accepted, held for a person, or refused; until then the accepted one stays in force."""

from collections.abc import Sequence
from copy import replace
from itertools import repeat

from msgspec import Struct

from ecr_warden.model.alert import COMPILED_SPEC, HoldOpened, OwnChanged, SpecAccepted, SpecRefused
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.hold import Hold, HoldState, OfVersion
from ecr_warden.model.job import AcceptSpec, Cause, CauseKind, Misplaced, ProveAccess, SweepAll
from ecr_warden.model.request import AuditEntry, AuditKind
from ecr_warden.planning.versions import (
    changed_patterns,
    changed_targets,
    newly_released,
    newly_removed_patterns,
    succeeding,
)
from ecr_warden.policy.printable import cut, few, first, printable
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.errors import CompiledUnusable, SpecMissing, SpecTampered, SpecUnusable
from ecr_warden.ports.hub import Clock, Jobs
from ecr_warden.ports.store import Audit, Holds, Specs
from ecr_warden.spec import Invalid, Problem, Valid, load_spec
from ecr_warden.usecases.holds import Judge, KeepHolds
from ecr_warden.usecases.jobs import reconcile_jobs

PROBLEMS_REPORTED = 50
PROBLEMS_RECORDED = 4

type _Texts = tuple[tuple[str, ...], int]
"""Sentences, and how many more there are."""


class Accept(Struct, frozen=True):
    """The use case over its ports; `file_name`: of the spec, in its problems."""

    specs: Specs
    jobs: Jobs
    alerts: AlertBus
    audit: Audit
    clock: Clock
    file_name: str
    holds: Holds
    judge: Judge

    def __call__(self, job: AcceptSpec) -> SpecAccepted | SpecRefused | HoldOpened | None:
        """Process the bucket's current version; None if it was accepted, refused, held or reported before.

        What a process that died had accepted and not yet announced is enqueued and announced by the next one.
        """
        # In this order, so that the current version is at least as new as the accepted one.
        accepted, enforced = self._accepted(job.cause)
        self._keep.end_overdue(job.cause)
        if job.misplaced is not None:
            return self._report_misplaced(job.cause, job.misplaced, enforced)
        try:
            current = self.specs.current()
        except SpecUnusable as error:
            return self._refuse(job, error.fingerprint, enforced, (str(error),))
        announced = self._announce_begun(job.cause, accepted)
        if current.version == enforced:
            self._keep.void_versions(job.cause, enforced=enforced)
            self._forget_refusal()
            return announced
        ground = OfVersion(current.version, enforced or "")
        self._keep.void_versions(job.cause, enforced=enforced, instead=ground.id)
        hold = self.holds.find(ground.id)
        if hold is not None and hold.state is HoldState.VOID:
            # The version that made it void is gone again: nothing waits, and nobody has decided.
            hold = None
        if hold is not None and not hold.is_accepted:
            if hold.is_rejected:
                self._keep.settle(job.cause, hold, HoldState.REJECTED)
            return None
        match load_spec(current.data, version=current.version):
            case Invalid(problems):
                return self._refuse(job, current.version, enforced, *self._in_words(problems))
            case Valid(compiled=compiled, warnings=warnings):
                compiled = succeeding(accepted, compiled)
                if hold is None:
                    judged = self.judge(accepted, compiled)
                    why = judged.why if accepted is None or enforced else (_NOT_KNOWN, *judged.why)
                    if why:
                        what = f"version {compiled.version} of the spec"
                        return self._keep.open(job.cause, ground, what, why, judged.effects)
                    compiled = replace(compiled, removals=judged.removals)
                done = self._accept(_decided(job.cause, hold), accepted, compiled, self._in_words(warnings))
                if hold is not None:
                    self._keep.settle(job.cause, hold, HoldState.ACCEPTED)
                return done

    def _in_words(self, problems: Sequence[Problem]) -> _Texts:
        shown, left_out = few(problems, PROBLEMS_REPORTED)
        return tuple(problem.at(self.file_name) for problem in shown), left_out

    @property
    def _keep(self) -> KeepHolds:
        return KeepHolds(self.holds, self.alerts, self.audit, self.clock)

    def compile_again(self, error: CompiledUnusable) -> CompiledSpec | None:
        """Compile the accepted version again from its text; None if the text is gone or no longer valid.

        Raises SpecSuperseded when another version was accepted meanwhile.
        """
        try:
            loaded = load_spec(self.specs.text(error.rest.version), version=error.rest.version, kept=True)
        except SpecMissing:
            return None
        if isinstance(loaded, Invalid):
            return None
        rest = error.rest
        compiled = replace(
            loaded.compiled,
            removals=rest.removals,
            removed=rest.removed,
            removed_patterns=rest.removed_patterns,
            released=rest.released,
        )
        self.specs.accept(compiled, replaces=rest.version)
        return compiled

    def _accepted(self, cause: Cause) -> tuple[CompiledSpec | None, str | None]:
        """The accepted spec, compiled again if necessary, and the version that is enforced.

        If it cannot be compiled again, its content is unknown and nothing is enforced.
        """
        try:
            accepted = self.specs.accepted()
        except SpecTampered as error:
            self._report_tampered(cause, error)
            raise
        except CompiledUnusable as error:
            accepted = self.compile_again(error)
            if accepted is None:
                return error.rest, None
        return accepted, accepted.version if accepted else None

    def _report_tampered(self, cause: Cause, error: SpecTampered) -> None:
        """Report once that somebody else wrote the compiled spec; the actor of this job is not the culprit."""
        seen = f"{error.code} {error.place}"
        if self.specs.refused() != seen:
            unknown = replace(cause, action="", actor=None)
            self.alerts.publish(OwnChanged(unknown, "", f"{COMPILED_SPEC} {error.place}"))
            self.specs.refuse(seen)

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
        if self.specs.refused() == version:
            return None
        refusal = SpecRefused(job.cause, version, enforced, problems, left_out)
        self._announce_refusal(refusal)
        self.specs.refuse(version)
        return refusal

    def _announce_refusal(self, refusal: SpecRefused) -> None:
        self.alerts.publish(refusal)
        texts = (*(cut(problem, 300) for problem in refusal.problems), *repeat("", refusal.left_out))
        self._record(AuditKind.SPEC_REFUSED, refusal, "; ".join(first(texts, PROBLEMS_RECORDED)))

    def _record(self, kind: AuditKind, alert: SpecAccepted | SpecRefused, text: str) -> None:
        self.audit.record(AuditEntry(kind, self.clock.now(), alert.version, alert.cause.actor, text))

    def _forget_refusal(self) -> None:
        """A spec that was deleted, came back and is deleted again is reported again."""
        if self.specs.refused():
            self.specs.refuse("")

    def _accept(
        self, by: Cause, accepted: CompiledSpec | None, compiled: CompiledSpec, warnings: _Texts
    ) -> SpecAccepted:
        # Nothing else would show the next process what this one may leave to do.
        self.specs.refuse(f"{_begun(compiled.version)}{accepted.version if accepted else ''}")
        self.specs.accept(compiled, replaces=accepted.version if accepted else None)
        announced = self._announce(by, accepted, compiled, warnings)
        self._forget_refusal()
        return announced

    def _announce_begun(self, cause: Cause, accepted: CompiledSpec | None) -> SpecAccepted | None:
        """Announce the accepted version if the process that accepted it died before it had."""
        seen = self.specs.refused() or ""
        if accepted is None or not seen.startswith(_begun(accepted.version)):
            return None
        replaced = seen.removeprefix(_begun(accepted.version))
        by = _decided(cause, self.holds.find(OfVersion(accepted.version, replaced).id))
        announced = self._announce(by, self._earlier(replaced), accepted)
        self._forget_refusal()
        return announced

    def _earlier(self, version: str) -> CompiledSpec | None:
        """An earlier version; None if there was none or it is gone: then everything counts as changed."""
        try:
            loaded = load_spec(self.specs.text(version), version=version, kept=True) if version else None
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
        if patterns or left:
            # Only AWS knows which repositories fit.
            self.jobs.enqueue([SweepAll(cause)])
        self.jobs.enqueue([ProveAccess(cause)])
        announcement = SpecAccepted(
            cause=by,
            version=compiled.version,
            replaces=accepted.version if accepted else None,
            changed=(
                *(target.key for target in changed),
                *dict.fromkeys(one.target.key for one in (*patterns, *(one.pattern for one in left))),
            ),
            released=tuple(dict.fromkeys(one.address.target.key for one in newly_released(compiled))),
            warnings=warnings[0],
            left_out=(0, 0, warnings[1]),
        )
        self.alerts.publish(announcement)
        self._record(AuditKind.SPEC_ACCEPTED, announcement, _effect(announcement))
        return announcement


_NOT_KNOWN = "what the accepted version says cannot be known any more: it was compiled by another ecr-warden"
"""Why a version waits behind one that is not to be read: neither what it takes nor what it loosens is known."""


def _decided(cause: Cause, hold: Hold | None) -> Cause:
    """The cause of an acceptance: the person's command, whichever job carries it out."""
    decision = None if hold is None else hold.decision
    if decision is None:
        return cause
    at = decision.at.isoformat(timespec="seconds")
    return Cause(CauseKind.CALLER, decision.id, decision.verdict, at=at, actor=decision.by)


def _begun(version: str) -> str:
    """Stands in place of a refused version, before the one that is replaced, until the version was announced."""
    return f"accepting {version} after "


def _effect(accepted: SpecAccepted) -> str:
    replaces = f"replaces {accepted.replaces}" if accepted.replaces else "the first"
    counts = {
        "changed": len(accepted.changed),
        "released": len(accepted.released),
        "warnings": len(accepted.warnings) + accepted.left_out[2],
    }
    return ", ".join([replaces, *(f"{count} {what}" for what, count in counts.items() if count)])
