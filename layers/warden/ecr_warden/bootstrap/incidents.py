"""The incidents for whoever asks."""

from ecr_warden.bootstrap.common import HubAdapters
from ecr_warden.notify.aws_incident_records import DynamoIncidentRecords


class IncidentAdapters(HubAdapters):
    """Of functions that answer people."""

    @property
    def incident_records(self) -> DynamoIncidentRecords:
        """The incidents, and who works on which."""
        return DynamoIncidentRecords(self.table, self.clock)
