"""What a version takes over: documents that exist and that no version enforced until now."""

from collections.abc import Callable, Iterator
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from ecr_warden.collect.observed import ReadAccounts
from ecr_warden.core.access_change import AccessChanges, Direction, OtherChange
from ecr_warden.core.address import Address, AddressKind
from ecr_warden.core.desired import CompiledSpec, Documents, Extent, Mode, RepositoryPattern, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.ecr import ECR
from ecr_warden.core.failures import PortError
from ecr_warden.core.framings import VERSIONS
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.observed import Absent, Observation, Present, Unparseable, Unreadable
from ecr_warden.core.part import part_of
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.diff import diff
from ecr_warden.repair.extent import is_within
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.targets import orphan_spec
from ecr_warden.versions.enforced import EnforcedChange, enforced
from ecr_warden.versions.removals import keys_of
from iam_access.delta.delta import AccessDelta
from iam_access.delta.describe import describe_change
from iam_access.document.pattern import patterns_meet
from iam_access.errors import site_of
from iam_access.text.printable import printable

_WIDTH = (Extent.NAMED, Extent.OURS, Extent.WHOLE)


class PossibleTakeover(Struct, frozen=True):
    """What a version enforces and the accepted one does not, before the accounts are looked at."""

    before: CompiledSpec
    new: CompiledSpec
    targets: tuple[tuple[TargetSpec, TargetSpec | None], ...] = ()
    """By name, with the accepted version's entry if there is one."""
    patterns: tuple[RepositoryPattern, ...] = ()
    """To which repositories may newly fit."""
    accounts: tuple[str, ...] = ()
    """Where what is left of ecr-warden's is newly cleared away."""

    @property
    def parts(self) -> frozenset[str]:
        """What has to be read, as state.sweeps names parts."""
        targets = (*(spec.target for spec, _ in self.targets), *(pattern.target for pattern in self.patterns))
        return frozenset((*map(part_of, targets), *self.accounts))

    @property
    def names(self) -> list[str]:
        """What may be taken over, for people."""
        return [
            *(str(spec.target) for spec, _ in self.targets),
            *(f"{pattern.target}" for pattern in self.patterns),
            *(f"account {account}" for account in self.accounts),
        ]


class Takeover(Struct):
    """What a version takes over, as the accounts show it."""

    digests: dict[str, str] = field(default_factory=dict)
    """Of each live document that is taken over, by its address as text, "" for an absent one."""
    changed: list[Drift] = field(default_factory=list)
    """What differs there."""
    lying: list[tuple[TargetSpec, Documents]] = field(default_factory=list)
    """What is asked of each target as it was read, of what is taken over alone, and the documents that lie there."""
    unknown: list[str] = field(default_factory=list)
    """What could not be read or decided."""


def possible_takeover(accepted: CompiledSpec | None, new: CompiledSpec) -> PossibleTakeover:
    """What a version may take over: what it enforces, and the accepted one does not."""
    before, after = enforced(accepted), enforced(new)
    targets = [(new.targets[key], before.spec_of(spec.target)) for key, spec in after.targets.items()]
    targets += [(spec, None) for spec in _no_longer_observed(accepted, new)]
    return PossibleTakeover(
        before,
        new,
        tuple((spec, was) for spec, was in targets if _takes_over(spec, was)),
        tuple(
            pattern
            for pattern in after.patterns
            if not any(covers(repository_pattern, pattern) for repository_pattern in before.patterns)
        ),
        tuple(account for account in new.accounts if _clears(new, account) and not _clears(accepted, account)),
    )


def takeover_of(
    possible: PossibleTakeover, live: ReadAccounts, now: datetime, has_time: Callable[[], bool]
) -> Takeover:
    """What differs in the live documents that are taken over; an error in one does not stop the others."""
    takeover = Takeover()
    for spec, was in _candidates(possible, live, takeover.unknown):
        if not has_time():
            takeover.unknown.append("there was no time to compare all documents")
            break
        try:
            _compare(spec, was, live.observe(spec, takes_duration=True), now, takeover)
        except Exception as error:
            # Whoever chose a document on which ecr-warden fails must not keep the version from being judged.
            takeover.unknown.append(f"{spec.target}: ecr-warden failed on its documents ({site_of(error)})")
    return takeover


def _candidates(
    possible: PossibleTakeover, live: ReadAccounts, unknown: list[str]
) -> Iterator[tuple[TargetSpec, TargetSpec | None]]:
    """Each target with what is asked of it, and the accepted version's entry."""
    yield from possible.targets
    for pattern in possible.patterns:
        try:
            fitting = [
                repository_target
                for repository_target in live.fitting(pattern)
                if repository_target.key not in possible.new.targets
            ]
        except PortError as error:
            unknown.append(str(error))
            continue
        for target in fitting:
            if possible.before.spec_of(target) is None and (spec := possible.new.spec_of(target)) is not None:
                yield spec, None
    for account in possible.accounts:
        try:
            others = [identity for identity in live.identities(account) if identity.key not in possible.new.targets]
        except PortError as error:
            unknown.append(str(error))
            continue
        for orphan in others:
            if (spec := orphan_spec(orphan, possible.new)) is not None and orphan.key not in possible.before.targets:
                yield spec, None


