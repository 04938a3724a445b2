"""The IncidentRecords port: the items of notify/aws_incidents.py, and `ACKNOWLEDGED` / `<id>`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ecr_warden.aws.table import Table, expiry, packed
from ecr_warden.core.clock import Clock
from ecr_warden.core.codec.base import dumps
from ecr_warden.notify.aws_outbox import (
    ACKNOWLEDGED,
    ENDED,
    STANDING,
    acknowledgement_to_json,
    acknowledgements,
    incidents_in,
)
from ecr_warden.notify.incident import Acknowledgement, Incident


class DynamoIncidentRecords(Struct, frozen=True):
    """The IncidentRecords port; an acknowledgement is kept as long as an incident that has ended."""

    table: Table
    clock: Clock

    def standing(self) -> Sequence[Incident]:
        return [*incidents_in(self.table, STANDING)]

    def ended(self, since: datetime) -> Iterator[Incident]:
        values = {":since": {"S": since.isoformat()}}
        return incidents_in(self.table, ENDED, "sk >= :since", values, ScanIndexForward=False)

    def acknowledgements(self) -> Mapping[str, Acknowledgement]:
        return acknowledgements(self.table)

    def acknowledge(self, incident: str, by: Acknowledgement) -> None:
        item = {
            "pk": {"S": ACKNOWLEDGED},
            "sk": {"S": incident},
            "acknowledgement": packed(dumps(acknowledgement_to_json(by))),
            "expires": expiry(self.clock.now()),
        }
        self.table.put(f"noting who works on {incident}", item)
