"""Another writer who keeps restoring a version of a document: how often each came back, and what follows.

Nothing here delays taking access away. Times of clocks that disagree are compared by their distance: what lies
further ahead than a period is long is the time of a clock that was wrong, and counts as past.
"""

from collections.abc import Collection, Iterable, Sequence
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.core.address import DENY_OLDER_SESSIONS, WRITES, Address
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunReport
from ecr_warden.repair.ordering import gains, loses
from ecr_warden.state.fight import RESTORED, Fight, OthersVersion, Repairs, fights_by_version
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest
from iam_access.gather import gather

AGAIN, AGAIN_WITHIN = 3, timedelta(minutes=1)
"""From this time on within this period, it is critical that a document has to be narrowed again."""
QUIET = timedelta(minutes=30)
"""A version that has not come back for so long is forgotten, and a fight over it has ended."""
LONGEST_WAIT = timedelta(minutes=10)
"""No access waits longer than this after it was given back; at first a minute, with each repair of a fight one more."""
# What a target's record can hold, however many documents somebody writes.
_DOCUMENTS, _VERSIONS = 8, 3


class FightNews(Struct, frozen=True):
    """The fights that began, and those that ended."""

    began: Sequence[Fight] = ()
    ended: Sequence[Fight] = ()


def remembered(known: Sequence[Repairs], report: RunReport) -> tuple[Repairs, ...]:
    """What is remembered of a target's repairs after a run."""
    repairs = {one.address: one for one in known}
    repairs |= {
        address: _after(repairs.get(address) or Repairs(address, report.finished_at), changes, report)
        for address, changes in _written(report).items()
    }
    kept = sorted(repairs.values(), key=lambda one: (one.is_fought_over, one.written_at), reverse=True)
    return tuple(kept[:_DOCUMENTS])


def recent(known: Sequence[Repairs], drifted: Collection[Address], now: datetime) -> tuple[Repairs, ...]:
    """Without what is long ago; `drifted`: what differs now, because nobody repairs it, and so is not over."""
    calm = (
        repairs if repairs.address in drifted else replace(repairs, versions=_lately(repairs, now)) for repairs in known
    )
    return tuple(repairs for repairs in calm if repairs.versions or _within(QUIET, repairs.written_at, now))


def is_quiet(known: Iterable[Repairs], now: datetime) -> bool:
    """Whether a fight has been quiet for so long that it is over, unless nobody repairs."""
    return any(
        version.is_fought_over and not _within(QUIET, version.last, now)
        for document in known
        for version in document.versions
    )


def news(before: Iterable[Repairs], after: Iterable[Repairs]) -> FightNews:
    """What people have to hear of fights."""
    old, new = fights_by_version(before), fights_by_version(after)
    return FightNews(
        began=[fight for key, fight in new.items() if key not in old],
        ended=[fight for key, fight in old.items() if key not in new],
    )


def is_narrowed_again(known: Iterable[Repairs], report: RunReport) -> bool:
    """Whether a run narrowed a document for at least the third time within a minute; `known`: after the run."""
    narrowed = {address for address, changes in _written(report).items() if any(map(loses, changes))}
    counts = not report.cause.rolls_out  # what a version takes away is nobody's attack
    return counts and any(one.address in narrowed and len(one.narrowed) >= AGAIN for one in known)


def is_of_fights(before: Iterable[Repairs], after: Iterable[Repairs], report: RunReport) -> bool:
    """Whether a run did nothing but repair documents from what somebody keeps restoring, or give back the rest.

    What a person asked for, or what a version of the spec brings, is not part of any fight.
    """
    if report.cause.is_asked or report.of_version:
        return False
    written = {address: changes[0].expect or "" for address, changes in _written(report).items()}
    fought = {
        repairs.address for repairs in (*before, *after) if _fight(repairs, written.get(repairs.address), report.cause)
    }
    return bool(written) and fought >= {*written, *(drift.address for drift in report.plan.drifts)}


def is_of_version(before: Iterable[Repairs], report: RunReport) -> bool:
    """Whether a run wrote another document than the last one that wrote all of it: a version of the spec gives it."""
    whole = {repairs.address: repairs.whole for repairs in before}
    return any(
        whole.get(address) not in (None, _digest(changes[-1]))
        for address, changes in _written(report).items()
        if address not in report.narrowed_only
    )


