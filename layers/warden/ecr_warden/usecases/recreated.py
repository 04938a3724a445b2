"""An owner that was deleted and made again: whose documents name it, for they have to be written again."""

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.target import Target
from ecr_warden.ports.documents import Documents, Listing


def targets_naming(
    owner: Target, accepted: CompiledSpec, documents: Documents
) -> tuple[tuple[tuple[Target, str], ...], bool]:
    """The targets whose documents name the owner, each with the ARN in them, and whether these are all.

    Which repositories fit a pattern is read now; those of a pattern that cannot be asked are not known.
    """
    patterns = [p for p in accepted.patterns if any(named.key == owner.key for named in p.principals.values())]
    listing = documents.list_repositories(patterns) if patterns else Listing()
    specs = (*accepted.targets.values(), *map(accepted.spec_of, listing.repositories))
    naming = tuple(
        (spec.target, arn)
        for spec in specs
        if spec is not None
        for arn, named in spec.principals.items()
        if named.key == owner.key
    )
    return naming, not listing.unread
