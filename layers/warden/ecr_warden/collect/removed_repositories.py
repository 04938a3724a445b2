"""What a sweep reads although the spec no longer names it: repositories that left patterns."""

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from ecr_warden.core.desired import CompiledSpec, RemovedPattern, RepositoryPattern, TargetSpec
from ecr_warden.core.observed import Observation
from ecr_warden.core.part import part_of
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.repair.targets import orphan_spec
from ecr_warden.state.sweeps import SweepRecord


class RemovedRepositories(Struct, frozen=True):
    """What one part of a sweep has to look at, by the accepted spec and the record of the sweep before."""

    accepted: CompiledSpec
    removed: tuple[RemovedPattern, ...] = ()
    """Patterns that some repositories may still have to leave."""
    cleared: frozenset[str] = frozenset()
    """Keys of the patterns that all repositories have left."""

    @property
    def patterns(self) -> list[RepositoryPattern]:
        """What has to be listed, each once."""
        every = [pattern.pattern for pattern in self.removed]
        return [pattern for index, pattern in enumerate(every) if pattern not in every[:index]]

    def specs(self, listed: Iterable[RepositoryTarget]) -> Iterator[TargetSpec]:
        """How to read each repository that is looked at, of those listed."""
        for target in sorted(listed):
            if self.accepted.spec_of(target) is None and target.key not in self.accepted.removed:
                target_spec = orphan_spec(target, self.accepted) if self.is_asked(target) else None
                if target_spec is not None:
                    yield target_spec

    def is_asked(self, target: Target) -> bool:
        """Whether anything is asked of a target; nothing is of a repository that left a pattern and is left alone."""
        left = self.accepted.pattern_left_by(target)
        return left is None or left.key not in self.cleared

    def after(self, found: Collection[Observation], due: Collection[str]) -> frozenset[str]:
        """What is cleared, once everything was read; `due`: keys of the targets to reconcile."""
        leaving = {
            left.key
            for observation in found
            if observation.target.key in due and (left := self.accepted.pattern_left_by(observation.target)) is not None
        }
        return self.cleared | {pattern.key for pattern in self.removed if pattern.key not in leaving}


def removed_repositories(accepted: CompiledSpec, part: str, before: SweepRecord | None) -> RemovedRepositories:
    """What a sweep of a part has to look at; in an account that the spec does not name, only what has to be removed."""
    cleared = frozenset[str]() if before is None else before.cleared
    removed = {pattern.key: pattern for pattern in accepted.removed_patterns if part_of(pattern.pattern.target) == part}
    return RemovedRepositories(
        accepted, tuple(pattern for key, pattern in removed.items() if key not in cleared), cleared & {*removed}
    )