def paced(known: Iterable[Repairs], cause: Cause, now: datetime) -> Collection[tuple[Address, str]]:
    """The documents to which a run gives no access back yet, each with the digest in which that holds.

    Only what an event brings waits: neither what a person asked for nor what a tick of the schedule finds.
    """
    if cause.incident.partition("/")[0] != CauseKind.EVENT:
        return ()
    return {
        (repairs.address, found)
        for repairs in known
        for found in (repairs.left, *(version.digest for version in repairs.versions))
        if found is not None and _waits(repairs, _fight(repairs, found, cause), now)
    }


def _waits(known: Repairs, fight: OthersVersion | None, now: datetime) -> bool:
    """Whether access to a document was given back so lately that it waits in a fight."""
    if fight is None or known.given_back_at is None:
        return False
    wait = timedelta(minutes=fight.repairs - RESTORED + 1)
    return _within(min(wait, LONGEST_WAIT), known.given_back_at, now)


def _fight(known: Repairs, found: str | None, cause: Cause) -> OthersVersion | None:
    """The fight over a document that what was found is part of: its version, or what a run left of it.

    Another writer is not part of it, even with the same version.
    """
    if found == known.left and known.latest is not None:
        found = known.latest.digest
    writer = _writer(known.address, cause)
    own = (version for version in known.versions if version.digest == found and version.may_be_of(writer))
    return next((version for version in own if version.is_fought_over), None)


def _written(report: RunReport) -> dict[Address, list[Change]]:
    """The changes that a run wrote, by document; without cut-offs, which it writes for the sake of another."""
    return gather((change.address, change) for change in report.applied if change.address.name != DENY_OLDER_SESSIONS)


def _after(before: Repairs, changes: Sequence[Change], report: RunReport) -> Repairs:
    """What is remembered of a document that a run wrote, in one change or two."""
    now, found = report.finished_at, changes[0].expect or ""
    versions, narrowed = _lately(before, now), tuple(at for at in before.narrowed if _within(AGAIN_WITHIN, at, now))
    # What an earlier run had written is replaced too, when the rest is given back.
    if before.left != found and not _is_late(before, found, report) and not report.cause.rolls_out:
        versions = _counted(versions, found, _writer(before.address, report.cause), now)
        narrowed = (*narrowed, now)[-AGAIN:] if any(map(loses, changes)) else narrowed
    return replace(
        before,
        written_at=now,
        versions=versions,
        narrowed=narrowed,
        left=_digest(changes[-1]),
        whole=before.whole if before.address in report.narrowed_only else _digest(changes[-1]),
        seen=report.result is not Result.NOT_YET_VISIBLE,
        given_back_at=now if any(map(gains, changes)) else before.given_back_at,
    )


def _is_late(before: Repairs, found: str, report: RunReport) -> bool:
    """Whether AWS may still have shown the version that the last run had replaced: then nobody need have restored it.

    An event of a later write shows that somebody did. CloudTrail's times are full seconds.
    """
    if before.seen or before.latest is None or before.latest.digest != found:
        return False
    is_known = report.cause.kind is CauseKind.EVENT and report.cause.actor is not None
    called = report.cause.time if is_known else None
    return called is None or called <= before.written_at.replace(microsecond=0)


def _counted(
    known: Sequence[OthersVersion], found: str, writer: Actor | None, now: datetime
) -> tuple[OthersVersion, ...]:
    """The versions of others after one of them was replaced; those that are fought over are kept before others."""
    before = next((version for version in known if version.digest == found and version.may_be_of(writer)), None)
    counted = (
        OthersVersion(found, now, now, writer=writer)
        if before is None
        else replace(before, last=now, repairs=before.repairs + 1, writer=writer or before.writer)
    )
    versions = [counted, *(version for version in known if version is not before)]
    versions.sort(key=lambda version: (version.is_fought_over, version.last), reverse=True)
    return tuple(versions[:_VERSIONS])


def _lately(known: Repairs, now: datetime) -> tuple[OthersVersion, ...]:
    return tuple(version for version in known.versions if _within(QUIET, version.last, now))


def _writer(address: Address, cause: Cause) -> Actor | None:
    """Who wrote the document: the caller of the event that led to the run, if that call can have written it."""
    return cause.actor if cause.kind is CauseKind.EVENT and cause.call in WRITES[address.kind] else None


def _within(period: timedelta, at: datetime, now: datetime) -> bool:
    return abs(now - at) < period


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
