"""What is ours by a version of the spec, and which statements of its documents vouch for nobody."""

from ecr_warden.core.desired import CompiledSpec
from iam_access.document.document import Document
from iam_access.equivalent.canonical import canonical_statements
from iam_access.who_can.ours import Ours, owners_in


def ours_of(baseline: CompiledSpec | None) -> Ours:
    """The accounts and organizations of a version, and the owners at identity providers that its grants name."""
    if baseline is None:
        return Ours()
    return Ours(
        frozenset(baseline.accounts),
        frozenset(baseline.organizations),
        frozenset(
            owner
            for entry in baseline.targets.values()
            for address, value in entry.granted.items()
            if isinstance(value, Document) and not baseline.is_literal(address)
            for statement in canonical_statements(value, kind=address.document_kind)
            for owner in owners_in(statement)
        ),
    )
