"""What differs between an accepted version of the spec and the next one; `before` is None for the first version."""

from collections.abc import Iterable, Iterator
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.core.address import Address, AddressKind, is_our_policy, repository_policy, target_in
from ecr_warden.core.desired import (
    CompiledSpec,
    Documents,
    Extent,
    Mode,
    Removal,
    Removed,
    RemovedPattern,
    RepositoryPattern,
    TargetSpec,
)
from ecr_warden.core.target import RepositoryTarget, Target, parse_target
from iam_access.document.document import Document
from iam_access.document.pattern import patterns_meet

_MOST_PATTERNS = 500
_REMOVALS_COUNT_FOR = timedelta(hours=24)


class Versions(Struct, frozen=True):
    """What is judged: `baseline` is the last version that a person accepted, `accepted` the one in force."""

    baseline: CompiledSpec | None
    accepted: CompiledSpec | None
    new: CompiledSpec

    @property
    def only_observe(self) -> bool:
        """Whether nothing was enforced, and nothing is going to be."""
        return observes(self.accepted) and observes(self.new)


def observes(version: CompiledSpec | None) -> bool:
    """Whether a version enforces nothing, as no version does."""
    return version is None or version.overall_mode is Mode.OBSERVE


def recent(removals: Iterable[Removal], now: datetime) -> tuple[Removal, ...]:
    """The removals that count: of the last 24 hours, and ahead of the clock, because the clock has jumped back."""
    return tuple(removal for removal in removals if removal.at > now - _REMOVALS_COUNT_FOR)


def changed_targets(before: CompiledSpec | None, after: CompiledSpec) -> tuple[Target, ...]:
    """Targets whose desired documents or mode differ; of removed repositories those that lose theirs."""
    known = before.targets if before else {}
    changed: list[Target] = [
        spec.target
        for key, spec in after.targets.items()
        if _desired(known.get(key)) != _desired(spec)
        or (before is not None and before.mode_of(spec.target) is not after.mode_of(spec.target))
    ]
    changed += [
        spec.target
        for key, spec in known.items()
        if key not in after.targets and (key in after.removed or _differs_now(spec, after))
    ]
    return tuple(changed)


def changed_patterns(before: CompiledSpec | None, after: CompiledSpec) -> tuple[RepositoryPattern, ...]:
    """Patterns that are new or changed in what they give."""
    known = before.patterns if before else ()
    return tuple(
        pattern
        for pattern in after.patterns
        if pattern not in known or (pattern.mode is None and before is not None and before.mode is not after.mode)
    )


def succeeding(before: CompiledSpec | None, after: CompiledSpec) -> CompiledSpec:
    """The next version, with what it and earlier ones took out of the spec: removed targets and patterns."""
    if before is None:
        return after
    enforced = (key for key in before.taken_over if after.mode_of(parse_target(key)) is Mode.ENFORCE)
    taken = {key: before.taken_over[key] for key in enforced}
    patterns = _removed_patterns(before, after)
    return replace(after, removed=_removed(before, after), removed_patterns=patterns, taken_over=taken)


def without(spec: CompiledSpec, entry: TargetSpec) -> CompiledSpec:
    """The version as if it only observed a target; `entry`: what it asks of that."""
    return replace(spec, targets={**spec.targets, entry.target.key: replace(entry, mode=Mode.OBSERVE)}, taken_over={})


def rolls_out(before: CompiledSpec | None, after: CompiledSpec, address: str) -> bool:
    """Whether a version enforces what is at an address, given as text, and the one before only observes it."""
    target = target_in(address)
    was = Mode.OBSERVE if before is None else before.mode_of(target)
    return was is Mode.OBSERVE and after.mode_of(target) is Mode.ENFORCE


def newly_removed_patterns(spec: CompiledSpec) -> tuple[RemovedPattern, ...]:
    """The patterns whose repositories lose their policy by this version; `spec`: as `succeeding` returns it."""
    return tuple(pattern for pattern in spec.removed_patterns if pattern.since == spec.version)


def _removed(before: CompiledSpec, after: CompiledSpec) -> dict[str, Removed]:
    """The targets that have to lose their access, by key: removed by this version, or by earlier ones.

    Users and roles in an account that the spec still names need no entry: a sweep finds them as orphans. A repository
    that was only observed keeps what it has: ecr-warden gave it nothing.
    """
    newly_removed = {
        key: _as_removed(spec, after.version)
        for key, spec in before.targets.items()
        if _is_revoked(spec, before)
        or (spec.mode is not Mode.OBSERVE and _holds_ours(spec) and spec.target.account not in after.accounts)
    }
    return {
        key: entry
        for key, entry in sorted({**before.removed, **newly_removed}.items())
        if after.spec_of(entry.target) is None
        and (isinstance(entry.target, RepositoryTarget) or entry.target.account not in after.accounts)
    }


