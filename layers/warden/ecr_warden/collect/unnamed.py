"""What a sweep reads although the spec no longer names it: repositories that left patterns, and released policies."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from ecr_warden.core.desired import CompiledSpec, Mode, MustNotExist, RemovedPattern, RepositoryPattern, TargetSpec
from ecr_warden.core.observed import Observation
from ecr_warden.core.part import part_of
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.repair.orphans import has_no_policy
from ecr_warden.repair.targets import orphan_spec, to_look_at
from ecr_warden.state.sweeps import SweepRecord

MOST_LEFT = 1000


class Unnamed(Struct, frozen=True):
    """What one part of a sweep has to look at, by the accepted spec and the record of the sweep before.

    `removed`: patterns that some repositories may still have to leave; `released`: by its key, each released policy of
    which something may be left, as a pattern; `left`: by name, the repositories that keep another policy than their
    pattern gave, and the version that left it.
    """

    accepted: CompiledSpec
    removed: tuple[RemovedPattern, ...] = ()
    released: Mapping[str, RepositoryPattern] = {}
    left: Mapping[str, str] = {}
    cleared: frozenset[str] = frozenset()

    @property
    def patterns(self) -> list[RepositoryPattern]:
        """What has to be listed, each once."""
        every = [*(pattern.pattern for pattern in self.removed), *self.released.values()]
        return [pattern for index, pattern in enumerate(every) if pattern not in every[:index]]

    def specs(self, part: str, listed: Iterable[RepositoryTarget]) -> Iterator[TargetSpec]:
        """How to read each repository that is looked at, of those listed and of those left before."""
        account, _, region = part.partition("/")
        kept = (RepositoryTarget(account, region, name) for name in self.left)
        for target in sorted({*listed, *kept}):
            if self.accepted.spec_of(target) is None and target.key not in self.accepted.removed:
                target_spec = orphan_spec(target, self.accepted) if self.is_asked(target) else None
                yield target_spec or to_look_at(target)

    def is_asked(self, target: Target) -> bool:
        """Whether anything is asked of a target; nothing is of a repository that left a pattern and is left alone."""
        left = self.accepted.pattern_left_by(target)
        return left is None or left.key not in self.cleared

    def after(self, found: Collection[Observation], due: Collection[str]) -> tuple[Mapping[str, str], frozenset[str]]:
        """What is left, and what is cleared, once everything was read; `due`: keys of the targets to reconcile."""
        unnamed = {
            observation.target: observation
            for observation in found
            if isinstance(observation.target, RepositoryTarget) and self.accepted.spec_of(observation.target) is None
        }
        left = {
            target.name: since
            for target, observation in unnamed.items()
            if not has_no_policy(observation) and (since := self._left_since(target, due)) is not None
        }
        cleared = {
            pattern.key
            for pattern in self.removed
            if not any(target.key in due and pattern == self.accepted.pattern_left_by(target) for target in unnamed)
        } | {
            key
            for key, pattern in self.released.items()
            if all(has_no_policy(observation) for target, observation in unnamed.items() if pattern.covers(target))
        }
        return dict(sorted(left.items())[:MOST_LEFT]), self.cleared | cleared

    def _left_since(self, target: RepositoryTarget, due: Collection[str]) -> str | None:
        """The version that left a repository's policy as it is; None if it is about to be deleted."""
        if target.key in due and self.accepted.mode_of(target) is Mode.ENFORCE:
            return None
        leaving = self.accepted.pattern_left_by(target) if self.is_asked(target) else None
        return self.left.get(target.name, None if leaving is None else leaving.since)


def unnamed(accepted: CompiledSpec, part: str, before: SweepRecord | None) -> Unnamed:
    """What a sweep of a part has to look at; in an account that the spec does not name, only what has to be removed."""
    cleared, left = (frozenset[str](), {}) if before is None else (before.cleared, before.left)
    removed = {pattern.key: pattern for pattern in accepted.removed_patterns if part_of(pattern.pattern.target) == part}
    released = {
        one.key: RepositoryPattern(target.account, target.region, target.name, one.excluded, MustNotExist())
        for one in accepted.released
        if isinstance(target := one.address.target, RepositoryTarget)
        and part_of(target) == part
        and target.account in accepted.accounts
    }
    return Unnamed(
        accepted,
        tuple(pattern for key, pattern in removed.items() if key not in cleared),
        {key: pattern for key, pattern in released.items() if key not in cleared},
        left if part.partition("/")[0] in accepted.accounts or removed else {},
        cleared & {*removed, *released},
    )
