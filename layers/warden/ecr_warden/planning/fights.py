"""Who fights over a document: what each run adds to what is remembered of its repairs, and what follows.

Nothing here stops or delays taking access away. Times of clocks that disagree are compared by their distance: what lies
further ahead than a period is long is the time of a clock that was wrong, and counts as past.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.model.address import DENY_OLDER_SESSIONS, WRITES, Address
from ecr_warden.model.fight import Fight, FightStatus, OthersVersion, Repairs
from ecr_warden.model.job import Actor, Cause, CauseKind
from ecr_warden.model.plan import Change
from ecr_warden.model.run import Result, RunReport
from ecr_warden.planning.ordering import gains, loses
from ecr_warden.policy.canonical import digest
from ecr_warden.policy.document import Document

AGAIN, AGAIN_WITHIN = 3, timedelta(minutes=1)
"""From this time on within this period, it is critical that a document has to be narrowed again."""
RESTORED, RESTORED_WITHIN = 3, timedelta(minutes=30)
"""A version that is restored this often within this time is a fight; after as long without it, the fight is over."""
GIVE_BACK_EVERY = timedelta(minutes=10)
"""In a fight, access is given back at most this often."""
ANNOUNCED_EVERY = timedelta(hours=1)
"""While a fight lasts, people hear of it this often."""
# What a target's record can hold, however many documents somebody writes.
_DOCUMENTS, _VERSIONS = 8, 3


class Lasting(Struct, frozen=True):
    """A fight over a document, and the version that somebody keeps restoring.

    `more`: repairs since people last heard of it.
    """

    address: Address
    version: OthersVersion
    fight: Fight
    more: int = 0


class FightNews(Struct, frozen=True):
    """The fights that began, those that people are to hear of again, and those that ended."""

    began: Sequence[Lasting] = ()
    again: Sequence[Lasting] = ()
    ended: Sequence[Lasting] = ()


def remembered(known: Sequence[Repairs], report: RunReport) -> tuple[Repairs, ...]:
    """What is remembered of a target's repairs after a run."""
    repairs = {one.address: one for one in known}
    for address, changes in _written(report).items():
        before = repairs.get(address) or Repairs(address, report.finished_at)
        repairs[address] = _after(before, changes, report)
    kept = [one for one in repairs.values() if one.is_fought_over or _within(_FORGOTTEN, one.written_at, report)]
    kept.sort(key=lambda one: (one.is_fought_over, one.written_at), reverse=True)
    return tuple(kept[:_DOCUMENTS])


_FORGOTTEN = max(AGAIN_WITHIN, RESTORED_WITHIN, GIVE_BACK_EVERY)


def over(known: Sequence[Repairs], drifted: Collection[Address], now: datetime) -> tuple[Repairs, ...]:
    """Without the fights that are over; `drifted`: what differs now, because nobody repairs it."""
    return tuple(one if one.address in drifted else _calmed(one, now) for one in known)


def is_quiet(known: Iterable[Repairs], now: datetime) -> bool:
    """Whether a fight has been quiet for so long that it is over, unless nobody repairs."""
    return any(_is_over(version, now) for one in known for version in one.versions)


def news(before: Sequence[Repairs], after: Sequence[Repairs]) -> FightNews:
    """What people have to hear of fights."""
    old, new = _by_version(before), _by_version(after)
    return FightNews(
        began=[one for key, one in new.items() if key not in old],
        again=[
            replace(one, more=one.fight.announced - old[key].fight.announced)
            for key, one in new.items()
            if key in old and one.fight.announced_at != old[key].fight.announced_at
        ],
        ended=[
            replace(one, more=one.fight.repairs - one.fight.announced) for key, one in old.items() if key not in new
        ],
    )


def is_narrowed_again(known: Iterable[Repairs], report: RunReport) -> bool:
    """Whether a run narrowed a document for at least the third time within a minute; `known`: after the run."""
    narrowed = {address for address, changes in _written(report).items() if any(map(loses, changes))}
    return any(one.address in narrowed and len(one.narrowed) >= AGAIN for one in known)


def is_of_fights(before: Iterable[Repairs], after: Iterable[Repairs], report: RunReport) -> bool:
    """Whether a run did nothing but repair documents from what somebody keeps restoring, or give back the rest."""
    versions = {(one.address, version.digest) for one in after for version in one.versions if version.fight}
    ours = {(one.address, one.left) for one in before if one.is_fought_over}
    replaced = {(address, changes[0].expect or "") for address, changes in _written(report).items()}
    drifted = {drift.address for drift in report.plan.drifts}
    return bool(replaced) and replaced <= versions | ours and drifted <= {address for address, _ in replaced}


def paced(known: Iterable[Repairs], now: datetime, cause: Cause | None = None) -> Mapping[Address, datetime]:
    """When access may be given back, for each document where that has to wait.

    What a person has asked for waits for nothing: a command, or a new version of the spec.
    """
    if cause is not None and cause.incident.partition("/")[0] in _ASKED_FOR:
        return {}
    return {
        one.address: one.given_back_at + GIVE_BACK_EVERY
        for one in known
        if one.is_fought_over and one.given_back_at and abs(now - one.given_back_at) < GIVE_BACK_EVERY
    }


