"""Targets that no spec names and that may still hold a document of ecr-warden's; and specs once the target was read."""

from copy import replace

from ecr_warden.model.address import OUR_ROLE_PATH, OWN_ROLES, is_our_policy, repository_policy, role
from ecr_warden.model.desired import CompiledSpec, Extent, MustNotExist, RoleSettings, TargetSpec
from ecr_warden.model.observed import Observation, Present, Unreadable
from ecr_warden.model.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.planning.aws_edits import with_foreign
from ecr_warden.planning.guardrails import decided
from ecr_warden.planning.modes import with_observed_grants


def orphan_spec(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """What to read of a target that the spec does not name; None for one that ecr-warden leaves alone.

    A removed repository keeps its policy unless the spec said to revoke it. An identity loses its `ecr-warden-*`
    policies, also where its account was removed with it.
    """
    if target.account not in accepted.accounts and target.key not in accepted.removed:
        return None
    match target:
        case RoleTarget(name=name) if name.lower() in OWN_ROLES:
            return None
        case RoleTarget():
            return TargetSpec(target, Extent.WHOLE, {role(target): MustNotExist()})
        case UserTarget():
            return TargetSpec(target, Extent.OURS, {})
        case RepositoryTarget() if target.key in accepted.removed:
            return TargetSpec(target, Extent.WHOLE, {repository_policy(target): MustNotExist()})
        case RepositoryTarget():
            return None


def is_orphan(found: Observation) -> bool:
    """Whether a target that no spec names still holds something of ecr-warden's."""
    tagged = isinstance(found.target, RoleTarget) and found.tagged_ours
    return tagged or any(map(is_our_policy, found.documents))


def as_observed(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """What the spec asks of the target as it was just read; plans are made from this, one for each observation.

    A repository's policy keeps the foreign statements that the spec allows, and a shared document what observed grants
    gave. An orphaned role is deleted whole only if ecr-warden created it.
    """
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
