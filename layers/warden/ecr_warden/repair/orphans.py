"""What a target that no spec names still holds of ecr-warden's; and specs once the target was read."""

from copy import replace

from ecr_warden.core.address import OUR_ROLE_PATH, role
from ecr_warden.core.desired import Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.observed import Observation, Present, Unreadable
from ecr_warden.core.target import RepositoryTarget, RoleTarget
from ecr_warden.core.tolerated import with_observed_grants
from ecr_warden.repair.aws_edits import with_foreign
from ecr_warden.repair.hard_documents import decided
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document


def as_observed(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """What the spec asks of the target as it was just read; plans are made from this, one for each observation.

    A repository's policy keeps the foreign statements that the spec allows, and a shared document what observed grants
    gave. An orphaned role is deleted whole only if ecr-warden created it, and the policy of a repository that left a
    pattern only if the pattern gave it.
    """
    if isinstance(spec.target, RepositoryTarget) and spec.given is not None:
        return decided(lambda seen: _unless_anothers(spec, seen), observation)
    if isinstance(spec.target, RepositoryTarget):
        return decided(lambda seen: with_foreign(spec, seen), observation)
    if spec.observed:
        return decided(lambda seen: with_observed_grants(spec, seen), observation)
    if not isinstance(spec.target, RoleTarget):
        return spec
    address = role(spec.target)
    if not isinstance(spec.documents.get(address), MustNotExist):
        return spec
    match observation.documents.get(address):
        case Unreadable():
            return spec  # nothing is known, so it is not called healthy
        case Present(RoleSettings(path=path)) if path == OUR_ROLE_PATH and observation.tagged_ours:
            return spec
        case _:
            return replace(spec, extent=Extent.OURS, documents={})


def _unless_anothers(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """The spec of a repository that left a pattern; nothing is asked of one that has another policy."""
    (address,) = spec.documents
    match observation.documents.get(address):
        case Unreadable():
            return spec  # nothing is known, so it is not called healthy
        case Present(Document() as live) if spec.given is not None:
            given = with_foreign(replace(spec, documents={address: spec.given}), observation).documents[address]
            is_as_given = isinstance(given, Document) and not isinstance(
                relate(live, given, kind=address.document_kind), Differs
            )
            return with_foreign(spec, observation) if is_as_given else replace(spec, documents={}, extent=Extent.NAMED)
        case _:
            return replace(spec, documents={}, extent=Extent.NAMED)