_ASKED_FOR = frozenset({CauseKind.CALLER, CauseKind.SPEC, CauseKind.PAUSE})


def fight_statuses(known: Sequence[Repairs], now: datetime) -> tuple[FightStatus, ...]:
    """The fights over a target's documents, for people."""
    waits = paced(known, now)
    return tuple(
        FightStatus(one.address, one.fight.since, _last(one.version), one.fight.repairs, one.version.writer, until)
        for one in _by_version(known).values()
        for until in [waits.get(one.address)]
    )


def _by_version(known: Iterable[Repairs]) -> dict[tuple[Address, str, datetime], Lasting]:
    return {
        (one.address, version.digest, version.fight.since): Lasting(one.address, version, version.fight)
        for one in known
        for version in one.versions
        if version.fight is not None
    }


def _written(report: RunReport) -> dict[Address, list[Change]]:
    """The changes that a run wrote, by document; without cut-offs, which it writes for the sake of another."""
    written: dict[Address, list[Change]] = {}
    for change in report.applied:
        if change.address.name != DENY_OLDER_SESSIONS:
            written.setdefault(change.address, []).append(change)
    return written


def _after(before: Repairs, changes: Sequence[Change], report: RunReport) -> Repairs:
    """What is remembered of a document that a run wrote, in one change or two."""
    now, found = report.finished_at, changes[0].expect or ""
    known = replace(before, narrowed=tuple(at for at in before.narrowed if _within(AGAIN_WITHIN, at, report)))
    # What an earlier run had written is replaced too, when the rest is given back.
    if before.left != found and not _is_late(before, found, report) and not report.cause.rolls_out:
        narrows = any(map(loses, changes))
        known = replace(
            known,
            versions=_with_version(before, found, report),
            narrowed=(*known.narrowed, now)[-AGAIN:] if narrows else known.narrowed,
        )
    return replace(
        known,
        written_at=now,
        left=_digest(changes[-1]),
        seen=report.result is not Result.NOT_YET_VISIBLE,
        given_back_at=now if any(map(gains, changes)) else before.given_back_at,
    )


def _is_late(before: Repairs, found: str, report: RunReport) -> bool:
    """Whether AWS may still have shown the version that the last run had replaced: then nobody need have restored it.

    An event of a later write shows that somebody did. CloudTrail's times are full seconds.
    """
    latest = max(before.versions, key=_last, default=None)
    if before.seen or latest is None or latest.digest != found:
        return False
    is_known = report.cause.kind is CauseKind.EVENT and report.cause.actor is not None
    called = report.cause.time if is_known else None
    return called is None or called <= before.written_at.replace(microsecond=0)


def _with_version(before: Repairs, found: str, report: RunReport) -> tuple[OthersVersion, ...]:
    """The versions of others after one of them was replaced; those that are fought over are kept before others."""
    now = report.finished_at
    recent = [one for one in before.versions if _within(RESTORED_WITHIN, _last(one), report)]
    known = next((one for one in recent if one.digest == found), None)
    since = known.at if known is not None else ()
    at = (*(one for one in since if _within(RESTORED_WITHIN, one, report)), now)[-RESTORED:]
    writer = _writer(before.address, report) or (known.writer if known is not None else None)
    fight = known.fight if known is not None else None
    if fight is not None:
        fight = replace(fight, repairs=fight.repairs + 1)
        if abs(now - fight.announced_at) >= ANNOUNCED_EVERY:
            fight = replace(fight, announced_at=now, announced=fight.repairs)
    elif len(at) == RESTORED:
        fight = Fight(at[0], RESTORED, now, RESTORED)
    versions = [OthersVersion(found, at, writer, fight), *(one for one in recent if one is not known)]
    versions.sort(key=lambda one: (one.fight is not None, _last(one)), reverse=True)
    return tuple(versions[:_VERSIONS])


def _writer(address: Address, report: RunReport) -> Actor | None:
    """Who wrote the document: the caller of the event that led to the run, if that call can have written it."""
    is_write = report.cause.call in WRITES[address.kind]
    return report.cause.actor if report.cause.kind is CauseKind.EVENT and is_write else None


def _last(version: OthersVersion) -> datetime:
    return version.at[-1]


def _is_over(version: OthersVersion, now: datetime) -> bool:
    """Whether a fight is over because its version has not come back for so long."""
    return version.fight is not None and abs(now - _last(version)) >= RESTORED_WITHIN


def _calmed(known: Repairs, now: datetime) -> Repairs:
    versions = tuple(replace(one, fight=None) if _is_over(one, now) else one for one in known.versions)
    return replace(known, versions=versions)


def _within(period: timedelta, at: datetime, report: RunReport) -> bool:
    return abs(report.finished_at - at) < period


def _digest(change: Change) -> str | None:
    """The digest of what a change leaves, empty if nothing; None if it has none or cannot be computed."""
    if change.after is None:
        return ""
    if not isinstance(change.after, Document):
        return None
    try:
        return digest(change.after, kind=change.address.document_kind)
    except Exception:  # an attacker chose the document that it was cut down from
        return None
