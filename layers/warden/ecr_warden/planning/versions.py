"""What differs between an accepted version of the spec and the next one; `before` is None for the first version."""

from collections.abc import Iterator, Mapping
from copy import replace

from ecr_warden.model.address import AddressKind, is_our_policy
from ecr_warden.model.desired import CompiledSpec, Mode, Removed, RepositoryPattern, TargetSpec
from ecr_warden.model.target import RepositoryTarget, Target


def changed_targets(before: CompiledSpec | None, after: CompiledSpec) -> tuple[Target, ...]:
    """Targets whose desired documents or mode differ; a removed repository keeps its own unless it is revoked."""
    known = _targets(before)
    changed: list[Target] = [
        spec.target
        for key, spec in after.targets.items()
        if _desired(known.get(key)) != _desired(spec) or _changes_mode(before, after, spec.target)
    ]
    changed += [
        spec.target
        for key, spec in known.items()
        if key not in after.targets and (key in after.removed or _differs_now(spec, after))
    ]
    return tuple(changed)


def changed_patterns(before: CompiledSpec | None, after: CompiledSpec) -> tuple[RepositoryPattern, ...]:
    """Patterns that are new or changed."""
    known = before.patterns if before else ()
    return tuple(
        pattern
        for pattern in after.patterns
        if pattern not in known or (pattern.mode is None and before is not None and before.mode is not after.mode)
    )


def removed(before: CompiledSpec | None, after: CompiledSpec) -> dict[str, Removed]:
    """The targets that have to lose their access, by key: removed by this version, or by earlier ones.

    Users and roles in an account that the spec still names need no entry: a sweep finds them as orphans. What was only
    observed, though the rest is enforced, keeps what it has.
    """
    if before is None:
        return {}
    newly_removed = {
        key: Removed(spec.target, after.version, spec.mode)
        for key, spec in before.targets.items()
        if spec.mode is not Mode.OBSERVE
        and (spec.revoke_on_remove or (_holds_ours(spec) and spec.target.account not in after.accounts))
    }
    return {
        key: entry
        for key, entry in sorted({**before.removed, **newly_removed}.items())
        if after.spec_of(entry.target) is None
        and (isinstance(entry.target, RepositoryTarget) or entry.target.account not in after.accounts)
    }


def released(before: CompiledSpec | None, after: CompiledSpec) -> Iterator[str]:
    """The keys of removed targets that keep their documents; `after` already has its removed targets.

    These are repositories, repository patterns, repositories that a pattern newly excludes, and identities with literal
    documents in a removed account.
    """
    for key, spec in _targets(before).items():
        if after.spec_of(spec.target) is not None or key in after.removed:
            continue
        if isinstance(spec.target, RepositoryTarget) or spec.target.account not in after.accounts:
            yield key
    now = {pattern.target: pattern for pattern in after.patterns}
    for pattern in before.patterns if before else ():
        if pattern.target not in now:
            yield pattern.target.key
            continue
        for name in now[pattern.target].excluded:
            left = replace(pattern.target, name=name)
            if name not in pattern.excluded and left not in now and after.spec_of(left) is None:
                yield left.key


def _targets(spec: CompiledSpec | None) -> Mapping[str, TargetSpec]:
    return spec.targets if spec else {}


def _desired(spec: TargetSpec | None) -> object:
    """The part of a target's entry that decides what its documents must be."""
    return None if spec is None else (spec.extent, spec.documents, spec.foreign, spec.observed)


def _changes_mode(before: CompiledSpec | None, after: CompiledSpec, target: Target) -> bool:
    return before is not None and before.mode_of(target) is not after.mode_of(target)


def _differs_now(spec: TargetSpec, after: CompiledSpec) -> bool:
    """Whether a target that is no longer named has to change: a pattern may now cover a repository."""
    if not isinstance(spec.target, RepositoryTarget):
        return True
    now = after.spec_of(spec.target)
    return now is not None and _desired(now) != _desired(spec)


def _holds_ours(spec: TargetSpec) -> bool:
    """Whether an identity has documents from a grant, and not only literal ones."""
    is_identity = not isinstance(spec.target, RepositoryTarget)
    return is_identity and any(address.kind is AddressKind.ROLE or is_our_policy(address) for address in spec.documents)
