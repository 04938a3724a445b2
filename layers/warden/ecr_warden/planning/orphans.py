"""Targets that the spec does not name and that may hold something of ours from an earlier version."""

from copy import replace

from ecr_warden.model.address import OUR_ROLE_PATH, repository_policy, role
from ecr_warden.model.desired import CompiledSpec, Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.model.observed import Observation, Present, Unreadable
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.planning.guardrails import OWN_ROLES


def orphan_spec(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """What to read of a target that no grant names any more; None when it is no business of ours.

    A repository that left the spec keeps its policy, unless the spec said to revoke it. An owner loses its
    `ecr-warden-*` policies, also one that left the spec together with its account.
    """
    if target.account not in accepted.accounts and target.key not in accepted.departed:
        return None
    match target:
        case RoleTarget(name=name) if name.lower() in OWN_ROLES:
            return None
        case RoleTarget():
            return TargetSpec(target, Extent.WHOLE, {role(target): MustNotExist()})
        case UserTarget():
            return TargetSpec(target, Extent.OURS, {})
        case RepositoryTarget() if target.key in accepted.departed:
            return TargetSpec(target, Extent.WHOLE, {repository_policy(target): MustNotExist()})
        case RepositoryTarget():
            return None


def as_observed(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """The leftover spec of a role, once it is known whether the role is ours: only such a one is deleted whole."""
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
