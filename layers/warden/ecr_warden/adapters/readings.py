"""What a reading of a target reports, whatever was read with: the same for memory and for AWS."""

from dataclasses import replace
from typing import assert_never

from ecr_warden.model.address import (
    DENY_OLDER_SESSIONS,
    OUR_POLICY_PREFIX,
    Address,
    AddressKind,
    identity_policy,
    is_our_policy,
)
from ecr_warden.model.desired import Extent, TargetSpec
from ecr_warden.model.observed import Absent, Observation, Observed, OwnerMissing, Unreadable
from ecr_warden.model.target import RepositoryTarget, RoleTarget
from ecr_warden.planning.cutoff import keeps_trust_policy
from ecr_warden.ports.errors import PortError

LISTING = "*"
"""The name under which a listing that could not be read is reported."""


def covers(spec: TargetSpec, address: Address) -> bool:
    """Whether a reading for a spec reports what stands at an address that the spec does not name."""
    match spec.extent:
        case Extent.WHOLE:
            return True
        case Extent.OURS:
            other = address.kind is AddressKind.IDENTITY_POLICY and not is_our_policy(address)
            return not other and address.kind is not AddressKind.ATTACHED_POLICY
        case Extent.NAMED:
            other = address.kind in (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
            return not other or address.name in unnamed_policies(spec)
        case _:
            assert_never(spec.extent)


def unnamed_policies(spec: TargetSpec) -> tuple[str, ...]:
    """Inline policies that no spec names and that are read all the same: what a repaired trust policy may leave."""
    return (DENY_OLDER_SESSIONS,) if keeps_trust_policy(spec) else ()


def of_listing(spec: TargetSpec, error: PortError) -> dict[Address, Observed]:
    """An owner's listing of inline policies that could not be read."""
    if isinstance(spec.target, RepositoryTarget) or spec.extent is Extent.NAMED:
        return {}
    prefix = "" if spec.extent is Extent.WHOLE else OUR_POLICY_PREFIX
    return {identity_policy(spec.target, prefix + LISTING): Unreadable(error, error.retryable)}


def unreadable(spec: TargetSpec, error: PortError) -> Observation:
    """Nothing is known of the target; this is said also of a target for which the spec names no document."""
    named: dict[Address, Observed] = {address: Unreadable(error, error.retryable) for address in spec.documents}
    return Observation(spec.target, named | of_listing(spec, error))


def owner_missing(spec: TargetSpec) -> Observation:
    """The owner does not exist; a role that does not is only absent: it can be made."""
    return Observation(spec.target, {address: _of_missing_owner(address) for address in spec.documents})


def as_asked(spec: TargetSpec, found: Observation) -> Observation:
    """Of all that stands in an owner, what a reading for `spec` reports, under the spec's spelling of its name."""
    documents = {replace(address, target=spec.target): observed for address, observed in found.documents.items()}
    asked = {a: o for a, o in documents.items() if a in spec.documents or covers(spec, a)}
    missing: dict[Address, Observed] = {address: Absent() for address in spec.documents}
    return Observation(spec.target, missing | asked, found.unique_id, found.tagged_ours)


def holds_ours(found: Observation) -> bool:
    """Whether an owner that no spec is for holds something under our names."""
    tagged = isinstance(found.target, RoleTarget) and found.tagged_ours
    return tagged or any(map(is_our_policy, found.documents))


def _of_missing_owner(address: Address) -> Observed:
    return Absent() if address.kind is AddressKind.ROLE else OwnerMissing()
