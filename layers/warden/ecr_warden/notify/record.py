"""What people hear of, kept in the history log: a digest may count an alert without its words.

Runs are in the journal; versions of the spec and commands are in the log already.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import FindingGroup
from ecr_warden.audit.finding_texts import effect, sentence
from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.core.alert import Alert
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify import wire_texts
from ecr_warden.notify.kinds import message_of
from ecr_warden.repair.alerts import HarmfulCall, OwnChanged, RunEnded, TargetsPaused, TargetsResumed, WritesSwitched
from ecr_warden.state.history import HistoryEntry, HistoryKind, HistoryLog
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused


def record_alert(log: HistoryLog, alert: Alert, at: datetime) -> None:
    """Record what an alert of this time says, once however often it is recorded; raises PortError."""
    for entry in entries_of(alert, at):
        log.record(entry)


def entries_of(alert: Alert, at: datetime) -> Iterator[HistoryEntry]:
    """The entries for an alert; none for a kind that is recorded elsewhere.

    A call has the time at which it was made: its alert may come twice.
    """
    match alert:
        case AccessAudited(failure=""):
            yield from _of_findings(HistoryKind.FINDING, alert, alert.appeared, at)
            yield from _of_findings(HistoryKind.FINDING_ENDED, alert, alert.ended, at)
        case WiringChanged():
            for wire in alert.broken:
                text = wire_texts.sentence(wire)
                yield HistoryEntry(HistoryKind.WIRE_BROKEN, at, _id(alert.part, wire.name), None, text)
            for wire in alert.ended:
                text = f"{wire.name} is as it should be again"
                yield HistoryEntry(HistoryKind.WIRE_RESTORED, at, _id(alert.part, wire.name), None, text)
        case OwnChanged():
            title, made = message_of([alert]).title, _id(alert.account, alert.thing, alert.cause.id)
            yield HistoryEntry(HistoryKind.OWN_PART, alert.cause.happened(at), made, alert.cause.actor, title)
        case HarmfulCall():
            is_of_images = isinstance(alert.target, RepositoryTarget) or bool(alert.region)
            kind = HistoryKind.IMAGE_SETTING if is_of_images else HistoryKind.CREDENTIAL
            key = alert.target.key if alert.target else f"{alert.account}/{alert.region}"
            title, made = message_of([alert]).title, _id(key, alert.cause.id)
            targets = (str(alert.target),) if alert.target else ()
            yield HistoryEntry(kind, alert.cause.happened(at), made, alert.cause.actor, title, targets)
        case (
            HoldOpened()
            | HoldSettled()
            | RunEnded()
            | SpecAccepted()
            | SpecRefused()
            | TargetsPaused()
            | TargetsResumed()
            | WritesSwitched()
        ):
            pass
        case _:
            title = message_of([alert]).title
            yield HistoryEntry(HistoryKind.ANNOUNCED, at, _id(alert.cause.id, title), None, title)


def _of_findings(
    kind: HistoryKind, alert: AccessAudited, groups: Iterable[FindingGroup], at: datetime
) -> Iterator[HistoryEntry]:
    for group in groups:
        repositories = tuple(place for place in group.places if place.startswith("repository/"))
        made = _id(group.finding.key, *group.places)
        is_over = kind is HistoryKind.FINDING_ENDED
        since, text = (group.first_seen, effect(group)) if is_over else (None, sentence(group))
        yield HistoryEntry(kind, at, made, alert.cause.actor, text, repositories, group.left_out, since)


def _id(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
