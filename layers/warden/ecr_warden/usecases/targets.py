"""Targets beyond those that the spec names: removed, orphaned, or named by another target's documents."""

from collections.abc import Callable, Iterator

from ecr_warden.model.desired import CompiledSpec, TargetSpec
from ecr_warden.model.target import Target
from ecr_warden.planning.orphans import orphan_spec
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.store import State, TargetRecord


def spec_for(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """The target's spec, or what an orphan has to lose; None for a target that ecr-warden leaves alone."""
    return accepted.spec_of(target) or orphan_spec(target, accepted)


def removals(
    accepted: CompiledSpec, state: State, *, of: Callable[[Target], bool] = lambda _: True
) -> Iterator[TargetSpec]:
    """The specs of removed targets that no run has cleared yet; `of` selects among them."""
    removed = [entry.target for entry in accepted.removed.values() if of(entry.target)]
    records = state.records(removed)
    for target in removed:
        if not is_cleared(target, accepted, records.get(target.key, TargetRecord())):
            spec = orphan_spec(target, accepted)
            if spec is not None:
                yield spec


def is_cleared(target: Target, accepted: CompiledSpec, record: TargetRecord) -> bool:
    """Whether a target was removed and has lost what it held; from then on ecr-warden leaves it alone."""
    removed = accepted.removed.get(target.key)
    return removed is not None and record.revoked == removed.since


def targets_naming(
    identity: Target, accepted: CompiledSpec, documents: Documents
) -> tuple[tuple[tuple[Target, str], ...], bool]:
    """The targets whose documents name an identity, each with the ARN they use; and whether these are all of them.

    Repositories that fit a pattern are listed now, which may fail.
    """
    patterns = [p for p in accepted.patterns if any(named.key == identity.key for named in p.principals.values())]
    listing = documents.list_repositories(patterns)
    specs = (*accepted.targets.values(), *map(accepted.spec_of, listing.repositories))
    naming = tuple(
        (spec.target, arn)
        for spec in specs
        if spec is not None
        for arn, named in spec.principals.items()
        if named.key == identity.key
    )
    return naming, not listing.unread
