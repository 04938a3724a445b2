"""What a version enforces, alone or with observed grants in the same documents, and what the next one makes of it."""

from collections.abc import Iterator, Mapping
from copy import replace
from enum import StrEnum

from msgspec import Struct

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Extent, Mode, RoleSettings, TargetSpec
from ecr_warden.core.observed import Observation, Present
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.core.tolerated import with_observed_grants
from ecr_warden.versions.changes import left_of, staying, succeeding
from iam_access.document.document import Document

_NOTHING = CompiledSpec(version="", mode=Mode.ENFORCE, accounts=(), targets={})


class Why(StrEnum):
    """Why something that was enforced stays open, in words that go on from `the version waits because`."""

    OBSERVED = "it goes from enforce to observe, so that drift is no longer repaired"
    UNFIT = "repositories that a pattern covered stay as they are, and nothing covers them any more"
    OTHERS = "it is exclusive no more: policies of users and roles beside ecr-warden's may come and stay"
    NAMED_NO_LONGER = "it no longer names what stays as it is"


class Left(Struct, frozen=True):
    """A target, or the repositories of a pattern, where something stays open that nobody watches any more."""

    why: Why
    target: Target


class EnforcedChange(Struct, frozen=True):
    """What changes from one version to the next, of what is enforced."""

    before: CompiledSpec
    """What the older one enforces."""
    after: CompiledSpec
    """What the newer one does, and beside it what stays as the older one made it."""
    left: tuple[Left, ...] = ()
    """What stays as the older one made it, and what nobody closes any more."""

    def documents(self) -> Iterator[tuple[Address, DesiredValue | None, DesiredValue | None]]:
        """Each address that one of the sides names, with both values; a pattern's under its own name."""
        for address in sorted(dict.fromkeys((*_addresses(self.before), *_addresses(self.after))), key=str):
            yield address, value_at(self.before, address), value_at(self.after, address)


def enforced(version: CompiledSpec | None) -> CompiledSpec:
    """The part of a version that is enforced; nothing for no version."""
    if version is None:
        return _NOTHING
    targets = {
        key: replace(spec, observed={})
        for key, spec in version.targets.items()
        if (spec.mode or version.mode) is Mode.ENFORCE
    }
    patterns = tuple(pattern for pattern in version.patterns if (pattern.mode or version.mode) is Mode.ENFORCE)
    return replace(version, mode=Mode.ENFORCE, targets=targets, patterns=patterns, account_modes={})


def step(accepted: CompiledSpec | None, new: CompiledSpec) -> EnforcedChange:
    """What a new version changes of what the accepted one enforces."""
    before, after = enforced(accepted), enforced(new)
    if accepted is None:
        return EnforcedChange(before, after)
    fate = succeeding(replace(accepted, removed={}, removed_patterns=()), new)
    left: list[Left] = []
    targets = dict(after.targets)
    for key, spec in before.targets.items():
        now = targets.get(key)
        if now is not None:
            targets[key] = now = replace(now, documents=_with_kept(new.targets[key], spec))
        documents, why = _staying(spec, now, fate)
        if why is not None:
            left.append(Left(why, spec.target))
        if documents:
            rest = now or replace(spec, documents={}, extent=Extent.NAMED)
            targets[key] = replace(rest, documents={**rest.documents, **documents})
    patterns = list(after.patterns)
    for pattern in before.patterns:
        for piece in left_of(pattern, after):
            is_named = fate.spec_of(piece.target) is not None
            is_observed = fate.mode_of(piece.target) is Mode.OBSERVE
            left.append(Left(Why.OBSERVED if is_named else Why.UNFIT, piece.target))
            if is_named or is_observed:
                patterns.append(piece)
    return EnforcedChange(before, replace(after, targets=targets, patterns=tuple(patterns)), tuple(left))


def widened(accepted: CompiledSpec | None, new: CompiledSpec) -> EnforcedChange:
    """What a new version changes of what repairs leave alone at most: all grants that share an enforced document."""
    return step(None if accepted is None else accepted.with_observed, new.with_observed)


def longer_sessions(change: EnforcedChange) -> Iterator[RoleTarget]:
    """The roles whose sessions may last longer than they might before."""
    for address, old, new in change.documents():
        match address.target, old, new:
            case RoleTarget() as role, RoleSettings(max_session_duration=was), RoleSettings() if (
                new.max_session_duration > was
            ):
                yield role
            case _:
                pass


def value_at(version: CompiledSpec, address: Address) -> DesiredValue | None:
    """What a version says of an address; None if it says nothing."""
    spec = version.spec_of(address.target)
    return None if spec is None else spec.documents.get(address)


def _addresses(version: CompiledSpec) -> Iterator[Address]:
    for spec in version.targets.values():
        yield from spec.documents
    yield from (repository_policy(pattern.target) for pattern in version.patterns)


def _with_kept(now: TargetSpec, before: TargetSpec) -> Mapping[Address, DesiredValue]:
    """A target's enforced documents; one that it shares with observed grants as it is, if that gives grants alone."""
    live = {at: Present(value, "") for at, value in before.documents.items() if isinstance(value, Document)}
    return with_observed_grants(now, Observation(now.target, live)).documents


def _staying(
    spec: TargetSpec, now: TargetSpec | None, fate: CompiledSpec
) -> tuple[Mapping[Address, DesiredValue], Why | None]:
    """The enforced documents of a target that stay as they are, and why; `now`: its entry if it is still enforced."""
    if now is None and fate.mode_of(spec.target) is Mode.OBSERVE:
        return spec.documents, Why.OBSERVED
    if kept := staying(spec, fate):
        return kept, Why.NAMED_NO_LONGER
    had_none = spec.extent is Extent.WHOLE and not isinstance(spec.target, RepositoryTarget)
    is_looser = had_none and now is not None and now.extent is not Extent.WHOLE
    return {}, Why.OTHERS if is_looser else None
