"""Which of a target's policies are observed, and may be there only if desired: those named, ours, or all (its extent).

The same for every adapter that reads.
"""

import hashlib
import json
from copy import replace

from ecr_warden.core.address import (
    DENY_OLDER_SESSIONS,
    OUR_POLICY_PREFIX,
    Address,
    AddressKind,
    identity_policy,
    is_our_policy,
)
from ecr_warden.core.desired import Extent, RoleSettings, TargetSpec
from ecr_warden.core.observed import Absent, Observation, Observed, TargetMissing, Unreadable
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.cutoff import keeps_trust_policy

LISTING = "*"
"""Reported in place of a name when the listing could not be read."""


def is_within(spec: TargetSpec, address: Address) -> bool:
    """Whether an observation reports what is at an address that the spec does not name."""
    match spec.extent:
        case Extent.WHOLE:
            return True
        case Extent.OURS:
            other = address.kind is AddressKind.IDENTITY_POLICY and not is_our_policy(address)
            return not other and address.kind is not AddressKind.ATTACHED_POLICY
        case Extent.NAMED:
            other = address.kind in (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
            return not other or address.name in unnamed_policies(spec)


def is_managed(spec: TargetSpec, address: Address) -> bool:
    """Whether a document that the spec does not name may be there only if it is desired."""
    is_policy = address.kind in (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
    return is_policy and spec.extent is not Extent.NAMED and is_within(spec, address)


def unnamed_policies(spec: TargetSpec) -> tuple[str, ...]:
    """Inline policies to read although no spec names them: the cut-off that a repaired trust policy leaves."""
    return (DENY_OLDER_SESSIONS,) if keeps_trust_policy(spec) else ()


def unlisted(spec: TargetSpec, why: Unreadable) -> dict[Address, Observed]:
    """Stands for the inline policies of an identity whose list could not be read."""
    if isinstance(spec.target, RepositoryTarget) or spec.extent is Extent.NAMED:
        return {}
    prefix = "" if spec.extent is Extent.WHOLE else OUR_POLICY_PREFIX
    return {identity_policy(spec.target, prefix + LISTING): why}


def unreadable(spec: TargetSpec, why: Unreadable) -> Observation:
    """Nothing is known of the target, even if its spec names no document."""
    named: dict[Address, Observed] = dict.fromkeys(spec.documents, why)
    return Observation(spec.target, named | unlisted(spec, why))


def missing(spec: TargetSpec) -> Observation:
    """The target does not exist; a role is then only absent, because it can be created."""
    found = {at: Absent() if at.kind is AddressKind.ROLE else TargetMissing() for at in spec.documents}
    return Observation(spec.target, found)


def limited_to(spec: TargetSpec, found: Observation) -> Observation:
    """The part of a full observation that `spec` asks for, under the spec's spelling of the target's name."""
    documents = {replace(address, target=spec.target): observed for address, observed in found.documents.items()}
    asked = {a: o for a, o in documents.items() if a in spec.documents or is_within(spec, a)}
    absent: dict[Address, Observed] = {address: Absent() for address in spec.documents}
    return Observation(spec.target, absent | asked, found.unique_id, found.tagged_ours)


def settings_digest(settings: RoleSettings) -> str:
    """The digest of a role's settings."""
    text = json.dumps([settings.path, settings.max_session_duration, settings.boundary])
    return hashlib.sha256(text.encode()).hexdigest()
