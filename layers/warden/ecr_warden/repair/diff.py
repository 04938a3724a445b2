"""Desired against observed: what differs, and what that means for access."""

from collections.abc import Iterable, Iterator, Sequence
from copy import replace
from datetime import datetime

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.core.desired import DesiredValue, Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.core.drift import Drift, Loosening
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.core.run import Debts
from ecr_warden.repair.aws_edits import is_settling
from ecr_warden.repair.cutoff import as_lockout, is_kept_cutoff, reopened_sessions
from ecr_warden.repair.extent import is_managed
from ecr_warden.repair.hard_documents import decided
from iam_access.delta.delta import gained_and_lost
from iam_access.delta.relate import Differs, Interchangeable, Same, relate
from iam_access.document.document import Document, DocumentError
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical_statements, to_document

_NOTHING_OWED = Debts()


def diff(
    spec: TargetSpec,
    observation: Observation,
    *,
    now: datetime,
    debts: Debts | None = None,
    written_at: datetime | None = None,
) -> tuple[Drift, ...]:
    """Every difference between a target's desired and observed documents, by address.

    Two `debts` of earlier runs are drift even where the documents are equivalent: a recreated principal, because AWS
    keeps the old unique ID behind the same ARN, and ended sessions that work again. None: no record is available.
    `written_at`: when a run last wrote to the target.
    """
    return decided(lambda seen: _diff(spec, seen, now, debts, written_at), observation)


def _diff(
    spec: TargetSpec, observation: Observation, now: datetime, debts: Debts | None, written_at: datetime | None
) -> tuple[Drift, ...]:
    drifts = sorted(_drifts(spec, observation, now, debts, written_at), key=lambda drift: drift.address)
    return tuple(_weighed_together(spec, observation, drifts))


def _drifts(
    spec: TargetSpec, observation: Observation, now: datetime, debts: Debts | None, written_at: datetime | None
) -> Iterator[Drift]:
    named = [arn for arn in (debts or _NOTHING_OWED).recreated_principals if arn in spec.principals]
    for address, desired in spec.documents.items():
        observed = observation.documents.get(address, Absent())
        if spec.may_be_missing and isinstance(observed, TargetMissing):
            continue
        drift = _compare(address, desired, observed)
        names_principals = isinstance(desired, Document) and address.document_kind is not DocumentKind.IDENTITY
        if drift is None and named and names_principals:
            explain = f"the document still refers to the principal before it was recreated: {', '.join(named)}"
            drift = Drift(address, DriftKind.PRINCIPAL_RECREATED, explain)
        elif drift is not None and not named and is_settling(address, desired, observed, written_at, now):
            explain = "just written: AWS still shows unique IDs in place of its principals' ARNs"
            drift = Drift(address, DriftKind.SETTLING, explain)
        if drift is not None:
            yield drift
    reopened = reopened_sessions(spec, observation, debts, now)
    if reopened is not None:
        yield reopened
    for address, observed in observation.documents.items():
        if (
            address not in spec.documents
            and (reopened is None or address != reopened.address)
            and is_managed(spec, address)
            and not is_kept_cutoff(spec, address, observed, debts, now)
        ):
            drift = _compare(address, MustNotExist(), observed)
            if drift is not None:
                yield as_lockout(drift, observed, now)


def _compare(address: Address, desired: DesiredValue, observed: Observed) -> Drift | None:
    match observed:
        case Unreadable(error):
            return Drift(address, DriftKind.UNREADABLE, str(error), code=error.code)
        case TargetMissing() | Absent() if isinstance(desired, MustNotExist):
            return None
        case TargetMissing():
            return Drift(address, DriftKind.TARGET_MISSING, f"{address.target} does not exist")
        case Absent():
            access = (
                gained_and_lost(desired, None, kind=address.document_kind) if isinstance(desired, Document) else None
            )
            return Drift(address, DriftKind.MISSING, "missing", access)
        case Unparseable(error):
            return Drift(address, DriftKind.UNPARSEABLE, error)
        case Present(value):
            return _compare_values(address, desired, value)


def _compare_values(address: Address, desired: DesiredValue, live: Document | RoleSettings | None) -> Drift | None:
    match desired, live:
        case MustNotExist(), _:
            access = gained_and_lost(None, live, kind=address.document_kind) if isinstance(live, Document) else None
            return Drift(address, DriftKind.UNEXPECTED, "not in the spec", access)
        case Document(), Document():
            return document_drift(address, desired, live)
        case RoleSettings(), RoleSettings():
            differences = _setting_differences(desired, live)
            unbound = desired.boundary is not None and live.boundary != desired.boundary
            loosens = (Loosening.BOUNDARY,) if unbound else ()
            return Drift(address, DriftKind.CHANGED, "; ".join(differences), loosens=loosens) if differences else None
        case _:
            raise TypeError(f"{address}: {type(desired).__name__} compared with {type(live).__name__}")


def document_drift(address: Address, desired: Document, live: Document) -> Drift | None:
    """The drift of two documents; interchangeable ones are none."""
    match relate(live, desired, kind=address.document_kind):
        case Same() | Interchangeable():
            return None
        case Differs(reason, access, outlasts):
            return Drift(
                address, DriftKind.CHANGED, reason, access, loosens=(Loosening.TIME_LIMIT,) if outlasts else ()
            )


def _setting_differences(desired: RoleSettings, live: RoleSettings) -> list[str]:
    rows = (
        ("path", live.path, desired.path),
        ("MaxSessionDuration", f"{live.max_session_duration} s", f"{desired.max_session_duration} s"),
        ("permissions boundary", live.boundary or "none", desired.boundary or "none"),
    )
    return [f"{name} is {found}, not {wanted}" for name, found, wanted in rows if found != wanted]


def _weighed_together(spec: TargetSpec, observation: Observation, drifts: Sequence[Drift]) -> Sequence[Drift]:
    """The drifts; those of inline policies count as interchangeable if the policies together allow what they should.

    They are repaired all the same: whoever reads or removes one of the policies must find what the spec says.
    """
    inline = [drift for drift in drifts if _is_inline(drift.address)]
    attached = any(drift.address.kind is AddressKind.ATTACHED_POLICY for drift in drifts)
    kinds = {drift.kind for drift in inline}
    if DriftKind.UNEXPECTED not in kinds or kinds - _REPLACEABLE or attached or spec.extent is not Extent.WHOLE:
        return drifts
    live = [seen.value for at, seen in observation.documents.items() if _is_inline(at) and isinstance(seen, Present)]
    desired = [value for at, value in spec.documents.items() if _is_inline(at)]
    try:
        together = _joined(live), _joined(desired)
    except DocumentError:  # no statement, or more than one document can hold
        return drifts
    if isinstance(relate(*together, kind=DocumentKind.IDENTITY), Differs):
        return drifts
    return [replace(drift, access=Interchangeable(drift.explain)) if drift in inline else drift for drift in drifts]


_REPLACEABLE = frozenset({DriftKind.MISSING, DriftKind.CHANGED, DriftKind.UNEXPECTED})


def _is_inline(address: Address) -> bool:
    """Whether an inline policy says what its identity may do; cut-offs are compared by rules of their own."""
    cutoffs = (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS)
    return address.kind is AddressKind.IDENTITY_POLICY and address.name not in cutoffs


def _joined(values: Iterable[object]) -> Document:
    """All documents in one; raises DocumentError."""
    documents = [value for value in values if isinstance(value, Document)]
    return to_document(
        statement for document in documents for statement in canonical_statements(document, kind=DocumentKind.IDENTITY)
    )
