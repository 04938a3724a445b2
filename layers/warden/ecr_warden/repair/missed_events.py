"""Drift that a sweep found and no event has reported: awaited for a while, then announced.

Not awaited: what was in sync before by another version of the spec, what was reported before, the denial of older
sessions, which expires by itself, and unique IDs of deleted principals, which AWS shows by itself. An event counts by
the call's own time, however late it comes.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from ecr_warden.core.address import DENY_OLDER_SESSIONS, WRITES, AddressKind
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.kinds import DriftKind
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import Awaited, SweepRecord

AWAITED = timedelta(minutes=20)
"""How long after the sweep an event may still come: CloudTrail takes from seconds to minutes."""
_KEPT = timedelta(days=1)
_SKEW = timedelta(minutes=1)
_INTRUDER, _REPORTED_KEPT = "intruder/", 100
# A repository loses its policy when it is deleted, and may get a template's when it is created.
_CALLS = WRITES | {
    AddressKind.REPOSITORY_POLICY: (*WRITES[AddressKind.REPOSITORY_POLICY], "CreateRepository", "DeleteRepository")
}
_CHANGES = frozenset({DriftKind.CHANGED, DriftKind.MISSING, DriftKind.UNEXPECTED, DriftKind.UNPARSEABLE})


def with_event(events: Mapping[str, datetime], cause: Cause, now: datetime) -> Mapping[str, datetime] | None:
    """The calls that events reported, with a run's cause; None if it adds none. Our own writes have no action."""
    if cause.kind is not CauseKind.EVENT or not cause.action:
        return None
    recent = {call: at for call, at in events.items() if now - at < _KEPT}
    return recent | {cause.call: max(cause.happened(now), recent.get(cause.call, now - _KEPT))}


def is_reported(events: Mapping[str, datetime], cause: Cause) -> bool:
    """Whether an intruder's event was reported before: it may be delivered twice."""
    return f"{_INTRUDER}{cause.id}" in events


def with_reported(events: Mapping[str, datetime], cause: Cause, now: datetime) -> Mapping[str, datetime]:
    """The events of a target with an intruder's that was reported; the latest of them are kept."""
    earlier = sorted((at, key) for key, at in events.items() if key.startswith(_INTRUDER))
    forgotten = {key for _, key in earlier[: -_REPORTED_KEPT + 1]}
    return {key: at for key, at in events.items() if key not in forgotten} | {f"{_INTRUDER}{cause.id}": now}


def calls_of(drifts: Iterable[Drift]) -> tuple[str, ...]:
    """The calls one of which must have changed what differs; none for what nobody need have changed."""
    changed = (drift for drift in drifts if drift.kind in _CHANGES and not _was_made_by_nobody(drift))
    return tuple(sorted({call for drift in changed for call in _CALLS[drift.address.kind]}))


def _was_made_by_nobody(drift: Drift) -> bool:
    """Whether it is an expired cut-off, or AWS shows the unique IDs of deleted principals in place of their ARNs."""
    lost = drift.change.lost if drift.change is not None else ()
    shows_ids = len(drift.gained) == len(lost) > 0 and all(permission.is_of_deleted for permission in drift.gained)
    return shows_ids or drift.address.name == DENY_OLDER_SESSIONS


def awaited_from(
    before: SweepRecord | None,
    version: str,
    changed: Mapping[str, tuple[str, ...]],
    remembered: Mapping[str, TargetRecord],
    now: datetime,
) -> dict[str, Awaited]:
    """What is awaited from now on, by target.

    `changed`: the calls of targets that this sweep found drifted; `before`: the last sweep of the part.
    """
    if before is None or before.version != version:
        return {}
    return {
        key: Awaited(now, before.at, calls)
        for key, calls in changed.items()
        if calls and key in before.fine and remembered.get(key, TargetRecord()).reported is None
    }


def still_awaited(
    before: SweepRecord | None, known: Collection[str], remembered: Mapping[str, TargetRecord], now: datetime
) -> tuple[dict[str, Awaited], dict[str, Awaited]]:
    """What the last sweep awaited and has not come: what is awaited still, and what is missed now, by target."""
    waiting, missed = dict[str, Awaited](), dict[str, Awaited]()
    for key, awaited in ({} if before is None else before.awaited).items():
        events = remembered.get(key, TargetRecord()).events
        came = any(events[call] >= awaited.since - _SKEW for call in awaited.calls if call in events)
        if key in known and not came:
            (missed if now - awaited.found >= AWAITED else waiting)[key] = awaited
    return waiting, missed
