"""What differs between two versions of the spec: access, and what changes without access."""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from msgspec import Struct, field

from ecr_warden.collect.observed import LiveEstate
from ecr_warden.core.access_change import AccessChange, OtherChange
from ecr_warden.core.address import Address
from ecr_warden.core.desired import CompiledSpec, DesiredValue, RepositoryPattern, RoleSettings, TargetSpec
from ecr_warden.core.judgement import Judgement
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.changes import Versions, left_as_they_are, succeeding
from ecr_warden.versions.judge import judged
from ecr_warden.versions.removals import keys_of
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document

# Of a target: what decides access, and what follows from other targets. Of a spec: the targets, and its version.
_NO_SETTINGS = {
    *("target", "documents", "foreign", "policy", "principals", "widen_after", "dependents"),
    *("account", "region", "name", "excluded"),
    *("version", "targets", "patterns", "removed", "removed_patterns", "removals", "given", "taken_over"),
    *("ends", "observed", "literal"),
}


_IN_SPEC = {
    "account_modes": "mode of accounts",
    "may_be_missing": "whether it may be missing",
}
"""Settings that the spec calls otherwise than the compiled form."""


class TargetChange(StrEnum):
    """What becomes of a target."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


class Ending(StrEnum):
    """What becomes of a policy that the newer version does not name any more."""

    REVOKED = "revoked"
    LEFT = "left"


class SettingChange(Struct, frozen=True):
    """A setting that changes: of a target, by its key, or ("") of the spec. `before` and `after`: "" if too long."""

    target: str
    name: str
    before: str
    after: str


class SpecDiff(Struct, frozen=True):
    """Everything that differs."""

    changes: tuple[AccessChange, ...] = ()
    undecided: tuple[str, ...] = ()
    """The repositories of which nothing is known."""
    targets: Mapping[str, TargetChange] = field(default_factory=dict)
    """By key, of those whose documents differ, the ones that no change names."""
    settings: tuple[SettingChange, ...] = ()
    judgement: Judgement = Judgement()
    """Whether the new version would wait for a person, and why, if the old one is the accepted one."""
    endings: Mapping[str, Ending] = field(default_factory=dict)
    """By the key of the target."""
    others: tuple[OtherChange, ...] = ()
    """What documents give and take that is no kind of access."""
    texts_alone: bool = False
    """Whether the texts were compared where accounts would have shown what lies there."""
    observed: bool = False
    """Whether nothing of it happens before the new version says `mode: enforce`."""

    @property
    def is_nothing(self) -> bool:
        """Are the versions the same?"""
        return not (self.changes or self.undecided or self.targets or self.settings)


def diff(
    old: CompiledSpec | None,
    new: CompiledSpec | None,
    now: datetime,
    *,
    baseline: CompiledSpec | None,
    live: LiveEstate | None = None,
    removed_before: int = 0,
    max_removed: int | None = None,
) -> SpecDiff:
    """Everything that differs between two versions, and how the hub would judge the new one; None is no version.

    `baseline`: the last version that a person accepted; `live`: the accounts, if they are known; `removed_before`: the
    grants that versions removed in the 24 hours before; `max_removed`: how many may go, None for a share.
    """
    after = new or (old and replace(old, targets={}, patterns=(), removed={}))
    if after is None:
        return SpecDiff()
    versions = Versions(baseline, old, after)
    judgement, seen = judged(versions, live, removed_before=removed_before, now=now, max_removed=max_removed)
    after = succeeding(old, after)
    found = access_changes(old, after) if live is None else seen
    named = {key for change in found.changes for key in keys_of(change)}
    return SpecDiff(
        found.changes,
        found.undecided,
        {key: target_change for key, target_change in _changed(old, after) if key not in named},
        tuple(_settings(old, after)),
        judgement,
        _endings(old, after),
        found.others,
        texts_alone=live is None and (bool(judgement.unseen) or versions.only_observe),
        observed=new is not None and versions.only_observe,
    )


def _endings(old: CompiledSpec | None, after: CompiledSpec) -> dict[str, Ending]:
    """The fate of each policy that the newer version does not name any more; users and roles lose theirs anyway."""
    revoked = [entry.target for entry in after.removed.values() if isinstance(entry.target, RepositoryTarget)]
    revoked += [removed_pattern.pattern.target for removed_pattern in after.removed_patterns]
    left = [] if old is None else left_as_they_are(old, after)
    return {
        **{target.key: Ending.REVOKED for target in sorted(revoked)},
        **dict.fromkeys(sorted({target.key for target in left}), Ending.LEFT),
    }


type _Entry = TargetSpec | RepositoryPattern


def _entries(version: CompiledSpec | None) -> dict[str, _Entry]:
    if version is None:
        return {}
    return {**version.targets, **{pattern.target.key: pattern for pattern in version.patterns}}


def _changed(old: CompiledSpec | None, new: CompiledSpec) -> Iterator[tuple[str, TargetChange]]:
    before, after = _entries(old), _entries(new)
    for key in sorted({*before, *after}):
        if key not in before:
            yield key, TargetChange.NEW
        elif key not in after:
            yield key, TargetChange.REMOVED
        elif _differ(before[key], after[key]):
            yield key, TargetChange.CHANGED


def _differ(entry: _Entry, other: _Entry) -> bool:
    """Whether the documents of a target differ in more than how they are written."""
    mine, theirs = entry.granted, other.granted
    if mine.keys() != theirs.keys() or _besides(entry) != _besides(other):
        return True
    return any(_values_differ(value, theirs[at], at) for at, value in mine.items())


def _besides(entry: _Entry) -> object:
    """What else decides the documents."""
    return entry.foreign, entry.excluded if isinstance(entry, RepositoryPattern) else entry.extent


def _values_differ(value: DesiredValue, other: DesiredValue, at: Address) -> bool:
    match value, other:
        case (Document(), Document()):
            return value.text != other.text and isinstance(relate(value, other, kind=at.document_kind), Differs)
        case (RoleSettings(), RoleSettings()):
            return False  # settings
        case _:
            return value != other


def _settings(old: CompiledSpec | None, new: CompiledSpec) -> Iterator[SettingChange]:
    if old is None:
        return
    yield from _fields("", old, new)
    before, after = _entries(old), _entries(new)
    for key in sorted(before.keys() & after.keys()):
        if type(before[key]) is type(after[key]):
            yield from _mode(key, (before[key], old), (after[key], new))
            yield from _fields(key, before[key], after[key])
            settings = [_role_settings(entry) for entry in (before[key], after[key])]
            if settings[0] is not None and settings[1] is not None:
                yield from _fields(key, *settings)


def _mode(key: str, before: tuple[_Entry, CompiledSpec], after: tuple[_Entry, CompiledSpec]) -> Iterator[SettingChange]:
    """A repository that is enforced or observed from now on; users and roles follow, as all do the mode of the spec."""
    (one, old), (other, new) = before, after
    was, now = one.mode or old.mode, other.mode or new.mode
    if isinstance(one.target, RepositoryTarget) and one.mode is not other.mode and was is not now:
        yield SettingChange(key, "mode", was.value, now.value)


def _role_settings(entry: _Entry) -> RoleSettings | None:
    values = entry.documents.values() if isinstance(entry, TargetSpec) else ()
    return next((value for value in values if isinstance(value, RoleSettings)), None)


def _fields(target: str, one: Any, other: Any) -> Iterator[SettingChange]:
    for name in one.__struct_fields__:
        before, after = getattr(one, name), getattr(other, name)
        follows = name in _NO_SETTINGS or name == "extent" or (target and name == "mode")
        if not follows and before != after:
            yield SettingChange(target, _IN_SPEC.get(name, name), _short(before), _short(after))


def _short(value: object) -> str:
    """A value in a word or two, "" if it takes more."""
    match value:
        case Enum():
            return str(value.value)
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str() | int():
            return str(value)
        case _:
            return ""