def _as_removed(spec: TargetSpec, version: str) -> Removed:
    target = spec.target
    given = spec.documents.get(repository_policy(target)) if isinstance(target, RepositoryTarget) else None
    return Removed(target, version, spec.mode, spec.foreign, given if isinstance(given, Document) else None)


def _is_revoked(spec: TargetSpec, before: CompiledSpec) -> bool:
    """Whether a repository loses its policy when it is removed."""
    is_of_grants = isinstance(spec.target, RepositoryTarget) and spec.extent is Extent.WHOLE
    return is_of_grants and before.mode_of(spec.target) is Mode.ENFORCE


def _removed_patterns(before: CompiledSpec, after: CompiledSpec) -> tuple[RemovedPattern, ...]:
    """The patterns whose repositories have to lose the policy that it gave, the oldest first; of earlier ones the last.

    The others were swept long ago: none is forgotten by the version that removes it.
    """
    newly = [
        RemovedPattern(pattern, after.version) for pattern in _leaving(before, after) if _is_given_up(pattern, before)
    ]
    earlier = [pattern for pattern in before.removed_patterns if [*left_of(pattern.pattern, after)]]
    return (*earlier[-_MOST_PATTERNS:], *newly)


def _is_given_up(pattern: RepositoryPattern, before: CompiledSpec) -> bool:
    return (pattern.mode or before.mode) is Mode.ENFORCE and isinstance(pattern.policy, Document)


def _leaving(before: CompiledSpec, after: CompiledSpec) -> Iterator[RepositoryPattern]:
    """What the patterns of a version covered and the next version does not name, as patterns."""
    for pattern in before.patterns:
        yield from left_of(pattern, after)


def left_of(pattern: RepositoryPattern, after: CompiledSpec) -> Iterator[RepositoryPattern]:
    """The part of a pattern that a version does not name, as patterns; rather too much than too little."""
    now = next(
        (repository_pattern for repository_pattern in after.patterns if repository_pattern.target == pattern.target),
        None,
    )
    if now is not None:
        named = {repository_pattern.target for repository_pattern in after.patterns}
        for name in now.excluded:
            left = replace(pattern.target, name=name)
            if name not in pattern.excluded and left not in named and after.spec_of(left) is None:
                yield replace(pattern, name=name)
        return
    wider = next(
        (repository_pattern for repository_pattern in after.patterns if repository_pattern.covers(pattern.target)), None
    )
    excluded = () if wider is None else {*wider.excluded} - {*pattern.excluded}
    if wider is None or any(patterns_meet(name, pattern.name) for name in excluded):
        yield pattern


def staying(spec: TargetSpec, after: CompiledSpec) -> Documents:
    """The documents of a target that a version no longer names and leaves as they are.

    These are literal ones, and policies of repositories that were only observed; `after`: as `succeeding` returns it.
    """
    if isinstance(spec.target, RepositoryTarget) and spec.target.key in after.removed:
        return {}
    return {
        at: document
        for at, document in spec.documents.items()
        if isinstance(document, Document) and not _is_of_ours(at, spec) and not _is_governed(at, after)
    }


def left_as_they_are(before: CompiledSpec, after: CompiledSpec) -> Iterator[Target]:
    """The targets, and patterns of repositories, of which something stays that a version no longer names."""
    yield from (spec.target for spec in before.targets.values() if staying(spec, after))
    for pattern in _leaving(before, after):
        if isinstance(pattern.policy, Document) and not _is_given_up(pattern, before):
            yield pattern.target


def _is_governed(address: Address, after: CompiledSpec) -> bool:
    """Whether a version says what has to be at an address."""
    spec = after.spec_of(address.target)
    if spec is None:
        return False
    is_cleared_away = spec.extent is Extent.WHOLE and address.kind is AddressKind.IDENTITY_POLICY
    return is_cleared_away or address in spec.documents or address in spec.observed


def _is_of_ours(address: Address, spec: TargetSpec) -> bool:
    """Whether a document of a user or role goes with its grants: ecr-warden deletes it."""
    return is_our_policy(address) or any(document.kind is AddressKind.ROLE for document in spec.documents)


def _desired(spec: TargetSpec | None) -> object:
    """The part of a target's entry that decides what its documents must be."""
    return None if spec is None else (spec.extent, spec.documents, spec.foreign, spec.observed)


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
