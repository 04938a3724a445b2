"""Documents that enforced and observed grants share: what observed grants add is neither written nor taken away."""

from copy import replace

from ecr_warden.core.address import Address
from ecr_warden.core.desired import DesiredValue, TargetSpec
from ecr_warden.core.observed import Observation, Present
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind


def with_observed_grants(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """The spec with each shared document as it is live, if that gives all enforced grants and nothing but grants.

    So a repository that is set back to observe keeps the access that it has.
    """
    kept: dict[Address, DesiredValue] = {}
    for address, with_all in spec.observed.items():
        match observation.documents.get(address):
            case Present(Document() as live) if _is_between(
                spec.documents.get(address), live, with_all, address.document_kind
            ):
                kept[address] = live
            case _:
                pass
    return replace(spec, documents={**spec.documents, **kept}) if kept else spec


def _is_between(
    enforced: DesiredValue | None, live: Document, with_all: DesiredValue, kind: DocumentKind | None
) -> bool:
    """Whether a live document gives more than the enforced grants, and no more than all."""
    if not isinstance(with_all, Document) or not isinstance(enforced, Document | None):
        return False
    more = gained_and_lost(enforced, live, kind=kind)
    return bool(more.gained) and not more.lost and not gained_and_lost(with_all, live, kind=kind).gained
