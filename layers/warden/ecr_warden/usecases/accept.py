"""A new version of the desired-state file: accepted if valid, else refused while the accepted one stays in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ecr_warden.model.address import AddressKind, is_our_policy
from ecr_warden.model.alert import COMPILED_SPEC, OwnChanged, SpecAccepted, SpecRefused
from ecr_warden.model.desired import CompiledSpec, Departed, Mode, RepositoryPattern, TargetSpec
from ecr_warden.model.job import AcceptSpec, Cause, CauseKind, Misplaced, ReconcileTarget, SweepSlice
from ecr_warden.model.target import RepositoryTarget, Target
from ecr_warden.ports.alerts import Outcomes
from ecr_warden.ports.jobs import Jobs
from ecr_warden.ports.specs import CompiledUnusable, SpecMissing, Specs, SpecTampered, SpecUnusable
from ecr_warden.spec import Invalid, Valid, compile_spec, load_spec
from ecr_warden.usecases.order import registry_first

PROBLEMS_TOLD = 50
KEY_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Accept:
    """The use case over its ports; `file_name` is what problems call the file."""

    specs: Specs
    jobs: Jobs
    outcomes: Outcomes
    file_name: str

    def __call__(self, job: AcceptSpec) -> SpecAccepted | SpecRefused | None:
        """Look at the bucket's current version; None when it is accepted or refused already, or was told of.

        A process that dies after accepting and before enqueuing costs time: the next sweep finds what differs.
        """
        # In this order: what is current is at least as new as what is accepted, and never taken for its successor.
        accepted, enforced = self._accepted(job.cause)
        if job.misplaced is not None:
            return self._tell_misplaced(job.cause, job.misplaced, enforced)
        try:
            current = self.specs.current()
        except SpecUnusable as error:
            return self._refuse(job, error.seen, enforced, (str(error),))
        if current.version == enforced:
            self._forget_refusal()
            return None
        match load_spec(current.data):
            case Invalid(problems):
                told = tuple(problem.at(self.file_name) for problem in problems[:PROBLEMS_TOLD])
                return self._refuse(job, current.version, enforced, told)
            case Valid(spec, warnings):
                compiled = compile_spec(spec, version=current.version)
                told = tuple(problem.at(self.file_name) for problem in warnings[:PROBLEMS_TOLD])
                return self._accept(job, accepted, compiled, told)

    def compile_again(self, error: CompiledUnusable) -> CompiledSpec | None:
        """Compile the accepted version from its text and keep that; None if it is kept no longer, or no longer valid.

        Raises SpecSuperseded when another version was accepted meanwhile.
        """
        try:
            loaded = load_spec(self.specs.text(error.version))
        except SpecMissing:
            return None
        if isinstance(loaded, Invalid):
            return None
        departed = {entry.target.key: entry for entry in error.departed}
        compiled = replace(compile_spec(loaded.spec, version=error.version), departed=departed)
        self.specs.accept(compiled, replaces=error.version)
        return compiled

    def _accepted(self, cause: Cause) -> tuple[CompiledSpec | None, str | None]:
        """The accepted version, compiled again if it has to be, and which version is enforced.

        Where it cannot be compiled either, nothing is known of what it said and nothing is enforced.
        """
        try:
            accepted = self.specs.accepted()
        except SpecTampered as error:
            self._tell_tampered(cause, error)
            raise
        except CompiledUnusable as error:
            accepted = self.compile_again(error)
            if accepted is None:
                departed = {entry.target.key: entry for entry in error.departed}
                return CompiledSpec(error.version, Mode.OBSERVE, (), {}, departed), None
        return accepted, accepted.version if accepted else None

    def _tell_tampered(self, cause: Cause, error: SpecTampered) -> None:
        """Tell once that the compiled spec was written by somebody else; whoever caused this job did not do it."""
        seen = f"{error.code} {error.place}"
        if self.specs.refused() != seen:
            unknown = replace(cause, action="", actor=None)
            self.outcomes.publish(OwnChanged(unknown, "", f"{COMPILED_SPEC} {error.place}"))
            self.specs.refuse(seen)

    def _tell_misplaced(self, cause: Cause, stray: Misplaced, enforced: str | None) -> SpecRefused | None:
        """Tell once of each version of a file under another key; without versions, once of each upload."""
        seen = stray.version or cause.id
        if self.specs.misplaced(stray.key) == seen:
            return None
        problem = f"{_shown(stray.key)} is not read, only {self.file_name} is: upload the spec under that key"
        refusal = SpecRefused(cause, stray.version, enforced, (problem,))
        self.outcomes.publish(refusal)
        self.specs.tell_misplaced(stray.key, seen)
        return refusal

    def _refuse(
        self, job: AcceptSpec, version: str, enforced: str | None, problems: tuple[str, ...]
    ) -> SpecRefused | None:
        if self.specs.refused() == version:
            return None
        refusal = SpecRefused(job.cause, version, enforced, problems)
        self.outcomes.publish(refusal)
        self.specs.refuse(version)
        return refusal

    def _forget_refusal(self) -> None:
        """A file that was gone and is back, and is gone again, is told of again."""
        if self.specs.refused():
            self.specs.refuse("")

    def _accept(
        self, job: AcceptSpec, accepted: CompiledSpec | None, compiled: CompiledSpec, warnings: tuple[str, ...]
    ) -> SpecAccepted:
        before: Mapping[str, TargetSpec] = accepted.targets if accepted else {}
        compiled = replace(compiled, departed=_departed(accepted, compiled))
        changed = _changed(before, compiled)
        changes_mode = accepted is not None and accepted.mode is not compiled.mode
        patterns = _changed_patterns(accepted, compiled)
        if changes_mode:
            changed = tuple(dict.fromkeys((*(spec.target for spec in compiled.targets.values()), *changed)))
        self.specs.accept(compiled, replaces=accepted.version if accepted else None)
        cause = Cause(CauseKind.SPEC, compiled.version, at=job.cause.at, actor=job.cause.actor)
        self.jobs.enqueue(ReconcileTarget(cause, target) for target in sorted(changed, key=registry_first))
        if patterns or (changes_mode and compiled.patterns):
            # Which repositories fit is known to AWS alone.
            self.jobs.enqueue([SweepSlice(cause)])
        announcement = SpecAccepted(
            cause=job.cause,
            version=compiled.version,
            replaces=accepted.version if accepted else None,
            changed=(*(target.key for target in changed), *(pattern.target.key for pattern in patterns)),
            released=(*_released(before, compiled), *_released_of_patterns(accepted, compiled)),
            warnings=warnings,
        )
        self.outcomes.publish(announcement)
        self._forget_refusal()
        return announcement


def _shown(key: str) -> str:
    """A key as people may have chosen it to be read: in quotes, printable, bounded."""
    shown = ascii(key)
    return shown if len(shown) <= KEY_SHOWN else f"{shown[: KEY_SHOWN - 4]}...{shown[0]}"


def _changed(before: Mapping[str, TargetSpec], after: CompiledSpec) -> tuple[Target, ...]:
    """Targets whose desired documents differ; a repository that left the spec keeps its own unless it is revoked."""
    changed: list[Target] = [
        spec.target for key, spec in after.targets.items() if _desired(before.get(key)) != _desired(spec)
    ]
    changed += [
        spec.target
        for key, spec in before.items()
        if key not in after.targets and (key in after.departed or _differs_now(spec, after))
    ]
    return tuple(changed)


def _differs_now(spec: TargetSpec, after: CompiledSpec) -> bool:
    """Whether something has to be done about what is no longer named: a pattern may say now what a repository is."""
    if not isinstance(spec.target, RepositoryTarget):
        return True
    now = after.spec_of(spec.target)
    return now is not None and _desired(now) != _desired(spec)


def _changed_patterns(before: CompiledSpec | None, after: CompiledSpec) -> tuple[RepositoryPattern, ...]:
    known = before.patterns if before else ()
    return tuple(pattern for pattern in after.patterns if pattern not in known)


def _released_of_patterns(before: CompiledSpec | None, after: CompiledSpec) -> Iterator[str]:
    """The patterns that left, and what a pattern leaves out that it did not before."""
    now = {pattern.target: pattern for pattern in after.patterns}
    for pattern in before.patterns if before else ():
        if pattern.target not in now:
            yield pattern.target.key
            continue
        for name in now[pattern.target].excluded:
            left = replace(pattern.target, name=name)
            if name not in pattern.excluded and left not in now and after.spec_of(left) is None:
                yield left.key


def _departed(before: CompiledSpec | None, after: CompiledSpec) -> dict[str, Departed]:
    """What has to lose what it holds: what this version takes away, and what those before it did.

    Users and roles of an account that the spec still names need no entry: a sweep finds whatever they hold of ours.
    """
    if before is None:
        return {}
    leaving = {
        key: Departed(spec.target, after.version)
        for key, spec in before.targets.items()
        if spec.revoke_on_remove or (_holds_ours(spec) and spec.target.account not in after.accounts)
    }
    return {
        key: entry
        for key, entry in sorted({**before.departed, **leaving}.items())
        if after.spec_of(entry.target) is None
        and (isinstance(entry.target, RepositoryTarget) or entry.target.account not in after.accounts)
    }


def _holds_ours(spec: TargetSpec) -> bool:
    """Whether a user or role has something that a grant gave it, and not literal documents alone."""
    is_owner = not isinstance(spec.target, RepositoryTarget)
    return is_owner and any(address.kind is AddressKind.ROLE or is_our_policy(address) for address in spec.documents)


def _desired(spec: TargetSpec | None) -> object:
    """What of a target's entry its documents can differ from; who else is looked at after it is no part of that."""
    return None if spec is None else (spec.extent, spec.documents, spec.foreign)


def _released(before: Mapping[str, TargetSpec], after: CompiledSpec) -> tuple[str, ...]:
    """What left the spec and keeps its documents: repositories, and literal documents of an account that left."""
    return tuple(
        key
        for key, spec in before.items()
        if after.spec_of(spec.target) is None
        and key not in after.departed
        and (isinstance(spec.target, RepositoryTarget) or spec.target.account not in after.accounts)
    )
