"""Targets beyond those that the spec names: removed, orphaned, or named by another target's documents."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecr_warden.core.address import OWN_ROLES, repository_policy, role
from ecr_warden.core.desired import (
    CompiledSpec,
    DocumentTakeover,
    Extent,
    MustNotExist,
    RepositoryPattern,
    TargetSpec,
)
from ecr_warden.core.lazy_entries import entries_in
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.state.state import State, TargetRecord
from ecr_warden.state.sweeps import SweepRecords

if TYPE_CHECKING:  # who accepts versions reads no documents
    from ecr_warden.repair.documents import Documents


def spec_for(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """The target's spec, or what an orphan has to lose; None for a target that ecr-warden leaves alone."""
    return accepted.spec_of(target) or orphan_spec(target, accepted)


def orphan_spec(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """What to read of a target that the spec does not name; None for one that ecr-warden leaves alone.

    A repository that left a pattern keeps its policy if it is another than the pattern gave. An identity loses its
    `ecr-warden-*` policies, also where its account was removed with it.
    """
    left = accepted.pattern_left_by(target)
    if left is not None and isinstance(target, RepositoryTarget):
        # It may be deleted at any time.
        return TargetSpec(
            target,
            Extent.WHOLE,
            {repository_policy(target): MustNotExist()},
            foreign=left.pattern.foreign,
            may_be_missing=True,
            given=left.pattern.policy,
        )
    removed = accepted.removed.get(target.key)
    if target.account not in accepted.accounts and removed is None:
        return None
    match target:
        case RoleTarget(name=name) if name.lower() in OWN_ROLES:
            return None
        case RoleTarget():
            return TargetSpec(target, Extent.WHOLE, {role(target): MustNotExist()})
        case UserTarget():
            return TargetSpec(target, Extent.OURS, {})
        case RepositoryTarget() if removed is not None:
            nothing = {repository_policy(target): MustNotExist()}
            return TargetSpec(target, Extent.WHOLE, nothing, foreign=removed.foreign)
        case RepositoryTarget():
            return None


def nothing_asked(target: Target) -> TargetSpec:
    """The spec of a target of which nothing is asked: a run of it finds no drift."""
    return TargetSpec(target, Extent.NAMED, {})


def expected_of(target: Target, accepted: CompiledSpec, record: TargetRecord) -> dict[str, DocumentTakeover]:
    """By the address as text, what was judged of the documents of a target that are still to be taken over."""
    return {at: one for at, one in accepted.taken_over.get(target.key, {}).items() if record.taken.get(at) != one.since}


def removals(accepted: CompiledSpec, state: State, part: str = "") -> Iterator[TargetSpec]:
    """The specs of removed targets that no run has cleared yet; `part`: of a sweep, empty for all."""
    removed = [*(entries_in(accepted.removed, part) if part else accepted.removed).values()]
    records = state.records([entry.target for entry in removed])
    for entry in removed:
        if records.get(entry.target.key, TargetRecord()).revoked != entry.since:
            spec = orphan_spec(entry.target, accepted)
            if spec is not None:
                yield spec


def leaving_patterns(accepted: CompiledSpec, sweep_records: SweepRecords) -> tuple[RepositoryPattern, ...]:
    """The removed patterns of whose repositories some may still have to lose what they gave."""
    if not accepted.removed_patterns:
        return ()
    cleared = frozenset[str]().union(*(swept.cleared for swept in sweep_records.all()))
    return tuple(pattern.pattern for pattern in accepted.removed_patterns if pattern.key not in cleared)


def targets_naming(
    identity: Target, accepted: CompiledSpec, documents: "Documents"
) -> tuple[tuple[tuple[Target, str], ...], bool]:
    """The targets whose documents name an identity, each with the ARN they use; and whether these are all of them.

    Repositories that fit a pattern are listed now, which may fail.
    """
    patterns = [p for p in accepted.patterns if any(named.key == identity.key for named in p.principals.values())]
    listing = documents.list_repositories(patterns)
    specs = (*accepted.naming(identity), *map(accepted.spec_of, listing.repositories))
    naming = tuple(
        (spec.target, arn)
        for spec in specs
        if spec is not None
        for arn, named in spec.principals.items()
        if named.key == identity.key
    )
    return naming, not listing.unread
