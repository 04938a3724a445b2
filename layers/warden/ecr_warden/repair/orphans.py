"""Targets that no spec names and that may still hold a document of ecr-warden's; and specs once the target was read."""

from copy import replace

from ecr_warden.core.address import OUR_ROLE_PATH, OWN_ROLES, is_our_policy, repository_policy, role
from ecr_warden.core.desired import CompiledSpec, Extent, MustNotExist, RemovedPattern, RoleSettings, TargetSpec
from ecr_warden.core.observed import Absent, Observation, Present, TargetMissing, Unreadable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.aws_edits import with_foreign
from ecr_warden.repair.guardrails import decided
from ecr_warden.repair.modes import with_observed_grants
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document


def orphan_spec(target: Target, accepted: CompiledSpec) -> TargetSpec | None:
    """What to read of a target that the spec does not name; None for one that ecr-warden leaves alone.

    A removed repository keeps its policy if the spec said to release it; one that left a pattern also if it has another
    policy than the pattern gave. An identity loses its `ecr-warden-*` policies, also where its account was removed
    with it.
    """
    left = accepted.pattern_left_by(target)
    if left is not None and isinstance(target, RepositoryTarget):
        return _leaving(target, left)
    removed = accepted.removed.get(target.key)
    if target.account not in accepted.accounts and removed is None:
        return None
    match target:
        case RoleTarget(name=name) if name.lower() in OWN_ROLES:
            return None
        case RoleTarget():
            return TargetSpec(target, Extent.WHOLE, {role(target): MustNotExist()})
        case UserTarget():
            return TargetSpec(target, Extent.OURS, {})
        case RepositoryTarget() if removed is not None:
            nothing = {repository_policy(target): MustNotExist()}
            return TargetSpec(target, Extent.WHOLE, nothing, foreign=removed.foreign)
        case RepositoryTarget():
            return None


def _leaving(target: RepositoryTarget, left: RemovedPattern) -> TargetSpec:
    """What a repository has to lose that left a pattern; it may be deleted at any time."""
    pattern = left.pattern
    return TargetSpec(
        target,
        Extent.WHOLE,
        {repository_policy(target): MustNotExist()},
        foreign=pattern.foreign,
        may_be_missing=True,
        given=pattern.policy,
    )


def to_look_at(target: RepositoryTarget) -> TargetSpec:
    """How to read a repository of which nothing is asked."""
    return TargetSpec(target, Extent.NAMED, {repository_policy(target): MustNotExist()}, may_be_missing=True)


def has_no_policy(found: Observation) -> bool:
    """Whether it was read that a repository has no policy, or does not exist."""
    return all(isinstance(seen, Absent | TargetMissing) for seen in found.documents.values())


def is_orphan(found: Observation) -> bool:
    """Whether a target that no spec names still holds something of ecr-warden's."""
    tagged = isinstance(found.target, RoleTarget) and found.tagged_ours
    return tagged or any(map(is_our_policy, found.documents))


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
