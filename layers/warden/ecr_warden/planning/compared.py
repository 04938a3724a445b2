"""Two documents of one address, and the documents of an owner together: is their difference one of access?

Apart from diff.py, which needs it only once something differs.
"""

from collections.abc import Iterator, Sequence
from copy import replace
from datetime import datetime

from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.desired import Extent, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind, Loosening
from ecr_warden.model.observed import Observation, Present
from ecr_warden.policy.access import AccessChange, Permission, gained_and_lost
from ecr_warden.policy.canonical import CanonicalStatement, canonical_statements, to_document
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Document, DocumentKind, Effect
from ecr_warden.policy.interchangeable import interchangeable
from ecr_warden.policy.strict_json import DocumentError


def document_drift(address: Address, desired: Document, live: Document, *, reason: str, exact: bool) -> Drift | None:
    """What two documents differ in that are not equivalent, for `reason`.

    None unless `exact` where one may stand in the place of the other.
    """
    kind = address.document_kind
    assert kind is not None
    same = interchangeable(live, desired, kind=kind)
    if same and not exact:
        return None
    access = gained_and_lost(desired, live, kind=kind)
    loosens = (Loosening.TIME_LIMIT,) if not same and _outlives(desired, live, access, kind) else ()
    return Drift(address, DriftKind.CHANGED, reason, access, same_access=same, loosens=loosens)


_TIMES = frozenset({"aws:currenttime", "aws:epochtime"})
_ENDS = frozenset({"DateLessThan", "DateLessThanEquals", "NumericLessThan", "NumericLessThanEquals"})


def _outlives(desired: Document, live: Document, access: AccessChange, kind: DocumentKind) -> bool:
    """Whether the live document gives somebody for longer what the desired one gives until some time.

    What is gained only until an end that is no later than each that the desired document has is no longer.
    """
    ends = [_moments(clause) for one in canonical_statements(desired, kind=kind) for clause in one.conditions]
    until = min((min(moments) for moments in ends if moments), default=None)
    if until is None or access.assumed:
        return False
    gained = [one for one in access.gained if one.effect is Effect.ALLOW and not _ends_by(one, until)]
    try:
        whenever = gained_and_lost(_timeless(desired, kind), _timeless(live, kind), kind=kind)
    except DocumentError:  # more statements than one document can hold
        return bool(gained)
    return any(_without_times(one.conditions) not in _conditions_of(one, whenever.gained) for one in gained)


def _conditions_of(permission: Permission, among: Sequence[Permission]) -> set[frozenset[CanonicalClause]]:
    """Under which conditions the same is among others."""
    return {one.conditions for one in among if replace(one, conditions=permission.conditions) == permission}


def _ends_by(permission: Permission, until: float) -> bool:
    return any(max(moments) <= until for clause in permission.conditions if (moments := _moments(clause)))


def _moments(clause: CanonicalClause) -> list[float]:
    """The ends that a clause on the time sets, in seconds; none where it sets none, or one that is not understood."""
    if clause.key not in _TIMES or clause.operator not in _ENDS:
        return []
    try:
        return [float(one) if one.isdigit() else datetime.fromisoformat(one).timestamp() for one in clause.values]
    except (ValueError, OverflowError):
        return []


def _without_times(conditions: frozenset[CanonicalClause]) -> frozenset[CanonicalClause]:
    return frozenset(clause for clause in conditions if clause.key not in _TIMES)


def _timeless(document: Document, kind: DocumentKind) -> Document:
    """Raises DocumentError."""
    statements = canonical_statements(document, kind=kind)
    return to_document(replace(one, conditions=_without_times(one.conditions)) for one in statements)


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
