"""The collected alerts in the table that wait for a channel; nothing of what they say is read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ecr_warden.aws.table import Table
from ecr_warden.notify.ports import waiting_key

ALERT = "ALERT#"
"""Begins the sort key of a collected alert."""


def waiting(table: Table, channel: str) -> list[datetime]:
    """Of each alert that waits for a channel, since when, by the items of notify/aws_incidents.py; raises PortError."""
    found = alert_items(table, f"looking what waits for {channel}", waiting_key(channel))
    return [datetime.fromisoformat(item["at"]["S"]) for item in found]


def alert_items(table: Table, what: str, key: str) -> Iterator[Any]:
    """The alerts of an incident, as they are kept."""
    values = {":pk": incident_pk(key), ":alert": {"S": ALERT}}
    return table.query(what, "pk = :pk AND begins_with(sk, :alert)", values)


def incident_pk(key: str) -> dict[str, str]:
    """The partition of an incident."""
    return {"S": f"INCIDENT#{key}"}
