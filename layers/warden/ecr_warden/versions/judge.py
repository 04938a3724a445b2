"""Whether a version of the spec waits for a person, and why: the one rule of docs/adr/0024.

Pure: the accounts come in as they were read, the time and the time that is left as values. Nothing is taken for
harmless that is not shown to be: who is not shown to be ours is outside, and what was not read or decided is unknown.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import replace
from datetime import datetime

from msgspec import Struct

from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.core.access_change import AccessChanges, Direction
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.judgement import Judgement, WaitCode, WaitReason
from ecr_warden.core.ours import ours_of
from ecr_warden.core.part import part_of
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.access_lines import DiffNames, lines_of
from ecr_warden.versions.changes import Versions, observes
from ecr_warden.versions.enforced import EnforcedChange, Left, step, widened
from ecr_warden.versions.growth import grown, silenced
from ecr_warden.versions.limits import removes_much
from ecr_warden.versions.outside_gains import OutsideGains, outside_gains
from ecr_warden.versions.removals import document_changes, emptied, emptied_patterns, removed_grants
from ecr_warden.versions.takeover import (
    PossibleTakeover,
    Takeover,
    from_what_lies,
    possible_takeover,
    takeover_of,
    with_documents,
)
from iam_access.errors import site_of
from iam_access.gather import gather
from iam_access.text.printable import count, listed, printable

_NAMED = 3


class NeededParts(Struct, frozen=True):
    """What has to be read before a version is judged, as state.sweeps names parts."""

    kept: frozenset[str] = frozenset()
    """By the kept inventory, if it is young: each write compares the documents with those that were judged."""
    afresh: frozenset[str] = frozenset()
    """Whom live roles trust, and which repositories fit a pattern: no repair could take back what was missed."""

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return self.kept | self.afresh


def parts_to_read(versions: Versions) -> NeededParts:
    """What has to be read before a version is judged."""
    if versions.only_observe:
        return NeededParts()
    possible = possible_takeover(versions.accepted, versions.new)
    change = step(versions.accepted, versions.new)
    afresh = {part_of(pattern.target) for pattern in (*possible.patterns, *emptied_patterns(change))}
    if _outside(versions, (change, widened(versions.accepted, versions.new)), None).unseen:
        # Whom a live role trusts may be another one, in any of the accounts.
        afresh |= {*versions.new.accounts}
    return NeededParts(possible.parts - afresh, frozenset(afresh))


def judge(
    versions: Versions,
    live: LiveEstate | None,
    *,
    removed_before: int,
    now: datetime,
    max_removed: int | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> Judgement:
    """Judge a version; without `live`, what the accounts would show is `unseen`.

    `removed_before`: the grants that versions removed which took effect by themselves in the 24 hours before `now`.
    `max_removed`: how many they may remove in that time; None for a share of what there is. `has_time` is asked before
    each decision; what it leaves undecided is held.
    """
    if versions.only_observe:
        return Judgement(tuple(_silenced(versions)))
    return judged(versions, live, removed_before=removed_before, now=now, max_removed=max_removed, has_time=has_time)[0]


def judged(
    versions: Versions,
    live: LiveEstate | None,
    *,
    removed_before: int,
    now: datetime,
    max_removed: int | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> tuple[Judgement, AccessChanges]:
    """The same, with who gains and who loses; by a version that only observes, if it was enforced."""
    if versions.only_observe:
        as_if = replace(versions.new, mode=Mode.ENFORCE, account_modes={})
        _, shown = judged(replace(versions, new=as_if), live, removed_before=removed_before, now=now, has_time=has_time)
        return Judgement(tuple(_silenced(versions))), shown
    possible = possible_takeover(versions.accepted, versions.new)
    accounts = None if live is None else ReadAccounts(live)
    takeover = Takeover() if accounts is None else takeover_of(possible, accounts, now, has_time)
    unseen = tuple(_unseen(possible)) if accounts is None else ()
    change = step(versions.accepted, versions.new)
    shown = _shown(change, takeover, has_time)
    gains, loses = _in_words(shown, versions)
    undecided = (*(DiffNames({}).place(key, registries=2) for key in shown.undecided), *takeover.unknown)
    if versions.baseline is None and observes(versions.accepted):
        held = (_FIRST, *_takeover_reasons(takeover), *_unknown(undecided))
        return Judgement(held, unseen, gains, loses, 0, takeover.digests), shown
    documents = tuple(document_changes(change))
    in_patterns, uncounted = emptied(change, accounts, has_time)
    removed = removed_grants(shown, documents) + in_patterns
    outside = _outside(versions, (change, widened(versions.accepted, versions.new)), accounts)
    unread = (*outside.unseen, *uncounted)
    held = (
        *(WaitReason(WaitCode.OUTSIDE_GAINS, reason) for reason in outside.reasons),
        *_by_versions(versions, change.before, (removed, removed_before), max_removed),
        *_takeover_reasons(takeover),
        *_stays_open(change.left),
        *_unknown((*undecided, *(unread if accounts is not None else ()))),
    )
    unseen = (*unseen, *unread) if accounts is None else ()
    return Judgement(held, unseen, gains, loses, removed, takeover.digests), shown


def _shown(change: EnforcedChange, takeover: Takeover, has_time: Callable[[], bool]) -> AccessChanges:
    """Who gains and who loses, from what lies there; a failure on that is noted as unknown."""
    try:
        lying = from_what_lies(change, takeover)
        return with_documents(access_changes(lying.before, lying.after, has_time), takeover)
    except Exception as error:
        # Whoever chose a document on which ecr-warden fails must not keep the version from being judged.
        takeover.unknown.append(f"ecr-warden failed on the documents that are there ({site_of(error)})")
        return access_changes(change.before, change.after, has_time)


def _by_versions(
    versions: Versions, enforced: CompiledSpec, removed: tuple[int, int], max_removed: int | None
) -> Iterator[WaitReason]:
    """What the versions alone show; `enforced`: what the accepted one enforces; `removed`: now, and before."""
    accepted, baseline, new = versions.accepted, versions.baseline, versions.new
    before = (None if observes(accepted) else enforced, baseline)
    yield from _empties(accepted, new)
    yield from removes_much(*removed, (None if accepted is None else enforced, baseline), max_removed)
    if baseline is None:
        yield _FIRST
    yield from grown([compiled_spec for compiled_spec in before if compiled_spec is not None], new)
    yield from _silenced(versions)


_FIRST = WaitReason(WaitCode.TAKES_OVER, "no version that enforces anything was accepted by a person yet")


def _silenced(versions: Versions) -> Iterator[WaitReason]:
    return silenced(versions.accepted, versions.new, ours_of(versions.baseline))


def _outside(versions: Versions, changes: Iterable[EnforcedChange], accounts: ReadAccounts | None) -> OutsideGains:
    """Who outside gains by any of the changes; nobody where nobody is ours, because such a version waits anyway."""
    if versions.baseline is None:
        return OutsideGains()
    ours, account = ours_of(versions.baseline), None if accounts is None else accounts.account
    found = [outside_gains(change, ours, account) for change in changes]
    return OutsideGains(
        tuple(dict.fromkeys(reason for one in found for reason in one.reasons)),
        tuple(dict.fromkeys(what for one in found for what in one.unseen)),
    )


def _unseen(possible: PossibleTakeover) -> Iterator[str]:
    if possible.names:
        yield f"the current policies of {listed(possible.names, _NAMED)}, which it may replace"


def _empties(accepted: CompiledSpec | None, new: CompiledSpec) -> Iterator[WaitReason]:
    if accepted is None:
        return
    if (accepted.targets or accepted.patterns) and not (new.targets or new.patterns):
        yield WaitReason(WaitCode.REMOVES_MUCH, "it names no repository, role or user any more")
    dropped = sorted({*accepted.accounts} - {*new.accounts})
    if dropped:
        yield WaitReason(WaitCode.REMOVES_MUCH, f"it drops {count(len(dropped), 'account')}: {listed(dropped, _NAMED)}")


def _takeover_reasons(takeover: Takeover) -> Iterator[WaitReason]:
    if takeover.changed:
        places = list(dict.fromkeys(str(drift.address) for drift in takeover.changed))
        yield WaitReason(
            WaitCode.TAKES_OVER,
            f"it takes over {count(len(places), 'document')} and changes what is there: {listed(places, _NAMED)}",
        )


def _stays_open(left: Iterable[Left]) -> Iterator[WaitReason]:
    places = gather((one.why, str(one.target)) for one in left)
    yield from (WaitReason(WaitCode.STAYS_OPEN, f"{why}: {listed(where, _NAMED)}") for why, where in places.items())


def _unknown(what: Iterable[str]) -> Iterator[WaitReason]:
    found = list(dict.fromkeys(what))
    if found:
        yield WaitReason(
            WaitCode.NOT_JUDGED, f"it could not be read or decided: {listed(found, _NAMED, separator='; ')}"
        )


def _in_words(changes: AccessChanges, versions: Versions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who gains and who loses, the gravest first."""
    names = DiffNames(dict((versions.accepted or versions.new).aliases))
    words = (
        *((line.direction, line.text()) for line in lines_of(changes.changes, names)),
        *((other.direction, f"{printable(other.target, 400)}: {other.text}") for other in changes.others),
    )
    gains, loses = (tuple(text for one, text in words if one is direction) for direction in Direction)
    return gains, loses
