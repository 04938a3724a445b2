"""What the accepted spec says that a target must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ecr_warden.model.address import Address
from ecr_warden.model.target import RepositoryTarget, Target
from ecr_warden.policy.document import Document


class Mode(StrEnum):
    """Whether drift is only reported or also repaired."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Extent(StrEnum):
    """Which live documents of a target belong to ecr-warden besides those that the spec names."""

    WHOLE = "whole"  # every inline and attached policy: an exclusive push role
    OURS = "ours"  # inline policies named ecr-warden-*: an owner whose other policies are its own
    NAMED = "named"  # nothing else: literal documents of somebody's role


class ForeignStatement(StrEnum):
    """A kind of statement that an AWS service adds to a repository policy by itself."""

    LAMBDA_IMAGE_RETRIEVAL = "lambda-image-retrieval"


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """What a role is besides its documents; `max_session_duration` in seconds."""

    path: str
    max_session_duration: int
    boundary: str | None


@dataclass(frozen=True, slots=True)
class MustNotExist:
    """The address has to be empty."""


type DesiredValue = Document | RoleSettings | MustNotExist


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """The desired state of one target, compiled from the spec.

    `widen_after`: the roles that must be seen at spec before the policy at an address may gain access (a user may
    assume a role only once the role itself is right). `dependents`: targets to look at again when this one has
    changed. `principals`: ARN of each IAM user or role named in this target's documents, to its own target.
    `foreign`: statements of others that may stand in a repository's policy. `revoke_on_remove`: what to do with that
    policy when the repository leaves the spec: delete it, or leave it as it is.
    """

    target: Target
    extent: Extent
    documents: Mapping[Address, DesiredValue]
    widen_after: Mapping[Address, tuple[Target, ...]] = field(default_factory=dict)
    dependents: tuple[Target, ...] = ()
    principals: Mapping[str, Target] = field(default_factory=dict)
    foreign: tuple[ForeignStatement, ...] = ()
    revoke_on_remove: bool = False


@dataclass(frozen=True, slots=True)
class Departed:
    """A repository whose policy is to be deleted because version `since` of the spec no longer names it.

    Once it is, the repository is nobody's business any more: whoever runs it may give it another policy.
    """

    target: RepositoryTarget
    since: str


@dataclass(frozen=True, slots=True)
class CompiledSpec:
    """An accepted spec in the form that reconcile reads: no YAML, one entry a target, by the target's key."""

    version: str
    mode: Mode
    accounts: tuple[str, ...]
    targets: Mapping[str, TargetSpec]
    departed: Mapping[str, Departed] = field(default_factory=dict)
