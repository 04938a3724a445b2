"""What differs between an accepted version of the spec and the one that takes its place.

`before` is None ahead of the first version.
"""

from collections.abc import Iterator, Mapping
from copy import replace

from ecr_warden.model.address import AddressKind, is_our_policy
from ecr_warden.model.desired import CompiledSpec, Removed, RepositoryPattern, TargetSpec
from ecr_warden.model.target import RepositoryTarget, Target


def changed_targets(before: CompiledSpec | None, after: CompiledSpec) -> tuple[Target, ...]:
    """Targets whose desired documents differ; a repository that left the spec keeps its own unless it is revoked."""
    known = _targets(before)
    changed: list[Target] = [
        spec.target for key, spec in after.targets.items() if _desired(known.get(key)) != _desired(spec)
    ]
    changed += [
        spec.target
        for key, spec in known.items()
        if key not in after.targets and (key in after.removed or _differs_now(spec, after))
    ]
    return tuple(changed)


def changed_patterns(before: CompiledSpec | None, after: CompiledSpec) -> tuple[RepositoryPattern, ...]:
    """Patterns that are new or say something else."""
    known = before.patterns if before else ()
    return tuple(pattern for pattern in after.patterns if pattern not in known)


def removed(before: CompiledSpec | None, after: CompiledSpec) -> dict[str, Removed]:
    """What has to lose what it holds, by key: what this version takes away, and what those before it did.

    Users and roles of an account that the spec still names need no entry: a sweep finds whatever they hold of ours.
    """
    if before is None:
        return {}
    leaving = {
        key: Removed(spec.target, after.version)
        for key, spec in before.targets.items()
        if spec.revoke_on_remove or (_holds_ours(spec) and spec.target.account not in after.accounts)
    }
    return {
        key: entry
        for key, entry in sorted({**before.removed, **leaving}.items())
        if after.spec_of(entry.target) is None
        and (isinstance(entry.target, RepositoryTarget) or entry.target.account not in after.accounts)
    }


def released(before: CompiledSpec | None, after: CompiledSpec) -> Iterator[str]:
    """The keys of what left the spec and keeps its documents; `after` knows what has removed.

    These are repositories, patterns of them and what a pattern leaves out that it did not before, and owners of literal
    documents in an account that left.
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
    """What of a target's entry its documents can differ from; who else is looked at after it is no part of that."""
    return None if spec is None else (spec.extent, spec.documents, spec.foreign)


def _differs_now(spec: TargetSpec, after: CompiledSpec) -> bool:
    """Whether something has to be done about what is no longer named: a pattern may say now what a repository is."""
    if not isinstance(spec.target, RepositoryTarget):
        return True
    now = after.spec_of(spec.target)
    return now is not None and _desired(now) != _desired(spec)


def _holds_ours(spec: TargetSpec) -> bool:
    """Whether a user or role has something that a grant gave it, and not literal documents alone."""
    is_owner = not isinstance(spec.target, RepositoryTarget)
    return is_owner and any(address.kind is AddressKind.ROLE or is_our_policy(address) for address in spec.documents)
