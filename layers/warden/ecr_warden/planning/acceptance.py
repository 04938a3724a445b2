"""Whether a version of the spec waits for a person, and why.

Every limit is the accepted version's, never the new one's: a version that loosens a limit waits by that alone.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.model.address import Address
from ecr_warden.model.desired import (
    CompiledSpec,
    Extent,
    HoldLimits,
    Mode,
    Removal,
    RepositoryPattern,
    TargetSpec,
    Widening,
)
from ecr_warden.model.plan import Change, HoldReason, Plan
from ecr_warden.model.target import RepositoryTarget, Target
from ecr_warden.planning.outsiders import gains_of, left_unreported, let_in
from ecr_warden.policy.access import AccessChange as DocumentChange
from ecr_warden.policy.describe import describe_change
from ecr_warden.policy.phrases import Framing, Perspective
from ecr_warden.policy.printable import count, listed, printable

REMOVALS_COUNT_FOR = timedelta(hours=24)
_LEAST_REMOVED, _SHARE_REMOVED = 5, 0.2
_NAMED = 3
_OUTSIDERS_NAMED = 20
_STRICTER = {Widening.FREE: 0, Widening.HOLD: 1, Widening.APPROVE: 2}


class ReasonKind(StrEnum):
    """Why a version waits."""

    EMPTY = "empty"
    ACCOUNT = "account"
    REMOVALS = "removals"
    OUTSIDERS = "outsiders"
    GAINS = "gains"
    OBSERVES = "observes"
    LIMITS = "limits"
    BEGINS = "begins"
    UNKNOWN = "unknown"


class Reason(Struct, frozen=True):
    """One reason, in words that go on from `the version waits because`."""

    kind: ReasonKind
    text: str


class Beginning(Struct, frozen=True):
    """What enforcing would change in the accounts as they are now, where a version begins to enforce.

    `unknown`: what could not be read, and why.
    """

    plans: tuple[Plan, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that give or take access, or may."""
        every = (change for plan in self.plans for change in plan.changes)
        return tuple(one for one in every if one.access is None or one.access.gained or one.access.lost)

    @property
    def unread(self) -> tuple[str, ...]:
        """Everything of which it is not known what enforcing would change."""
        held = (one for plan in self.plans for one in plan.held if one.reason is HoldReason.UNREADABLE)
        return (*self.unknown, *(f"{one.drift.address}: {one.explain}" for one in held))


def begins_at(
    accepted: CompiledSpec | None, new: CompiledSpec
) -> tuple[tuple[TargetSpec, ...], tuple[RepositoryPattern, ...]]:
    """The targets and patterns that go from not being enforced to being enforced."""

    def begins(target: Target) -> bool:
        return _mode_of(new, target) is Mode.ENFORCE and _mode_of(accepted, target) is Mode.OBSERVE

    return (
        tuple(spec for spec in new.targets.values() if begins(spec.target)),
        tuple(pattern for pattern in new.patterns if begins(pattern.target)),
    )


def reasons_to_hold(
    accepted: CompiledSpec | None,
    new: CompiledSpec,
    changes: AccessChanges,
    *,
    beginning: Beginning,
    grants: Callable[[], int],
    now: datetime,
) -> tuple[Reason, ...]:
    """Why the version waits; nothing if it takes effect at once.

    `changes`: of access, between the two; `grants`: how many the accepted one gives.
    """
    reasons: list[Reason] = []
    if accepted is not None:
        reasons += _loosened(accepted, new, grants)
        if is_enforcing(accepted):
            reasons += _less(accepted, new)
            reasons += _over_limits(accepted, changes, grants, now)
            reasons += _more(accepted, new)
            if changes.undecided:
                which = listed(list(map(_place, changes.undecided)), _NAMED)
                reasons.append(
                    Reason(ReasonKind.UNKNOWN, f"there was no time to decide who gains and loses in {which}")
                )
    return (*reasons, *_begins(beginning))


def removed_grants(changes: AccessChanges) -> int:
    """How many grants somebody loses."""
    lost = {(one.principal, one.repository, one.access) for one in changes.changes if one.direction is Direction.LOSES}
    return len(lost)


def removals_after(accepted: CompiledSpec | None, changes: AccessChanges, now: datetime) -> tuple[Removal, ...]:
    """The removals that count from now on, once the version is accepted without a person."""
    removed = removed_grants(changes)
    recent = () if accepted is None else _recent(accepted.removals, now)
    return (*recent, Removal(now, removed)) if removed else recent


def is_enforcing(spec: CompiledSpec) -> bool:
    """Whether anything is enforced."""
    return spec.overall_mode is Mode.ENFORCE


