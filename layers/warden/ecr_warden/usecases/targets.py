"""What a run, a sweep or a question needs to know of the targets of a spec, beyond those that it names."""

from collections.abc import Callable, Iterator

from ecr_warden.model.desired import CompiledSpec, TargetSpec
from ecr_warden.model.target import Target
from ecr_warden.planning.orphans import orphan_spec
from ecr_warden.ports.documents import Documents
from ecr_warden.ports.store import State, TargetRecord


def spec_for(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """What the accepted spec asks of a target, named or not; None of a target that ecr-warden has no part in."""
    return accepted.spec_of(target) or orphan_spec(target, accepted)


def removals(
    accepted: CompiledSpec, state: State, *, of: Callable[[Target], bool] = lambda _: True
) -> Iterator[TargetSpec]:
    """The specs of the removed targets that no run has cleared yet, of those that `of` picks."""
    removed = [entry.target for entry in accepted.departed.values() if of(entry.target)]
    records = state.records(removed)
    for target in removed:
        if not is_cleared(target, accepted, records.get(target.key, TargetRecord())):
            spec = orphan_spec(target, accepted)
            if spec is not None:
                yield spec


def is_cleared(target: Target, accepted: CompiledSpec, record: TargetRecord) -> bool:
    """Whether the target was removed and has lost what it held; from then on ecr-warden leaves it alone."""
    removed = accepted.departed.get(target.key)
    return removed is not None and record.revoked == removed.since


def targets_naming(
    identity: Target, accepted: CompiledSpec, documents: Documents
) -> tuple[tuple[tuple[Target, str], ...], bool]:
    """The targets whose documents name the identity, each with the ARN they use, and whether these are all.

    Repositories that fit a pattern are listed now; False if they could not be.
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
