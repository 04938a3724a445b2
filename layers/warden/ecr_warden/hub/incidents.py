"""Incidents as people see them who ask, and that somebody works on one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ecr_warden.core.result import Severity
from ecr_warden.hub.reply import IncidentFact, IncidentsReply, IncidentStatus
from ecr_warden.hub.request import AskIncidents
from ecr_warden.notify.incident import Acknowledgement, Fact, Incident, IncidentState, acknowledged
from ecr_warden.notify.ports import IncidentRecords
from ecr_warden.state.history import REMEMBERED
from iam_access.errors import NamedError
from iam_access.text.printable import few

_LISTED, _FACTS_LISTED = 200, 5


class NoSuchIncident(NamedError, code="no-such-incident"):
    """No incident has this ID, it is over and cannot be acknowledged, or it is no longer kept."""


def incidents_reply(asked: AskIncidents, records: IncidentRecords, now: datetime) -> IncidentsReply:
    """The incidents that were asked for; raises NoSuchIncident, or a PortError."""
    by = records.acknowledgements()
    if asked.incident:
        found = _named(asked.incident, records.standing()) or _named(asked.incident, records.ended(now - REMEMBERED))
        if len(found) != 1:
            raise NoSuchIncident(f"no incident is {asked.incident}, or several begin so", remedy=_LIST)
        return IncidentsReply((_status(found[0], by.get(found[0].id), now, facts=len(found[0].facts)),))
    over = () if asked.since is None else records.ended(asked.since)
    every = sorted((*records.standing(), *over), key=_rank)
    wanted = [one for one in every if asked.since is not None or not one.is_past]
    shown, left_out = few(wanted, _LISTED)
    return IncidentsReply(tuple(_status(one, by.get(one.id), now, facts=_FACTS_LISTED) for one in shown), left_out)


def lasting(incident_id: str, records: IncidentRecords) -> Incident:
    """The incident that somebody can work on; raises NoSuchIncident."""
    found = _named(incident_id, (one for one in records.standing() if not one.is_past))
    if len(found) != 1:
        raise NoSuchIncident(f"no incident {incident_id} lasts, or several begin so", remedy=_LIST)
    return found[0]


def _named(incident_id: str, incidents: Iterable[Incident]) -> Sequence[Incident]:
    """Those whose ID begins so."""
    return [one for one in incidents if one.id.startswith(incident_id)]


_LIST = "ecr-warden incidents lists them"


def _rank(incident: Incident) -> tuple[bool, bool, int, float]:
    is_past = incident.is_past
    gravity = 0 if is_past else -[*Severity].index(incident.severity)
    return is_past, is_past or not incident.lets_in, gravity, -incident.begun.timestamp()


def _status(incident: Incident, by: Acknowledgement | None, now: datetime, *, facts: int) -> IncidentStatus:
    is_over = incident.state is IncidentState.OVER
    is_worked_on = incident.is_past or acknowledged(incident, by).acknowledged
    ranked = sorted(incident.ranked(), key=lambda fact: not fact.is_open(now))
    shown, left_out = few(ranked, facts, incident.left_out)
    return IncidentStatus(
        id=incident.id,
        state=incident.state,
        severity=incident.severity,
        title=incident.title or ranked[0].title,
        since=incident.since,
        ended=incident.ended() if is_over else None,
        by=incident.by,
        things=incident.things,
        messages=incident.sent,
        to_do="" if is_over else incident.asked,
        command="" if is_over else incident.command,
        acknowledged=by if is_worked_on else None,
        facts=tuple(_fact(one, now) for one in shown),
        left_out=left_out,
    )


def _fact(fact: Fact, now: datetime) -> IncidentFact:
    closed = None if fact.may_last else fact.closed
    return IncidentFact(fact.title, fact.severity, fact.opened, closed, fact.is_open(now))