def _targets(spec: CompiledSpec) -> tuple[Target, ...]:
    return (*(entry.target for entry in spec.targets.values()), *(pattern.target for pattern in spec.patterns))


def _mode_of(spec: CompiledSpec | None, target: Target) -> Mode:
    return Mode.OBSERVE if spec is None else spec.mode_of(target)


def _recent(removals: Iterable[Removal], now: datetime) -> tuple[Removal, ...]:
    """Those of the last 24 hours; one ahead of the clock counts too, because the clock has jumped back."""
    return tuple(one for one in removals if one.at > now - REMOVALS_COUNT_FOR)


def _less(accepted: CompiledSpec, new: CompiledSpec) -> Iterator[Reason]:
    """What it names no longer, or no longer repairs."""
    if (accepted.targets or accepted.patterns) and not (new.targets or new.patterns):
        yield Reason(ReasonKind.EMPTY, "it names no repository, role or user any more")
    dropped = sorted({*accepted.accounts} - {*new.accounts})
    if dropped:
        yield Reason(ReasonKind.ACCOUNT, f"it drops {count(len(dropped), 'account')}: {listed(dropped, _NAMED)}")
    ended = [
        target
        for target in _targets(new)
        if _mode_of(accepted, target) is Mode.ENFORCE and _mode_of(new, target) is Mode.OBSERVE
    ]
    if ended or not is_enforcing(new):
        where = f" at {count(len(ended), 'target')}" if is_enforcing(new) else ""
        yield Reason(ReasonKind.OBSERVES, f"it goes from enforce to observe{where}: drift is no longer repaired there")
    freed = [printable(one.name) for one in _freed(accepted, new)]
    if freed:
        fit = listed(freed, _NAMED)
        yield Reason(
            ReasonKind.OBSERVES, f"it leaves repositories that fit {fit} alone: drift is no longer repaired there"
        )
    looser = [str(one.target) for one in new.targets.values() if _is_no_longer_whole(accepted, one)]
    if looser:
        text = "it leaves other policies alone where there could be none"
        yield Reason(ReasonKind.OBSERVES, f"{text}: {listed(looser, _NAMED)}")


def _over_limits(
    accepted: CompiledSpec, changes: AccessChanges, grants: Callable[[], int], now: datetime
) -> Iterator[Reason]:
    """What it takes away beyond the accepted version's limits."""
    removed = removed_grants(changes)
    if removed:
        earlier = sum(one.grants for one in _recent(accepted.removals, now))
        # Counting all grants takes time, and is needed only above the least limit.
        if removed + earlier > _LEAST_REMOVED or accepted.limits.max_removed is not None:
            limit = _max_removed(accepted.limits, grants)
            if removed + earlier > limit:
                before = f" after {earlier} in the 24 hours before" if earlier else ""
                yield Reason(
                    ReasonKind.REMOVALS,
                    f"it removes {count(removed, 'grant')}{before}; max_removed is {limit}",
                )


def _is_no_longer_whole(accepted: CompiledSpec, now: TargetSpec) -> bool:
    """Whether an enforced identity may have other policies from now on (`exclusive` in the spec)."""
    was = accepted.targets.get(now.target.key)
    is_looser = was is not None and was.extent is Extent.WHOLE and now.extent is not Extent.WHOLE
    return is_looser and _mode_of(accepted, now.target) is Mode.ENFORCE


def _freed(accepted: CompiledSpec, new: CompiledSpec) -> Iterator[RepositoryTarget]:
    """What enforced patterns cover no longer: nobody counts how many repositories, or grants, that is."""
    now = {pattern.target: pattern for pattern in new.patterns}
    for pattern in accepted.patterns:
        if _mode_of(accepted, pattern.target) is Mode.ENFORCE:
            same = now.get(pattern.target)
            names = (pattern.name,) if same is None else (*({*same.excluded} - {*pattern.excluded}),)
            for left in (replace(pattern.target, name=name) for name in sorted(names)):
                if new.spec_of(left) is None:
                    yield left


