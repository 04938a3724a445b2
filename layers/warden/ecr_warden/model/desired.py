"""What the accepted spec says that a target must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ecr_warden.model.address import Address
from ecr_warden.model.target import Target
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
    """

    target: Target
    extent: Extent
    documents: Mapping[Address, DesiredValue]
    widen_after: Mapping[Address, tuple[Target, ...]] = field(default_factory=dict)
    dependents: tuple[Target, ...] = ()
    principals: Mapping[str, Target] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompiledSpec:
    """An accepted spec in the form that reconcile reads: no YAML, one entry a target, by the target's key."""

    version: str
    mode: Mode
    accounts: tuple[str, ...]
    targets: Mapping[str, TargetSpec]
