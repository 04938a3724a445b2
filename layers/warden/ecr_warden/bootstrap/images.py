"""The function `images`."""

from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.images.aws_records import DynamoImageRecords
from ecr_warden.images.note import NoteImages


class ImageAdapters(StateAdapters):
    """All that it is made of."""

    @property
    def image_records(self) -> DynamoImageRecords:
        """What is kept of pushes."""
        return DynamoImageRecords(self.table, self.clock)

    @property
    def note_images(self) -> NoteImages:
        """Its use case."""
        return NoteImages(self.accepted_specs, self.state, self.image_records, self.alerts, self.clock)
