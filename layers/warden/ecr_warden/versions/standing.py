"""What stands: the accepted version of the spec and the baseline, compiled again where another ecr-warden did."""

from copy import replace

from msgspec import Struct

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.alert import AlertBus
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Cause, CauseKind, reconcile_jobs
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.queue import Jobs
from ecr_warden.core.spec_failures import BaselineLost, SpecMissing
from ecr_warden.repair.alerts import COMPILED_SPEC, OwnChanged
from ecr_warden.repair.cutoff import keeps_trust_policy
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.specs import Specs, SpecsInForce
from ecr_warden.versions.baseline import baseline_of


class StandingVersions(Struct, frozen=True):
    """What stands, and what is known of it."""

    digests: SpecsInForce
    accepted: CompiledSpec | None
    """What can be read of it, if it is not known."""
    is_known: bool
    """Whether what the accepted version says is known; if not, nothing is enforced."""
    baseline: CompiledSpec | None
    lost: tuple[WaitReason, ...]
    """Why the baseline is unknown."""

    @property
    def enforced(self) -> str | None:
        """The version that is enforced; None if there is none, or what it says is unknown."""
        return self.accepted.version if self.accepted is not None and self.is_known else None

    @property
    def unknown(self) -> tuple[WaitReason, ...]:
        """Why no version can be judged against it, or not as it should be."""
        return self.lost if self.can_be_compared else (_NOT_KNOWN,)

    @property
    def can_be_compared(self) -> bool:
        """Whether a version can be judged against it, though perhaps not as it should be."""
        return self.accepted is None or self.is_known


class ReadStanding(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    jobs: Jobs
    alerts: AlertBus

    def read(self, cause: Cause) -> StandingVersions:
        """What stands, the accepted version compiled again if necessary; raises SpecSuperseded."""
        digests = self.specs.standing()
        try:
            accepted = self.specs.accepted()
            accepted, is_known = accepted and accepted.whole, True
        except CompiledUnusable as error:
            if error.place:
                self._report_changed(cause, error)
            accepted = self._compile_again(error)
            is_known = accepted is not None
            if accepted is None:
                accepted = error.rest()
            else:
                if error.place:
                    self.specs.note_reported(error.place, "")  # changed again, it is news
                digests = replace(digests, accepted=self.specs.keep(accepted))
        try:
            return StandingVersions(digests, accepted, is_known, baseline_of(self.specs), ())
        except BaselineLost as error:
            self._report_changed(cause, error)
            lost = WaitReason(WaitCode.NOT_JUDGED, error.message)
            return StandingVersions(digests, accepted, is_known, None, (lost,))

    def _compile_again(self, error: CompiledUnusable) -> CompiledSpec | None:
        """Compile the accepted version again from its text; None if the text is gone or no longer valid.

        Raises SpecSuperseded when another version was accepted meanwhile.
        """
        try:
            loaded = load_spec(self.specs.text(error.version), version=error.version, accepted=True)
        except SpecMissing:
            return None
        if not isinstance(loaded, Valid):
            return None
        rest, standing = error.rest(), self.specs.standing()
        compiled = replace(
            loaded.compiled,
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

    def _report_changed(self, cause: Cause, error: CompiledUnusable | BaselineLost) -> None:
        """Report once that somebody else changed what is kept; the actor of this job is not the culprit."""
        if self.specs.reported(error.place) != error.code:
            self.alerts.publish(OwnChanged(replace(cause, action="", actor=None), "", f"{COMPILED_SPEC} {error.place}"))
            self.specs.note_reported(error.place, error.code)


_NOT_KNOWN = WaitReason(
    WaitCode.NOT_JUDGED,
    "what the accepted version says cannot be known any more: it was compiled by another ecr-warden",
)
"""Why a version waits behind one that is not to be read: neither what it takes nor what it loosens is known."""
