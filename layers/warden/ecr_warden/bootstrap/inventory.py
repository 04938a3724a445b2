"""The inventory as it is kept."""

from functools import cached_property

from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.collect.aws_estate_store import S3EstateStore


class InventoryAdapters(StateAdapters):
    """Of functions that have to do with the kept estate."""

    @cached_property
    def estate_store(self) -> S3EstateStore:
        """The pieces of the estate."""
        return S3EstateStore(self.state_bucket)