def _more(accepted: CompiledSpec, new: CompiledSpec) -> Iterator[Reason]:
    """What it gives."""
    if accepted.limits.widening is Widening.FREE:
        return
    found = tuple(let_in(accepted, new))
    places: dict[str, list[str]] = {}
    for one in found:
        places.setdefault(one.who, []).append(_named(one.address))
    for who in [*places][:_OUTSIDERS_NAMED]:
        yield Reason(ReasonKind.OUTSIDERS, f"it lets in {who}: {listed(places[who], _NAMED, separator='; ')}")
    if len(places) > _OUTSIDERS_NAMED:
        yield Reason(ReasonKind.OUTSIDERS, f"it lets in {count(len(places) - _OUTSIDERS_NAMED, 'more outsider')}")
    unreported = left_unreported(accepted, new)
    if unreported:
        text = f"its also_allowed keeps the access of outsiders from being reported: {listed(unreported, _NAMED)}"
        yield Reason(ReasonKind.OUTSIDERS, text)
    # Whoever is let in by the version after this one would be no outsider any more.
    added = [one for one in sorted({*new.accounts} - {*accepted.accounts}) if f"account {one}" not in places]
    if added:
        text = f"it adds {count(len(added), 'account')}, where nobody counts as an outsider afterwards"
        yield Reason(ReasonKind.OUTSIDERS, f"{text}: {listed(added, _NAMED)}")
    if accepted.limits.widening is Widening.APPROVE and not found:
        gaining = [_named(address) for address, _ in gains_of(accepted, new)]
        if gaining:
            text = f"it gives access, and widening is approve: {listed(gaining, _NAMED, separator='; ')}"
            yield Reason(ReasonKind.GAINS, text)


def _loosened(accepted: CompiledSpec, new: CompiledSpec, grants: Callable[[], int]) -> Iterator[Reason]:
    old, now = accepted.limits, new.limits
    loosened: list[str] = []
    if _STRICTER[now.widening] < _STRICTER[old.widening]:
        loosened.append(f"widening from {old.widening} to {now.widening}")
    if old.max_removed != now.max_removed and _max_removed(now, grants) > _max_removed(old, grants):
        loosened.append(f"max_removed from {_max_removed(old, grants)} to {_max_removed(now, grants)}")
    if loosened:
        yield Reason(ReasonKind.LIMITS, f"it loosens {' and '.join(loosened)}")


def _begins(beginning: Beginning) -> Iterator[Reason]:
    changes = beginning.changes
    if changes:
        targets = {change.address.target for change in changes}
        what = f"{count(len(changes), 'change')} of {count(len(targets), 'target')}"
        text = f"enforcing begins, and {what} give or take what the documents there give now"
        yield Reason(ReasonKind.BEGINS, f"{text}, whatever other policies give")
    unread = beginning.unread
    if unread:
        text = f"it is not known what enforcing would change: {listed(unread, 1, separator='; ')}"
        yield Reason(ReasonKind.UNKNOWN, text)


def _max_removed(limits: HoldLimits, grants: Callable[[], int]) -> int:
    return max(_LEAST_REMOVED, int(grants() * _SHARE_REMOVED)) if limits.max_removed is None else limits.max_removed


class Effects(Struct, frozen=True):
    """Who gains and who loses by a version, in words."""

    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


def effects(accepted: CompiledSpec | None, changes: AccessChanges, beginning: Beginning) -> Effects:
    """What people see before they decide: by the two versions, and where enforcing begins by the live documents."""
    gains: dict[str, None] = {}
    loses: dict[str, None] = {}
    if accepted is not None and is_enforcing(accepted):
        for one in changes.changes:
            (gains if one.direction is Direction.GAINS else loses)[words_of(one)] = None
        gains |= dict.fromkeys(f"{printable(other.target, 400)}: {other.text}" for other in changes.others)
    for change in beginning.changes:
        subject = change.address.target.name
        if change.access is None:
            gains[f"{_named(change.address)}: what it gives and takes is not known"] = None
            continue
        # The plan's words are of the live document against the desired one.
        gains |= dict.fromkeys(
            describe_change(DocumentChange(lost=change.access.gained), subject=subject, framing=_PLAN)
        )
        loses |= dict.fromkeys(
            describe_change(DocumentChange(gained=change.access.lost), subject=subject, framing=_PLAN)
        )
    return Effects(tuple(gains), tuple(loses))


_PLAN = Framing(Perspective.PLAN)


def words_of(change: AccessChange) -> str:
    """`arn:aws:iam::111111111111:user/anna gains pull from shop/checkout (222222222222, eu-central-1)`."""
    who, where = printable(change.principal, 160), _place(change.repository)
    through = f" through {listed(list(map(printable, change.through)), _NAMED)}" if change.through else ""
    only = f", if {listed(change.conditions, _NAMED, separator=' and ')}" if change.conditions else ""
    return f"{who} {change.direction} {change.access} of {where}{through}{only}"


def _place(repository: str) -> str:
    """A repository's key in the words of messages."""
    _, account, region, name = repository.split("/", 3)
    return f"{name} ({account}, {region})"


def _named(address: Address) -> str:
    return f"{address.kind.replace('-', ' ')} of {address.target.name}"
