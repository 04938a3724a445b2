"""Two documents of one address, and the documents of an owner together: is their difference one of access?

Apart from diff.py, which needs it only once something differs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.desired import Extent, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Observation, Present
from ecr_warden.policy.access import gained_and_lost
from ecr_warden.policy.canonical import CanonicalStatement, canonical_statements, to_document
from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.document_error import DocumentError
from ecr_warden.policy.interchangeable import interchangeable


def document_drift(address: Address, desired: Document, live: Document, *, reason: str, exact: bool) -> Drift | None:
    """What two documents differ in that are not equivalent, for `reason`.

    None unless `exact` where one may stand in the place of the other.
    """
    kind = address.document_kind
    assert kind is not None
    same = interchangeable(live, desired, kind=kind)
    if same and not exact:
        return None
    return Drift(address, DriftKind.CHANGED, reason, gained_and_lost(desired, live, kind=kind), same_access=same)


def spread_over_others(spec: TargetSpec, observation: Observation, drifts: Sequence[Drift]) -> Sequence[Drift]:
    """Mark the drifts in the inline policies of an exclusive owner that together allow what they should.

    They are drift all the same: whoever reads one of them, or removes it, must find there what the spec says.
    """
    inline = [drift for drift in drifts if _is_inline(drift.address)]
    attached = any(drift.address.kind is AddressKind.ATTACHED_POLICY for drift in drifts)
    if spec.extent is not Extent.WHOLE or attached or not _WRITTEN_OTHERWISE.issuperset(d.kind for d in inline):
        return drifts
    live = [
        seen.value
        for address, seen in observation.documents.items()
        if _is_inline(address) and isinstance(seen, Present) and isinstance(seen.value, Document)
    ]
    desired = [
        value for address, value in spec.documents.items() if _is_inline(address) and isinstance(value, Document)
    ]
    if not inline or not _allow_the_same(live, desired):
        return drifts
    return [replace(drift, same_access=True) if drift in inline else drift for drift in drifts]


_WRITTEN_OTHERWISE = frozenset({DriftKind.MISSING, DriftKind.CHANGED, DriftKind.UNEXPECTED})


def _is_inline(address: Address) -> bool:
    """Whether it says what its owner may do; what ends older sessions is compared by its own rule."""
    sessions = (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS)
    return address.kind is AddressKind.IDENTITY_POLICY and address.name not in sessions


def _allow_the_same(live: Sequence[Document], desired: Sequence[Document]) -> bool:
    try:
        together = to_document(_statements(live)), to_document(_statements(desired))
    except DocumentError:  # none, or more statements than one document can hold
        return False
    return interchangeable(*together, kind=DocumentKind.IDENTITY)


def _statements(documents: Sequence[Document]) -> Iterator[CanonicalStatement]:
    for document in documents:
        yield from canonical_statements(document, kind=DocumentKind.IDENTITY)