def _takes_over(spec: TargetSpec, was: TargetSpec | None) -> bool:
    """Whether any document is enforced that was not; `was`: the enforced entry before."""
    if was is None:
        return True
    if isinstance(spec.target, RepositoryTarget):
        return False
    is_wider = _WIDTH.index(spec.extent) > _WIDTH.index(was.extent)
    return is_wider or any(not _governs(was, address) for address in spec.documents)


def _governs(was: TargetSpec | None, address: Address) -> bool:
    """Whether a version decided already what is at an address."""
    return was is not None and _decides(was, address)


def _decides(spec: TargetSpec, address: Address) -> bool:
    """Whether an entry says what is at an address, be it that nothing is."""
    is_policy = address.kind in (AddressKind.IDENTITY_POLICY, AddressKind.ATTACHED_POLICY)
    return address in spec.documents or (is_policy and is_within(spec, address))


def covers(wide: RepositoryPattern, pattern: RepositoryPattern) -> bool:
    """Whether no repository fits a pattern that did not fit another one."""
    excluded = (one for one in wide.excluded if one not in pattern.excluded)
    return wide.covers(pattern.target) and not any(patterns_meet(one, pattern.name) for one in excluded)


def _no_longer_observed(accepted: CompiledSpec | None, new: CompiledSpec) -> Iterator[TargetSpec]:
    """What is asked of users and roles that were only observed, and that lose what no grant gives any more."""
    for key, spec in accepted.targets.items() if accepted is not None else ():
        is_left = key not in new.targets and accepted is not None and accepted.mode_of(spec.target) is Mode.OBSERVE
        if is_left and not isinstance(spec.target, RepositoryTarget) and _clears(new, spec.target.account):
            target_spec = orphan_spec(spec.target, new)
            if target_spec is not None:
                yield target_spec


def _clears(version: CompiledSpec | None, account: str) -> bool:
    """Whether what no grant gives any more is cleared away in an account."""
    if version is None:
        return False
    is_enforced = (version.account_modes.get(account) or version.overall_mode) is Mode.ENFORCE
    return account in version.accounts and is_enforced


def _compare(spec: TargetSpec, was: TargetSpec | None, seen: Observation, now: datetime, takeover: Takeover) -> None:
    """Note what lies at the addresses of one target that are taken over, and what of it differs."""
    target_spec = as_observed(spec, seen)
    taken = {
        address: seen.documents.get(address, Absent())
        for address in dict.fromkeys((*target_spec.documents, *seen.documents))
        if _decides(target_spec, address) and not _governs(was, address)
    }
    takeover.digests |= {
        str(address): live.digest if isinstance(live, Present | Unparseable) else ""
        for address, live in taken.items()
        if address.kind is not AddressKind.ROLE and not isinstance(live, Unreadable)
    }
    asked = {address: value for address, value in target_spec.documents.items() if not _governs(was, address)}
    lying = {at: live.value for at, live in taken.items() if isinstance(live, Present) and live.value is not None}
    takeover.lying.append((replace(target_spec, documents=asked, observed={}), lying))
    for drift in (one for one in diff(target_spec, seen, now=now) if not _governs(was, one.address)):
        if drift.kind in (DriftKind.UNREADABLE, DriftKind.UNPARSEABLE):
            takeover.unknown.append(
                f"{drift.address.kind.replace('-', ' ')} of {drift.address.target}: {drift.explain}"
            )
        elif drift.kind in (DriftKind.CHANGED, DriftKind.UNEXPECTED) and not drift.same_access:
            takeover.changed.append(drift)


def with_documents(changes: AccessChanges, takeover: Takeover) -> AccessChanges:
    """The changes, and what each document that is taken over gives and takes where no other line names its target."""
    said = {
        *((key, one.direction) for one in changes.changes for key in keys_of(one)),
        *((one.target, one.direction) for one in changes.others),
    }
    others = (
        OtherChange(drift.address.target.key, text, direction)
        for drift in takeover.changed
        for direction in Direction
        if drift.change is None or (drift.address.target.key, direction) not in said
        for text in _of_document(drift, direction)
    )
    return replace(changes, others=(*changes.others, *others))


def _of_document(drift: Drift, direction: Direction) -> tuple[str, ...]:
    """What the change of a live document to the desired one gives, or takes."""
    address, live = drift.address, drift.change
    if live is None:
        text = f"{address.kind.replace('-', ' ')} {printable(address.name, 160)}: {drift.explain}"
        return (text,) if direction is Direction.LOSES else ()
    takes = AccessDelta(lost=live.gained) if direction is Direction.LOSES else AccessDelta(live.lost)
    return describe_change(takes, ECR, subject=address.target.name, framing=VERSIONS)


def from_what_lies(change: EnforcedChange, takeover: Takeover) -> EnforcedChange:
    """The change from what lies at the addresses that are taken over, and to what is asked of them as they are."""
    before, after = dict(change.before.targets), dict(change.after.targets)
    for asked, lying in takeover.lying:
        for targets, documents in ((before, lying), (after, asked.documents)):
            spec = targets.get(asked.target.key) or replace(asked, documents={})
            targets[asked.target.key] = replace(spec, documents={**spec.documents, **documents})
    return replace(change, before=replace(change.before, targets=before), after=replace(change.after, targets=after))
