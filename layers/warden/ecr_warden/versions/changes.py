"""What differs between an accepted version of the spec and the next one; `before` is None for the first version."""

from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.core.address import Address, AddressKind, is_our_policy, repository_policy, target_in
from ecr_warden.core.desired import (
    CompiledSpec,
    DesiredValue,
    Extent,
    Mode,
    Released,
    Removal,
    Removed,
    RemovedPattern,
    RepositoryPattern,
    TargetSpec,
)
from ecr_warden.core.ecr import ECR
from ecr_warden.core.framings import GIVEN
from ecr_warden.core.target import RepositoryTarget, Target, parse_target
from iam_access.delta.delta import gained_and_lost
from iam_access.delta.describe import describe_change
from iam_access.document.document import Document
from iam_access.document.pattern import patterns_meet
from iam_access.text.printable import first

_MOST_PATTERNS = 500
_REMOVALS_COUNT_FOR = timedelta(hours=24)
_SENTENCES = 3


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
    """Patterns that are new or changed in what they give."""
    known = [_giving(pattern) for pattern in before.patterns] if before else []
    return tuple(
        pattern
        for pattern in after.patterns
        if _giving(pattern) not in known
        or (pattern.mode is None and before is not None and before.mode is not after.mode)
    )


def succeeding(before: CompiledSpec | None, after: CompiledSpec) -> CompiledSpec:
    """The next version, with what it and earlier ones took out of the spec: removed, removed patterns, released."""
    if before is None:
        return after
    patterns = _removed_patterns(before, after)
    after = replace(after, removed=_removed(before, after), removed_patterns=patterns[-_MOST_PATTERNS:])
    enforced = (key for key in before.taken_over if after.mode_of(parse_target(key)) is Mode.ENFORCE)
    taken = {key: before.taken_over[key] for key in enforced}
    return replace(after, released=tuple(_released(before, after, patterns[:-_MOST_PATTERNS])), taken_over=taken)


def without(spec: CompiledSpec, entry: TargetSpec) -> CompiledSpec:
    """The version as if it only observed a target; `entry`: what it asks of that."""
    observed = replace(entry, mode=Mode.OBSERVE)
    return replace(spec, targets={**spec.targets, entry.target.key: observed}, taken_over={})


def rolls_out(before: CompiledSpec | None, after: CompiledSpec, address: str) -> bool:
    """Whether a version enforces what is at an address, given as text, and the one before only observes it."""
    target = target_in(address)
    was = Mode.OBSERVE if before is None else before.mode_of(target)
    return was is Mode.OBSERVE and after.mode_of(target) is Mode.ENFORCE


def newly_removed_patterns(spec: CompiledSpec) -> tuple[RemovedPattern, ...]:
    """The patterns whose repositories lose their policy by this version; `spec`: as `succeeding` returns it."""
    return tuple(pattern for pattern in spec.removed_patterns if pattern.since == spec.version)


def newly_released(spec: CompiledSpec) -> tuple[Released, ...]:
    """What this version leaves as it is; `spec`: as `succeeding` returns it."""
    return tuple(released for released in spec.released if released.since == spec.version)


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
    is_enforced = before.mode_of(spec.target) is Mode.ENFORCE
    return isinstance(spec.target, RepositoryTarget) and spec.revoke_on_remove and is_enforced


def _removed_patterns(before: CompiledSpec, after: CompiledSpec) -> tuple[RemovedPattern, ...]:
    """The patterns whose repositories have to lose the policy that it gave, the oldest first."""
    newly = [
        RemovedPattern(pattern, after.version) for pattern in _leaving(before, after) if _is_given_up(pattern, before)
    ]
    earlier = [pattern for pattern in before.removed_patterns if [*left_of(pattern.pattern, after)]]
    return (*earlier, *newly)


def _is_given_up(pattern: RepositoryPattern, before: CompiledSpec) -> bool:
    is_enforced = (pattern.mode or before.mode) is Mode.ENFORCE
    return pattern.revoke_on_remove and is_enforced and isinstance(pattern.policy, Document)


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


def _released(before: CompiledSpec, after: CompiledSpec, too_many: tuple[RemovedPattern, ...]) -> Iterator[Released]:
    """What stays as it is, the oldest first; `after` already has what is removed.

    These are policies of repositories that are not revoked, also of those that left a pattern, and literal documents
    of users and roles; and what patterns gave that were removed when too many others were removed after them.
    """
    newly = {released.address: released for released in _newly_released(before, after)}
    yield from (
        released
        for released in before.released
        if released.address not in newly and not _is_governed(released.address, after)
    )
    yield from newly.values()
    yield from (_as_released(pattern.pattern, after.version) for pattern in too_many)


def _newly_released(before: CompiledSpec, after: CompiledSpec) -> Iterator[Released]:
    for key, spec in before.targets.items():
        for address, document in spec.documents.items():
            is_revoked = isinstance(address.target, RepositoryTarget) and key in after.removed
            if is_revoked or _is_of_ours(address, spec) or _is_governed(address, after):
                continue
            if isinstance(document, Document):
                yield Released(address, after.version, _gives(address, document))
    for pattern in _leaving(before, after):
        if isinstance(pattern.policy, Document) and not _is_given_up(pattern, before):
            yield _as_released(pattern, after.version)


def _as_released(pattern: RepositoryPattern, version: str) -> Released:
    address = repository_policy(pattern.target)
    return Released(address, version, _gives(address, pattern.policy), pattern.excluded)


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


def _gives(address: Address, document: DesiredValue) -> tuple[str, ...]:
    """What a document gives, in a few sentences."""
    access = gained_and_lost(None, document if isinstance(document, Document) else None, kind=address.document_kind)
    return tuple(first(describe_change(access, ECR, subject=address.target.name, framing=GIVEN), _SENTENCES))


def _giving(pattern: RepositoryPattern) -> RepositoryPattern:
    return replace(pattern, revoke_on_remove=False)


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
