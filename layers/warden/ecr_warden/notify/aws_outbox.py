"""What the table has of incidents and of what waits for a channel, by the items of notify/aws_incidents.py."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ecr_warden.aws.table import Table, unpacked
from ecr_warden.core.codec.base import forms, loads, understood
from ecr_warden.notify.incident import Acknowledgement, Incident, incident_from_json
from ecr_warden.notify.ports import waiting_key

ALERT = "ALERT#"
"""Begins the sort key of what is collected."""
STANDING, ENDED = "standing", "ended"
"""The partitions of incidents."""
ACKNOWLEDGED = "ACKNOWLEDGED"
"""The partition of who works on which incident, which control alone writes."""

acknowledgement_to_json, _acknowledgement_from_json = forms("acknowledgement", Acknowledgement)


def waiting(table: Table, channel: str) -> list[datetime]:
    """Of each message that waits for a channel, since when; raises PortError."""
    found = alert_items(table, f"looking what waits for {channel}", waiting_key(channel))
    return [datetime.fromisoformat(item["at"]["S"]) for item in found]


def alert_items(table: Table, what: str, key: str) -> Iterator[Any]:
    """What is collected for a key, as it is kept."""
    values = {":pk": incident_pk(key), ":alert": {"S": ALERT}}
    return table.query(what, "pk = :pk AND begins_with(sk, :alert)", values)


def incident_pk(key: str) -> dict[str, str]:
    """The partition of an incident."""
    return {"S": f"INCIDENT#{key}"}


def incidents_in(
    table: Table, partition: str, condition: str = "", values: Mapping[str, Any] | None = None, **how: Any
) -> Iterator[Incident]:
    """The incidents of a partition, and of a condition on their sort keys; what another version wrote is left out."""
    asked = " AND ".join(filter(None, ("pk = :pk", condition)))
    items = table.query("reading incidents", asked, {":pk": incident_pk(partition), **(values or {})}, **how)
    found = (understood(_incident, item["incident"]) for item in items)
    return (incident for incident in found if incident is not None)


def _incident(packed: Any) -> Incident:
    return incident_from_json(loads(unpacked(packed)))


def acknowledgements(table: Table, incident: str = "") -> Mapping[str, Acknowledgement]:
    """Who works on which incident, by its ID; of one, if it is named. What another version wrote is left out."""
    condition, values = (" AND sk = :id", {":id": {"S": incident}}) if incident else ("", {})
    items = table.query(
        "looking who works on incidents", f"pk = :pk{condition}", {":pk": {"S": ACKNOWLEDGED}, **values}
    )
    found = {item["sk"]["S"]: understood(_acknowledgement, item["acknowledgement"]) for item in items}
    return {name: one for name, one in found.items() if one is not None}


def _acknowledgement(packed: Any) -> Acknowledgement:
    return _acknowledgement_from_json(loads(unpacked(packed)))
