"""The function `images`, and what is kept of pushes."""

from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.images.aws_records import DynamoImageRecords


class ImageAdapters(StateAdapters):
    """Of functions that have to do with images."""

    @property
    def image_records(self) -> DynamoImageRecords:
        """What is kept of pushes."""
        return DynamoImageRecords(self.table, self.clock)
