"""What a version takes away of what the accepted one gives, counted in grants."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from copy import replace

from msgspec import Struct

from ecr_warden.collect.observed import ReadAccounts
from ecr_warden.core.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.core.address import OUR_ROLE_PATH
from ecr_warden.core.desired import CompiledSpec, DesiredValue, RepositoryPattern
from ecr_warden.core.failures import PortError
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.affected_repositories import key_of
from ecr_warden.versions.enforced import EnforcedChange
from iam_access.delta.delta import AccessDelta, access_change, gained_and_lost
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.document.pattern import patterns_meet
from iam_access.equivalent.canonical import canonical_together
from iam_access.evaluate.request_principal import principal_named
from iam_access.gather import gather

type _Pair = tuple[DesiredValue | None, DesiredValue | None]


class DocumentsChange(Struct, frozen=True):
    """What the documents of one kind at a target give and take together."""

    target: Target
    access: AccessDelta
    losing: int
    """How many of them lose anything."""


def document_changes(step: EnforcedChange) -> Iterator[DocumentsChange]:
    """The targets whose documents differ, by the kind of document."""
    held = gather(((address.target, address.document_kind), (old, new)) for address, old, new in step.documents())
    for (target, kind), pairs in held.items():
        if kind is not None and any(old != new for old, new in pairs):
            access = _together(pairs, kind)
            losing = sum(bool(gained_and_lost(_document(old), _document(new), kind=kind).lost) for old, new in pairs)
            yield DocumentsChange(target, access, losing if access.lost else 0)


def removed_grants(changes: AccessChanges, documents: Iterable[DocumentsChange]) -> int:
    """How many grants somebody loses; a document that loses what is no grant's counts as one."""
    lost = [change for change in changes.changes if change.direction is Direction.LOSES]
    counted = {key for one in lost for key in keys_of(one)}
    others = sum(document.losing for document in documents if document.target.key not in counted)
    return len({(one.principal, one.repository, one.access) for one in lost}) + others


def emptied_patterns(change: EnforcedChange) -> tuple[RepositoryPattern, ...]:
    """The patterns that cover repositories from which all lose a pull, or to which all lose a push, or may."""
    if not change.before.patterns:
        return ()
    had, lost, undecided = _had_and_lost(change, ())
    keys = {pattern.target.key: pattern for pattern in change.before.patterns}
    found = {
        key
        for (place, access), who in lost.items()
        for key in keys
        if (key, access) in had and had[key, access] <= who and patterns_meet(place, key)
    }
    return tuple(pattern for key, pattern in keys.items() if key in found | undecided)


def emptied(
    change: EnforcedChange, accounts: ReadAccounts | None, has_time: Callable[[], bool]
) -> tuple[int, tuple[str, ...]]:
    """How many repositories that fit a pattern lose a grant, or may lose it; and why not all are known, in words."""
    patterns = emptied_patterns(change)
    if accounts is None or not patterns:
        return 0, tuple(f"how many repositories fit {pattern.target}, from which it takes all" for pattern in patterns)
    try:
        fitting = {target.key: target for pattern in patterns for target in accounts.fitting(pattern)}
    except PortError as error:
        return 0, (str(error),)
    unnamed = [target for key, target in fitting.items() if key not in change.before.targets]
    had, lost, undecided = _had_and_lost(change, unnamed, has_time)
    places = {place for (place, access), who in had.items() if who <= lost.get((place, access), frozenset())}
    return len((places | undecided) & fitting.keys()), ()


type _Access = Mapping[tuple[str, str], frozenset[str]]
"""Who, by the key of a repository and the access to it."""


def _had_and_lost(
    change: EnforcedChange, targets: Collection[RepositoryTarget], has_time: Callable[[], bool] = lambda: True
) -> tuple[_Access, _Access, frozenset[str]]:
    """Who had access to repositories, or to patterns without any, and loses it; and what is undecided."""
    before, after = (_only(version, targets) for version in (change.before, change.after))
    given, changed = access_changes(None, before, has_time), access_changes(before, after, has_time)
    had, lost = (_who(one.changes, way) for one, way in ((given, Direction.GAINS), (changed, Direction.LOSES)))
    return had, lost, frozenset((*given.undecided, *changed.undecided))


def _who(changes: Iterable[AccessChange], direction: Direction) -> _Access:
    # Its push role has what nobody may take it for any more.
    counted = (one for one in changes if one.direction is direction and f":role{OUR_ROLE_PATH}" not in one.principal)
    found = gather(((one.repository, one.access), one.principal) for one in counted)
    return {key: frozenset(who) for key, who in found.items()}


def _only(version: CompiledSpec, repositories: Collection[RepositoryTarget]) -> CompiledSpec:
    """A version of these repositories, each by its name, or without any of its patterns."""
    named = {target.key: spec for target in repositories if (spec := version.spec_of(target)) is not None}
    others = {key: spec for key, spec in version.targets.items() if not isinstance(spec.target, RepositoryTarget)}
    return replace(version, targets={**others, **named}, patterns=() if repositories else version.patterns)


def keys_of(change: AccessChange) -> Iterator[str]:
    """The targets that a change of access names."""
    yield change.repository
    named = filter(None, map(principal_named, (change.principal, *change.through)))
    yield from filter(None, map(key_of, named))


def _together(pairs: Iterable[_Pair], kind: DocumentKind) -> AccessDelta:
    old, new = (list(map(_document, side)) for side in zip(*pairs, strict=True))
    statements = canonical_together(*old, *new, kind=kind)
    before = frozenset(statement for several in statements[: len(old)] for statement in several)
    return access_change(before, frozenset(statement for several in statements[len(old) :] for statement in several))


def _document(value: DesiredValue | None) -> Document | None:
    return value if isinstance(value, Document) else None
